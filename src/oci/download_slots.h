// How many downloads of one registry run at once; the others wait for their turn.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/deadline.h"

namespace windlass {

class DownloadSlots {
 public:
  explicit DownloadSlots(std::size_t most) : free_(most) {}

  // A slot while it lives; none if the deadline came first.
  class Slot {
   public:
    explicit Slot(DownloadSlots* slots) : slots_(slots) {}
    Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    ~Slot() {
      if (slots_) slots_->give_back();
    }
    explicit operator bool() const { return slots_ != nullptr; }

   private:
    DownloadSlots* slots_;
  };

  Slot take(const Deadline& deadline) {
    std::unique_lock lock(mutex_);
    const bool has_one = freed_.wait_for(lock, deadline.stop, deadline.left(), [&] { return free_ > 0; });
    if (!has_one) return Slot(nullptr);
    --free_;
    return Slot(this);
  }

 private:
  void give_back() {
    const std::lock_guard lock(mutex_);
    ++free_;
    freed_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::size_t free_;
};

}  // namespace windlass
