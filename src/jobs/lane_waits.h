// Tells, once, of a job that another job of its lane keeps waiting (webhook/C3).
#pragma once

#include <chrono>
#include <deque>
#include <optional>

#include "base/clock.h"
#include "base/log.h"
#include "jobs/queued_job.h"

namespace windlass {

class LaneWaits {
 public:
  static constexpr std::chrono::milliseconds kSilent{10};  // nobody wants to read of shorter waits

  explicit LaneWaits(Log log) : log_(std::move(log)) {}

  void watch(QueuedJobPtr job, SteadyTime now);
  // When there may be something to tell. Forgets jobs that have begun or were replaced.
  std::optional<SteadyTime> next_due();
  void tell(SteadyTime now);

 private:
  struct Entry {
    QueuedJobPtr job;
    SteadyTime due;
  };
  Log log_;
  std::deque<Entry> entries_;  // by `due`
};

}  // namespace windlass
