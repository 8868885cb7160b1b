// Who may deploy now: one job at a time per stack of an engine (deploy 11, webhook/C7).
//
// Every wait has the job's deadline (K6). Of those who wait for one stack, the first who came has it next.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "model/stack_id.h"

namespace windlass {

class StackLocks {
 public:
  // Holds the stacks until it goes.
  class Held {
   public:
    Held(Held&& other) noexcept : locks_(std::exchange(other.locks_, nullptr)), stacks_(std::move(other.stacks_)) {}
    Held& operator=(Held&&) = delete;
    ~Held();
    const std::vector<StackId>& stacks() const { return stacks_; }

   private:
    friend class StackLocks;
    Held(StackLocks* locks, std::vector<StackId> stacks) : locks_(locks), stacks_(std::move(stacks)) {}
    StackLocks* locks_;
    std::vector<StackId> stacks_;
  };

  // Hears, once, of a stack that was not free within 10 ms (webhook/C3).
  using OnWait = std::function<void(const StackId& stack)>;

  // All of them, taken in order of name (K5). Kind::unavailable, naming the stack, when the deadline passes first.
  Result<Held> take(std::vector<StackId> stacks, const Deadline& deadline, const OnWait& waits = {});

  bool is_free(const StackId& stack);

 private:
  void release(const StackId& stack);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<StackId, std::deque<std::uint64_t>> waiting_;  // stack -> tickets, the first one holds it
  std::uint64_t next_ticket_ = 0;
};

}  // namespace windlass
