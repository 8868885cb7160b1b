#include "config/switch_keys.h"

#include <fmt/format.h>

namespace windlass {

const YamlNode* mapping_of(KeyReader& read, const std::string& key, bool& enabled) {
  const auto* node = read.take(key);
  if (node == nullptr || node->is_null()) return nullptr;
  if (node->kind == YamlNode::Kind::mapping) return node;
  if (const auto flag = yaml_bool(*node); flag && !node->quoted)
    enabled = *flag;
  else
    read.fault(key, fmt::format("invalid {} value: expected bool or object", key));
  return nullptr;
}

namespace {

void keep_unknown(const KeyReader& members, std::vector<std::string>& warnings) {
  for (auto& unknown : members.unknown_keys()) warnings.push_back(std::move(unknown));
}

}  // namespace

void decode_destroy(KeyReader& read, std::string_view file, std::vector<std::string>& faults,
                    std::vector<std::string>& warnings, Destroy& target) {
  const auto* mapping = mapping_of(read, "destroy", target.enabled);
  if (mapping == nullptr) return;
  KeyReader members(*mapping, file, faults);
  members.flag("enabled", target.enabled);
  members.flag("remove_volumes", target.remove_volumes);
  members.flag("remove_images", target.remove_images);
  members.flag("remove_dir", target.remove_dir);
  members.flag("remove_data", target.remove_data);
  keep_unknown(members, warnings);
}

void decode_auto_discovery(KeyReader& read, std::string_view file, std::vector<std::string>& faults,
                           std::vector<std::string>& warnings, AutoDiscovery& target) {
  const auto* mapping = mapping_of(read, "auto_discovery", target.enabled);
  if (mapping == nullptr) return;
  KeyReader members(*mapping, file, faults);
  members.flag("enabled", target.enabled);
  members.integer("depth", target.depth);
  if (target.depth < 0) members.fault("depth", "must be >= 0");
  members.flag("delete", target.remove);
  members.flag("remove_volumes", target.remove_volumes);
  members.flag("remove_images", target.remove_images);
  members.flag("delete_all", target.remove_all);
  keep_unknown(members, warnings);
}

json::object to_json(const Destroy& destroy) {
  return {{"enabled", destroy.enabled},
          {"remove_volumes", destroy.remove_volumes},
          {"remove_images", destroy.remove_images},
          {"remove_dir", destroy.remove_dir},
          {"remove_data", destroy.remove_data}};
}

json::object to_json(const AutoDiscovery& discovery) {
  return {{"enabled", discovery.enabled},
          {"depth", discovery.depth},
          {"delete", discovery.remove},
          {"remove_volumes", discovery.remove_volumes},
          {"remove_images", discovery.remove_images},
          {"delete_all", discovery.remove_all}};
}

AutoDiscovery auto_discovery_of(const json::value& value) {
  AutoDiscovery discovery;
  const auto* object = value.if_object();
  if (object == nullptr) return discovery;
  const auto read_flag = [&](std::string_view key, bool& target) {
    const auto* member = object->if_contains(key);
    if (member != nullptr && member->is_bool()) target = member->get_bool();
  };
  read_flag("enabled", discovery.enabled);
  read_flag("delete", discovery.remove);
  read_flag("remove_volumes", discovery.remove_volumes);
  read_flag("remove_images", discovery.remove_images);
  read_flag("delete_all", discovery.remove_all);
  return discovery;
}

}  // namespace windlass
