// Types, comparison and text of JSON values as JMESPath sees them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "secrets/jmespath_functions.h"

namespace windlass {

std::string_view jmes_type(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "boolean";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    case json::kind::object:
      return "object";
    default:
      return "number";
  }
}

std::optional<double> jmes_number(const json::value& value) {
  if (const auto* number = value.if_int64()) return static_cast<double>(*number);
  if (const auto* number = value.if_uint64()) return static_cast<double>(*number);
  if (const auto* number = value.if_double()) return *number;
  return std::nullopt;
}

bool jmes_equal(const json::value& a, const json::value& b) {
  const auto number = jmes_number(a), other = jmes_number(b);
  if (number || other) {
    const bool are_whole = !a.is_double() && !b.is_double();
    return number && other && (are_whole ? a == b : *number == *other);
  }
  if (a.is_array() && b.is_array())
    return std::equal(a.get_array().begin(), a.get_array().end(), b.get_array().begin(), b.get_array().end(),
                      jmes_equal);
  if (!a.is_object() || !b.is_object()) return a == b;
  const auto& members = b.get_object();
  return a.get_object().size() == members.size() &&
         std::all_of(a.get_object().begin(), a.get_object().end(), [&](const auto& member) {
           const auto* same = members.if_contains(member.key());
           return same != nullptr && jmes_equal(member.value(), *same);
         });
}

std::string jmes_text(const json::value& value) {
  if (const auto* number = value.if_double()) {
    constexpr double kWhole = 1e15;  // up to there a double holds every whole number
    if (std::trunc(*number) == *number && std::abs(*number) < kWhole)
      return fmt::format("{}", static_cast<std::int64_t>(*number));
    return std::isfinite(*number) ? fmt::format("{}", *number) : "null";
  }
  std::string text;
  const auto add = [&](std::string_view part) {
    if (text.size() > 1) text += ',';
    text += part;
  };
  if (const auto* array = value.if_array()) {
    text = "[";
    for (const auto& item : *array) add(jmes_text(item));
    return text + "]";
  }
  if (const auto* object = value.if_object()) {
    text = "{";
    for (const auto& member : *object)
      add(json::serialize(json::value(member.key())) + ":" + jmes_text(member.value()));
    return text + "}";
  }
  return json::serialize(value);
}

}  // namespace windlass
