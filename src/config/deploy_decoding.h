// One document of a deploy configuration as a DeployConfig (config 4).
#pragma once

#include <string_view>
#include <vector>

#include "config/deploy_config.h"
#include "config/yaml.h"

namespace windlass {

// What is wrong goes to `faults`; unknown keys go to `warnings`. Each names file, line and key.
DeployConfig decode_deploy_config(const YamlNode& document, std::string_view file, std::vector<std::string>& faults,
                                  std::vector<std::string>& warnings);

// The compose files that count when a configuration names none.
const std::vector<std::string>& default_compose_files();

}  // namespace windlass
