#include "deploy/model_paths.h"

namespace windlass {

void move_paths(json::value& value, const std::string& from, const std::string& to) {
  if (auto* object = value.if_object()) {
    for (auto& member : *object) move_paths(member.value(), from, to);
  } else if (auto* array = value.if_array()) {
    for (auto& item : *array) move_paths(item, from, to);
  } else if (auto* text = value.if_string()) {
    if (const auto below = path_below(from, std::string_view(*text))) *text = below->empty() ? to : to + "/" + *below;
  }
}

std::optional<std::string> path_below(std::string_view root, std::string_view path) {
  if (!path.starts_with(root)) return std::nullopt;
  path.remove_prefix(root.size());
  if (path.empty()) return "";
  if (path.front() != '/') return std::nullopt;
  path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

}  // namespace windlass
