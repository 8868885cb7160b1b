// The deploy-config target: what may stand between ".doco-cd." and ".yaml" (webhook/A6).
#pragma once

#include <string_view>

namespace windlass {

inline constexpr std::string_view kTargetRule = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$";

// It follows kTargetRule, or is "": no target.
bool is_target(std::string_view target);

}  // namespace windlass
