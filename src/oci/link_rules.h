// Where a symbolic link of an artifact may lead: inside its own tree, judged as the kernel would follow it (oci 8).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "oci/unpack.h"

namespace windlass {

// The target as text: not empty, relative, no control byte, not too long.
Status check_link_text(std::string_view target, const UnpackLimits& limits);

using LookUp = std::function<const TreeEntry*(std::string_view path)>;  // null: no such entry

// Follows `target` from the folder of `path` through the finished tree, through other links too. Kind::invalid when it
// leaves the tree, goes round, or grows too long. A target that does not exist is fine as long as it lies inside.
Status check_link_target(std::string_view path, std::string_view target, const LookUp& look_up,
                         const UnpackLimits& limits);

}  // namespace windlass
