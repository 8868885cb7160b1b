#include "config/yaml_from_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace windlass {
namespace {

class Builder {
 public:
  Builder(YamlFile& file, JsonKeys keys) : file_(file), keys_(keys) {}

  const YamlNode* build(const json::value& value) {
    auto& node = file_.nodes.emplace_back();
    if (const auto* object = value.if_object()) {
      node.kind = YamlNode::Kind::mapping;
      for (const auto& member : *object) add_member(node, member);
    } else if (const auto* array = value.if_array()) {
      node.kind = YamlNode::Kind::sequence;
      for (const auto& item : *array) node.items.push_back(build(item));
    } else if (const auto* text = value.if_string()) {
      node.text = *text;
      node.quoted = true;
    } else if (const auto* number = value.if_double()) {
      node.text = fmt::format("{}", *number);
    } else {
      node.text = json::serialize(value);  // null, true, false, an integer
    }
    return &node;
  }

 private:
  void add_member(YamlNode& mapping, const json::key_value_pair& member) {
    auto key = std::string(member.key());
    if (keys_ == JsonKeys::any_case && !names_are_free_) key = lower(key);
    const bool was_free = names_are_free_;
    names_are_free_ = was_free || key == "environment" || key == "external_secrets" || key == "args";
    const auto* value = build(member.value());
    names_are_free_ = was_free;
    const auto same = std::ranges::find(mapping.entries, key, &YamlEntry::key);
    if (same != mapping.entries.end())
      same->value = value;
    else
      mapping.entries.push_back({.key = std::move(key), .value = value});
  }

  YamlFile& file_;
  JsonKeys keys_;
  bool names_are_free_ = false;  // inside a map of the user's own names
};

}  // namespace

YamlFile yaml_from_json(const json::value& value, JsonKeys keys) {
  YamlFile file;
  file.documents.push_back(Builder(file, keys).build(value));
  return file;
}

}  // namespace windlass
