// The deploy keys `destroy` and `auto_discovery`: a bool, or a mapping that says `enabled` (config 4, "bool or
// object").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/deploy_config.h"
#include "config/key_reader.h"
#include "sys/json.h"

namespace windlass {

// The mapping of a key that is bool or object; null when the key is absent, null, a bool (`enabled` is set) or wrong.
const YamlNode* mapping_of(KeyReader& read, const std::string& key, bool& enabled);

// `target` holds what counts where the key says nothing: the defaults, or what a nested file overrides. Each fault
// names file, line, key and rule; unknown members go to `warnings`.
void decode_destroy(KeyReader& read, std::string_view file, std::vector<std::string>& faults,
                    std::vector<std::string>& warnings, Destroy& target);
void decode_auto_discovery(KeyReader& read, std::string_view file, std::vector<std::string>& faults,
                           std::vector<std::string>& warnings, AutoDiscovery& target);

// As they could have been written.
json::object to_json(const Destroy& destroy);
json::object to_json(const AutoDiscovery& discovery);
// Of such an object; what it does not say is as by default.
AutoDiscovery auto_discovery_of(const json::value& value);

}  // namespace windlass
