// Env files in the dialect of docker compose (config 6).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/substitution.h"

namespace windlass {

constexpr std::size_t kDotenvBytesMax = 1 << 20;  // of the variables of one file; half of what the kernel takes

// NAME=value, NAME: value, `export` in front, comments, quotes: single quotes take all as written, double quotes know
// escapes, both may span lines. ${VARIABLES} are replaced, except in single quotes, by `outer` or by what stands
// earlier in the file. A name alone takes its value from `outer`. Errors read "<file>:<line>: <fault>" and never quote
// a value.
Result<std::map<std::string, std::string>> parse_dotenv(std::string_view text, std::string_view file,
                                                        const Lookup& outer);

}  // namespace windlass
