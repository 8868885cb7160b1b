// Auto-discovery: one document stands for a stack in every folder that holds a compose file (config 7, 8).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/deploy_config.h"

namespace windlass {

// Puts the stacks that are found in the place of each document with auto_discovery: below the working_dir, depth
// first and in the order of names, no link followed, `.git .github .vscode .idea node_modules` left out. A stack is
// named after its folder; a `.doco-cd.yaml` there, of one document, changes what it names, false, 0 and empty included.
//
// A document that finds nothing leaves a word in the warnings of `configs`: it is no fault under strict reading either.
// What is wrong goes to `faults` (two stacks of one name as well), unknown keys go to `warnings`; both name the file as
// seen from the root.
void discover_stacks(const SourceFiles& files, DeployConfigs& configs, std::vector<std::string>& faults,
                     std::vector<std::string>& warnings);

}  // namespace windlass
