// Small JSON values in columns of the state file. Ours: one that does not parse is damage.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/json.h"

namespace windlass {

using TextMap = std::map<std::string, std::string>;

json::object to_json(const TextMap& map);
// Members that are no text are left out; null: empty.
TextMap text_map(const json::object* object);
std::vector<std::string> text_list(const json::value& value);

// Kind::internal "state file: …" for a text that is no JSON.
Result<json::value> stored_json(std::string_view text);

}  // namespace windlass
