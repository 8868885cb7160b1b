#include "api/json_fields.h"

#include "base/text.h"

namespace windlass {

std::string proper(std::string_view text) {
  return is_valid_utf8(text) ? std::string(text) : printable(text, text.size() * 4);
}

void add_if_set(json::object& object, std::string_view key, std::string_view value) {
  if (!value.empty()) object[key] = proper(value);
}

void add_if_set(json::object& object, std::string_view key, const std::optional<WallTime>& time) {
  if (time) object[key] = to_rfc3339(*time);
}

}  // namespace windlass
