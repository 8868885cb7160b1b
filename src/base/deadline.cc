#include "base/deadline.h"

#include <condition_variable>
#include <mutex>

namespace windlass {

bool pause(std::chrono::milliseconds span, const Deadline& deadline) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, deadline.stop, std::min(span, deadline.left()), [] { return false; });
  return !deadline.passed();
}

}  // namespace windlass
