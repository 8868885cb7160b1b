// What happened to containers and is not answered yet.
//
// Nothing is lost because something else is being done: what happens to a stack that is being deployed, or of which
// something is being answered, waits here until that has ended. Of one stack one thing is given out at a time. Whether
// it is still so is for who takes it out (still_so.h).
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "deploy/stack_locks.h"
#include "reconcile/occurrence.h"

namespace windlass {

class Backlog {
 public:
  // Events of one container are few; a storm of them is no reason to fill the memory.
  static constexpr std::size_t kKeptMax = 4096;

  struct Entry {
    Occurrence occurrence;
    int failures = 0;  // to answer it
    SteadyTime due{};
  };

  // `look_again`: so often stacks are looked at that somebody deploys.
  Backlog(StackLocks& locks, const Clock& clock, std::chrono::milliseconds look_again)
      : locks_(locks), clock_(clock), look_again_(look_again) {}

  // To be given out in `after` from now, or later. The same event of the same container is kept once. False: full.
  bool add(Entry entry, std::chrono::milliseconds after);

  // Waits for what is due, of a stack that nobody deploys and of which nothing else is given out; done() must follow.
  // Nothing: the stop came.
  std::optional<Entry> next(std::stop_token stop);
  void done(const StackId& stack);

 private:
  std::optional<Entry> take(SteadyTime now);
  std::optional<std::chrono::milliseconds> time_to_next(SteadyTime now) const;

  StackLocks& locks_;
  const Clock& clock_;
  const std::chrono::milliseconds look_again_;

  std::mutex mutex_;  // of what follows
  std::condition_variable_any changed_;
  std::uint64_t changes_ = 0;
  std::list<Entry> kept_;   // in the order in which it happened
  std::set<StackId> busy_;  // stacks of which something is given out
};

}  // namespace windlass
