// Boost.JSON with our rules: strict, depth 128, whole input. Of a key that stands twice the last counts; where that
// matters: sys/unambiguous_json.h.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass {

namespace json = boost::json;

// One JSON value, nothing but white space around it; invalid UTF-8 and depth over `depth_max` are errors with the
// position. `storage` lets a caller parse on the stack.
Result<json::value> parse_json(std::string_view text, json::storage_ptr storage = {}, std::size_t depth_max = 128);

// The text of member `key`, or "" when it is absent, null or not a string.
std::string_view text_of(const json::object& object, std::string_view key);

// The whole number of member `key`, or `otherwise` when it is absent or something else.
int number_of(const json::object& object, std::string_view key, int otherwise);

// The member as an object or array; null when it is absent or something else.
const json::object* object_of(const json::object& object, std::string_view key);
const json::array* array_of(const json::object& object, std::string_view key);

// Keys sorted at every depth, no white space: equal values give equal text (deploy/N5).
std::string canonical_json(const json::value& value);

}  // namespace windlass
