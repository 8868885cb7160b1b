#include "docker/call_gate.h"

#include <fmt/format.h>

#include <algorithm>

namespace windlass {

Result<CallGate::Call> CallGate::enter(const Deadline& deadline) {
  const auto came_at = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (inside_ >= calls_max_) {
    const auto until = std::min(deadline.at, std::max(came_at, last_left_at_) + patience_);
    if (deadline.passed() || std::chrono::steady_clock::now() >= until)
      return fail(Kind::unavailable, fmt::format("{} calls wait for its answer already", inside_));
    left_.wait_until(lock, deadline.stop, until, [this] { return inside_ < calls_max_; });
  }
  ++inside_;
  return Call(*this);
}

void CallGate::leave() {
  {
    const std::lock_guard lock(mutex_);
    --inside_;
    last_left_at_ = std::chrono::steady_clock::now();
  }
  left_.notify_all();
}

CallGate::Call::~Call() {
  if (gate_ != nullptr) gate_->leave();
}

}  // namespace windlass
