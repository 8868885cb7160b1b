// One document of a deploy configuration as a DeployConfig (config 4).
#pragma once

#include <string_view>
#include <vector>

#include "config/deploy_config.h"
#include "config/yaml.h"
#include "sys/json.h"

namespace windlass {

// Where a document was written. What stands in an artifact has no say in whether the artifact is trusted (oci 11.1).
enum class ConfigPlace { artifact, inline_deployment };

// What is wrong goes to `faults`; unknown keys go to `warnings`. Each names file, line and key.
DeployConfig decode_deploy_config(const YamlNode& document, std::string_view file, std::vector<std::string>& faults,
                                  std::vector<std::string>& warnings, ConfigPlace place = ConfigPlace::artifact);

// A file beside the compose files of a discovered stack: `config` keeps what the file does not name, maps are joined
// key by key (config 8). Keys that only the document itself may hold have no effect and are named in a warning.
void decode_nested_config(const YamlNode& document, std::string_view file, DeployConfig& config,
                          std::vector<std::string>& faults, std::vector<std::string>& warnings);

// The name of a stack, which a document with auto_discovery need not have.
void check_stack(const DeployConfig& config, const std::string& folder, std::vector<std::string>& faults);

// The configuration's canonical text, once nothing of it changes any more.
void finish(DeployConfig& config);

// The configuration as it could have been written: what decode_deploy_config() makes of it is the same again. Every key
// stands in it, except one whose absence means something.
json::object to_json(const DeployConfig& config);

// config 12: two stacks of one list. A document that stands for several stacks has no name yet.
void find_duplicate_names(const std::vector<DeployConfig>& stacks, std::vector<std::string>& faults);

// The compose files that count when a configuration names none.
const std::vector<std::string>& default_compose_files();

}  // namespace windlass
