// "Did you mean": which known word a misspelt one was probably to be. Pure.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace windlass {

// The known word with the fewest slips from this one, at most `slips_max` of them; "" when none is near. Letters put
// in, left out or replaced, and neighbours that changed places, are one slip each. Words of more than 64 letters are
// not guessed at.
std::string nearest(const std::set<std::string>& known, std::string_view word, std::size_t slips_max);

}  // namespace windlass
