// Names of archive entries, made safe: relative, clean, within limits (oci 8, reliability 5).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "oci/unpack.h"

namespace windlass {

// "./a//b/" becomes "a/b"; "" is the root itself. Kind::invalid with the rule: absolute, a ".." part, a control byte, a
// backslash, empty, or over a limit.
Result<std::string> clean_entry_name(std::string_view name, const UnpackLimits& limits);

std::string_view parent_of(std::string_view path);  // "" for a name without a slash
std::string_view base_of(std::string_view path);

}  // namespace windlass
