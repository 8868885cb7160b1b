#include "sigstore/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "sigstore/base64_field.h"

namespace windlass {
namespace {

const json::object kNoFields;

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

std::optional<std::int64_t> whole_number(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (!value.is_string()) return std::nullopt;
  const auto text = view(value.get_string());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

JsonFields::JsonFields(const json::value& value)
    : JsonFields(value.if_object(), "", std::make_shared<std::optional<Error>>()) {
  if (object_ != nullptr) return;
  object_ = &kNoFields;
  *fault_ = Error{Kind::invalid, "want a JSON object"};
}

JsonFields::JsonFields(const json::object* object, std::string path, std::shared_ptr<std::optional<Error>> fault)
    : object_(object), path_(std::move(path)), fault_(std::move(fault)) {}

Status JsonFields::status() const {
  if (*fault_) return tl::unexpected(**fault_);
  return {};
}

void JsonFields::refuse(std::string_view key, std::string_view rule) {
  if (!*fault_) *fault_ = Error{Kind::invalid, fmt::format("{}: {}", printable(named(key), 200), rule)};
}

const json::value* JsonFields::find(std::string_view key) const {
  const auto* value = object_->if_contains(key);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

bool JsonFields::has(std::string_view key) const { return find(key) != nullptr; }

void JsonFields::only(std::initializer_list<std::string_view> keys) {
  for (const auto& member : *object_)
    if (std::find(keys.begin(), keys.end(), std::string_view(member.key())) == keys.end())
      refuse(member.key(), "is not known");
}

std::string JsonFields::text(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return "";
  if (value->is_string()) return std::string(view(value->get_string()));
  refuse(key, "want text");
  return "";
}

std::optional<std::string> JsonFields::decoded(const json::value& value) const {
  if (!value.is_string()) return std::nullopt;
  auto bytes = decode_base64("", view(value.get_string()));
  if (!bytes) return std::nullopt;
  return std::move(*bytes);
}

std::string JsonFields::bytes(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return "";
  if (auto bytes = decoded(*value)) return std::move(*bytes);
  refuse(key, "want standard base64");
  return "";
}

std::int64_t JsonFields::number(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return 0;
  const auto number = whole_number(*value);
  if (number && *number >= 0) return *number;
  refuse(key, "want a whole number, 0 or more");
  return 0;
}

std::optional<WallTime> JsonFields::time(std::string_view key) {
  if (!has(key)) return std::nullopt;
  const auto time = parse_rfc3339(text(key));
  if (!time) refuse(key, "want a time like 2026-01-02T03:04:05Z");
  return time;
}

JsonFields JsonFields::item(const json::value& value, std::string path) {
  const auto* object = value.if_object();
  if (object == nullptr && !*fault_) *fault_ = Error{Kind::invalid, fmt::format("{}: want an object", path)};
  return {object != nullptr ? object : &kNoFields, std::move(path), fault_};
}

JsonFields JsonFields::object(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return {&kNoFields, named(key), fault_};
  return item(*value, named(key));
}

const json::array* JsonFields::array(std::string_view key, std::size_t count_max) {
  const auto* value = find(key);
  if (value == nullptr) return nullptr;
  const auto* array = value->if_array();
  if (array == nullptr) {
    refuse(key, "want an array");
  } else if (array->size() > count_max) {
    refuse(key, fmt::format("want at most {} items, got {}", count_max, array->size()));
    return nullptr;
  }
  return array;
}

std::vector<JsonFields> JsonFields::objects(std::string_view key, std::size_t count_max) {
  std::vector<JsonFields> items;
  const auto* values = array(key, count_max);
  for (std::size_t i = 0; values != nullptr && i < values->size(); ++i)
    items.push_back(item((*values)[i], fmt::format("{}[{}]", named(key), i)));
  return items;
}

std::vector<std::string> JsonFields::byte_items(std::string_view key, std::size_t count_max) {
  std::vector<std::string> items;
  const auto* values = array(key, count_max);
  for (std::size_t i = 0; values != nullptr && i < values->size(); ++i) {
    auto bytes = decoded((*values)[i]);
    if (!bytes) refuse(fmt::format("{}[{}]", key, i), "want standard base64");
    items.push_back(bytes.value_or(""));
  }
  return items;
}

}  // namespace windlass
