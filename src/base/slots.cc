#include "base/slots.h"

namespace windlass {

Result<Slots::Held> Slots::take(const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  if (!freed_.wait_for(lock, deadline.stop, deadline.left(), [&] { return free_ > 0; }))
    return fail(Kind::unavailable, "gave up waiting for " + what_);
  --free_;
  return Held(this);
}

void Slots::give_back() {
  {
    const std::lock_guard lock(mutex_);
    ++free_;
  }
  freed_.notify_one();
}

Slots::Held::~Held() {
  if (slots_ != nullptr) slots_->give_back();
}

}  // namespace windlass
