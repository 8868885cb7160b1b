// The same work for several things at once.
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

}  // namespace windlass
