#include "config/external_secrets_key.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass {
namespace {

constexpr const char* kKey = "external_secrets";
constexpr int kDepthMax = 20;

// A number that reads back as it was written stays one, so that a template can compare it; 007 and 1.10 are text.
json::value scalar_of(const YamlNode& node) {
  if (node.quoted) return json::value(node.text);
  if (node.is_null()) return nullptr;
  if (const auto number = yaml_integer(node); number && std::to_string(*number) == node.text) return *number;
  if (node.text == "true" || node.text == "false") return node.text == "true";
  return json::value(node.text);
}

json::value json_of(const YamlNode& node, int depth) {
  if (depth > kDepthMax) return nullptr;
  if (node.kind == YamlNode::Kind::scalar) return scalar_of(node);
  if (node.kind == YamlNode::Kind::sequence) {
    json::array items;
    for (const auto* item : node.items) items.push_back(json_of(*item, depth + 1));
    return items;
  }
  json::object members;
  for (const auto& entry : node.entries) members[entry.key] = json_of(*entry.value, depth + 1);
  return members;
}

class Decoder {
 public:
  Decoder(const YamlNode& map, std::string_view file, std::vector<std::string>& faults,
          std::vector<std::string>& warnings)
      : map_(map), file_(file), faults_(faults), warnings_(warnings), names_(map, file, faults) {}

  void decode(SecretReferences& references) {
    for (const auto& entry : map_.entries) {
      const auto& name = entry.key;
      if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != name.npos)
        names_.fault(name, fmt::format("{}: \"{}\" is not the name of a variable", kKey, printable(name, 100)));
      else if (entry.value->kind == YamlNode::Kind::mapping)
        decode_mapping(name, *entry.value, references[name]);
      else if (entry.value->kind == YamlNode::Kind::sequence || entry.value->is_null())
        names_.wrong_type(name, "string or object", *entry.value);
      else if (trim(entry.value->text).empty())
        names_.fault(name, fmt::format("{}: the reference is empty", kKey));
      else
        references[name] = {.text = entry.value->text};
    }
  }

 private:
  void decode_mapping(const std::string& name, const YamlNode& node, SecretReference& reference) {
    KeyReader members(node, file_, faults_);
    for (const auto* camel : {"storeRef", "remoteRef"})
      if (members.take(camel) != nullptr)
        members.fault(camel, fmt::format("{}.{}: use snake_case keys store_ref and remote_ref", kKey, name));
    std::string store;
    members.text("store_ref", store);
    json::object remote;
    if (const auto* given = members.take("remote_ref"); given != nullptr && !given->is_null()) {
      if (given->kind == YamlNode::Kind::mapping)
        remote = json_of(*given, 0).get_object();
      else
        members.wrong_type("remote_ref", "a mapping", *given);
    }
    if (store.empty()) members.fault("store_ref", fmt::format("{}.{}: store_ref is missing", kKey, name));
    for (auto& unknown : members.unknown_keys()) warnings_.push_back(std::move(unknown));
    reference = {.text = canonical_json(json::object{{"store_ref", store}, {"remote_ref", std::move(remote)}}),
                 .is_mapping = true};
  }

  const YamlNode& map_;
  std::string_view file_;
  std::vector<std::string>& faults_;
  std::vector<std::string>& warnings_;
  KeyReader names_;
};

}  // namespace

void decode_external_secrets(KeyReader& read, std::string_view file, std::vector<std::string>& faults,
                             std::vector<std::string>& warnings, SecretReferences& references) {
  const auto* node = read.take(kKey);
  if (node == nullptr || node->is_null()) return;
  if (node->kind != YamlNode::Kind::mapping) return read.wrong_type(kKey, "a mapping", *node);
  Decoder(*node, file, faults, warnings).decode(references);
}

json::object to_json(const SecretReferences& references) {
  json::object object;
  for (const auto& [name, reference] : references) {
    auto mapping = reference.is_mapping ? parse_json(reference.text) : Result<json::value>(json::value());
    object[name] = reference.is_mapping && mapping ? *std::move(mapping) : json::value(reference.text);
  }
  return object;
}

}  // namespace windlass
