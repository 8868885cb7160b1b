// How many calls may wait for one engine at once. An engine that takes calls and does not answer them would otherwise
// hold every job that asks it, and with them the places of jobs that have nothing to do with it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>

#include "base/deadline.h"
#include "base/result.h"

namespace windlass {

class CallGate {
 public:
  CallGate(std::size_t calls_max, std::chrono::milliseconds patience) : calls_max_(calls_max), patience_(patience) {}

  // One call, as long as it lives.
  class Call {
   public:
    explicit Call(CallGate& gate) : gate_(&gate) {}
    Call(Call&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Call& operator=(Call&&) = delete;
    ~Call();

   private:
    CallGate* gate_;
  };

  // Waits for its turn as long as calls end. Kind::unavailable when none has ended for `patience`, or when the deadline
  // passes.
  Result<Call> enter(const Deadline& deadline);

 private:
  void leave();

  const std::size_t calls_max_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable_any left_;
  std::size_t inside_ = 0;                                // guarded by mutex_
  std::chrono::steady_clock::time_point last_left_at_{};  // guarded by mutex_
};

}  // namespace windlass
