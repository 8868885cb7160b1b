// When a lane whose last job failed by something that passes is tried again (webhook/C11): pure, told the time.
//
// One plan per lane and scope, made of the job that failed; it ends when a newer job of that lane and scope is
// accepted, or when the delays are used up. The state file keeps each plan in the row of the failed run.
// begin(), keep() and undo() as in lanes.h.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "jobs/queued_job.h"

namespace windlass {

class Retries {
 public:
  static constexpr std::size_t kPlansMax = 1000;  // as many as jobs may wait

  explicit Retries(std::vector<std::chrono::milliseconds> delays) : delays_(std::move(delays)) {}

  // How long after the end of this job its retry is due; nothing when it was the last one.
  std::optional<std::chrono::milliseconds> delay_after(const QueuedJob& failed) const;

  // False when there are too many plans already.
  bool plan(QueuedJobPtr failed, SteadyTime due);
  // A newer job of the lane and scope exists: gives the failed job whose plan has ended so, or null.
  QueuedJobPtr cancel(const QueuedJob& newer);
  // The failed jobs whose retry is due; their plans are done.
  std::vector<QueuedJobPtr> take_due(SteadyTime now);
  std::optional<SteadyTime> next_due() const;
  bool empty() const { return plans_.empty(); }

  void begin() { before_.reset(); }
  void keep() { before_.reset(); }
  void undo();

 private:
  struct Plan {
    QueuedJobPtr failed;
    SteadyTime due;
  };
  using Plans = std::map<std::pair<std::string, std::string>, Plan>;  // by lane and scope
  Plans& change();

  std::vector<std::chrono::milliseconds> delays_;
  Plans plans_;
  std::optional<Plans> before_;  // copied at the first change: most transactions change nothing here
};

}  // namespace windlass
