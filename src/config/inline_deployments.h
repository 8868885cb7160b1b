// Deployments that are written where the source is named, in a poll configuration, instead of in the source (config 5).
//
// They travel as canonical JSON (JobRequest::deployments), are kept with the job and decoded anew for every run: no run
// sees what another has made of them. The same decoder reads them as the deploy config of an artifact, so an explicit
// false, 0 or "" counts.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/deploy_config.h"
#include "config/yaml.h"

namespace windlass {

// Checks the list and gives its canonical text; "" when it is empty. What is wrong goes to `faults`, unknown keys go to
// `warnings`; `file` is where the list was written.
std::string decode_inline_deployments(const YamlNode& list, std::string_view file, std::vector<std::string>& faults,
                                      std::vector<std::string>& warnings);

// The deployments of such a text, before discover_stacks(). A text that does not decode is of another version of
// windlass.
Result<DeployConfigs> read_inline_deployments(std::string_view text);

// The same with auto_discovery in the unpacked source.
Result<DeployConfigs> load_inline_deployments(std::string_view text, const SourceFiles& files);

}  // namespace windlass
