// Who may run, who waits, who is replaced: the picture of all unfinished jobs, without disk, clock or threads.
//
// One lane per source and ref (webhook/C1). A lane runs one job at a time and its waiting jobs in order; at most one of
// them per target and inline deployments (C4): a newer one takes the place of the older, and its digests (C8). It takes
// the *place*, not the end of the line: else a target that is pushed faster than its lane deploys would never come to
// the front.
//
// begin() to keep() or undo() is one transaction: what the disk refused has never happened.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "jobs/queued_job.h"

namespace windlass {

class Lanes {
 public:
  static constexpr std::size_t kReplacedDigestsMax = 64;  // webhook/C8: pushes do not outrun a lane by more

  explicit Lanes(std::size_t waiting_max) : waiting_max_(waiting_max) {}

  struct Offer {
    bool taken = false;     // false: as many jobs wait as may
    QueuedJobPtr replaced;  // the waiting job whose place this one took, if any
  };
  // Lets the job wait. Taking a place is never refused (reliability 2).
  Offer offer(const QueuedJobPtr& job);
  // As offer(), for jobs of an earlier life: they were promised already, so no bound.
  QueuedJobPtr restore(const QueuedJobPtr& job);

  // Makes jobs run until `running_max` do: of each lane that runs none its first, oldest places first.
  std::vector<QueuedJobPtr> lease(std::size_t running_max);
  // The lane's running job has ended.
  void end(const std::string& lane);

  bool waits(const std::string& lane, const JobRequest& request) const;  // a job of that scope
  // Does a job of the lane run?
  bool runs(const std::string& lane) const;
  std::vector<QueuedJobPtr> running() const;
  std::size_t waiting_count() const { return now_.waiting; }
  std::size_t running_count() const { return now_.running; }

  void begin();
  void keep();
  void undo();

 private:
  struct Lane {
    QueuedJobPtr running;
    std::vector<QueuedJobPtr> waiting;
  };
  struct Counts {
    std::size_t waiting = 0;
    std::size_t running = 0;
  };
  // The lane to change; how it was is remembered once per transaction.
  Lane& change(const std::string& name);
  void forget_if_empty(const std::string& name);

  std::size_t waiting_max_;
  std::unordered_map<std::string, Lane> lanes_;
  std::unordered_map<std::string, Lane> before_;
  Counts now_, counts_before_;
  bool in_transaction_ = false;
};

}  // namespace windlass
