#include "deploy/stored_json.h"

namespace windlass {

json::object to_json(const TextMap& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

TextMap text_map(const json::object* object) {
  TextMap map;
  if (object == nullptr) return map;
  for (const auto& member : *object)
    if (const auto* text = member.value().if_string()) map[std::string(member.key())] = std::string(*text);
  return map;
}

std::vector<std::string> text_list(const json::value& value) {
  std::vector<std::string> list;
  if (const auto* array = value.if_array())
    for (const auto& item : *array)
      if (const auto* text = item.if_string()) list.emplace_back(*text);
  return list;
}

Result<json::value> stored_json(std::string_view text) {
  auto value = parse_json(text);
  if (!value) return fail(Kind::internal, "state file: " + value.error().message);
  return value;
}

}  // namespace windlass
