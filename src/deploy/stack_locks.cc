#include "deploy/stack_locks.h"

#include <fmt/format.h>

#include <algorithm>

namespace windlass {
namespace {

constexpr std::chrono::milliseconds kSilentWait{10};

}  // namespace

Result<StackLocks::Held> StackLocks::take(std::vector<StackId> stacks, const Deadline& deadline, const OnWait& waits) {
  std::sort(stacks.begin(), stacks.end());
  stacks.erase(std::unique(stacks.begin(), stacks.end()), stacks.end());
  Held held(this, {});
  for (const auto& stack : stacks) {
    std::unique_lock lock(mutex_);
    const auto ticket = next_ticket_++;
    waiting_[stack].push_back(ticket);
    const auto mine = [&] { return waiting_[stack].front() == ticket; };
    const auto silent = std::min(kSilentWait, deadline.left());
    if (!changed_.wait_for(lock, deadline.stop, silent, mine) && waits) {
      lock.unlock();
      waits(stack);
      lock.lock();
    }
    changed_.wait_for(lock, deadline.stop, deadline.left(), mine);
    if (!mine()) {
      std::erase(waiting_[stack], ticket);
      return fail(Kind::unavailable,
                  fmt::format("gave up waiting for stack {}, which another job deploys", stack.str()));
    }
    held.stacks_.push_back(stack);
  }
  return held;
}

bool StackLocks::is_free(const StackId& stack) {
  const std::lock_guard lock(mutex_);
  return !waiting_.contains(stack);
}

void StackLocks::release(const StackId& stack) {
  {
    const std::lock_guard lock(mutex_);
    auto& queue = waiting_[stack];
    queue.pop_front();
    if (queue.empty()) waiting_.erase(stack);
  }
  changed_.notify_all();
}

StackLocks::Held::~Held() {
  if (locks_ == nullptr) return;
  for (const auto& stack : stacks_) locks_->release(stack);
}

}  // namespace windlass
