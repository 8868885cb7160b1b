// Globs over paths: `*` stops at '/', `**` does not.
#pragma once

#include <string_view>

namespace windlass {

bool glob_matches(std::string_view glob, std::string_view text);

}  // namespace windlass
