// Work that is done at once.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "base/result.h"

namespace windlass {

// Calls work(0) … work(count - 1) on up to `threads` threads, this one among them, or on fewer if the system has none
// to give. The results by index; a call that throws is a Kind::unavailable of its own: memory and threads come back.
std::vector<Status> for_each_index(std::size_t count, std::size_t threads,
                                   const std::function<Status(std::size_t)>& work);

// Different work side by side: a thread for each step if the system has them. The results in the same order.
std::vector<Status> side_by_side(const std::vector<std::function<Status()>>& steps);

}  // namespace windlass
