#include "sys/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/src.hpp>  // Boost.JSON compiled here, once: no library to link
#include <vector>

namespace windlass {

Result<json::value> parse_json(std::string_view text, json::storage_ptr storage, std::size_t depth_max) {
  json::parse_options options;
  options.max_depth = depth_max;
  unsigned char work[2048];
  json::stream_parser parser({}, options, work);
  parser.reset(std::move(storage));
  boost::system::error_code error;
  const auto taken = parser.write_some(text.data(), text.size(), error);
  if (error) return fail(Kind::invalid, fmt::format("invalid JSON at byte {}: {}", taken + 1, error.message()));
  if (const auto rest = text.substr(taken).find_first_not_of(" \t\r\n"); rest != text.npos)
    return fail(Kind::invalid, fmt::format("invalid JSON at byte {}: text after the value", taken + rest + 1));
  parser.finish(error);
  if (error) return fail(Kind::invalid, fmt::format("invalid JSON at byte {}: {}", text.size() + 1, error.message()));
  return parser.release();
}

std::string_view text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

int number_of(const json::object& object, std::string_view key, int otherwise) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return otherwise;
  if (value->is_int64()) return static_cast<int>(value->get_int64());
  return otherwise;
}

const json::object* object_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr ? value->if_object() : nullptr;
}

const json::array* array_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr ? value->if_array() : nullptr;
}

std::string canonical_json(const json::value& value) {
  if (const auto* object = value.if_object()) {
    std::vector<json::string_view> keys;
    for (const auto& member : *object) keys.push_back(member.key());
    std::sort(keys.begin(), keys.end());
    std::string out = "{";
    for (const auto key : keys) {
      if (out.size() > 1) out += ',';
      out += json::serialize(json::value(key)) + ':' + canonical_json(object->at(key));
    }
    return out + '}';
  }
  if (const auto* array = value.if_array()) {
    std::string out = "[";
    for (const auto& item : *array) {
      if (out.size() > 1) out += ',';
      out += canonical_json(item);
    }
    return out + ']';
  }
  return json::serialize(value);
}

}  // namespace windlass
