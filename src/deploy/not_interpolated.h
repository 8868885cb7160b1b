// What goes into a resolved model as it is: the tool interpolates that once more, where $$ is one $ (deploy/X4).
#pragma once

#include <string>
#include <string_view>

namespace windlass {

inline std::string not_interpolated(std::string_view text) {
  std::string result;
  for (const char c : text) result.append(c == '$' ? 2 : 1, c);
  return result;
}

}  // namespace windlass
