// A job as the queue holds it in memory, from its acceptance until its final state is on disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "jobs/queue.h"
#include "model/job.h"
#include "model/run.h"

namespace windlass {

struct QueuedJob {
  std::int64_t row = 0;    // of its run record; the order of all jobs (reliability/P25)
  std::int64_t place = 0;  // row of the first job that stood in its place of the lane
  bool on_disk = false;
  std::string lane;
  Job job;                  // `attempts` counts the leases so far
  std::string parent;       // the failed job that this one is a retry of
  int retry = 0;            // first, second, … retry of webhook/C11; 0: not a retry
  std::string revision;     // as the handler told it; empty: that of the request
  std::string replaced_by;  // set when a newer job has taken its place
  WallTime created_at;
  std::optional<WallTime> started_at;
  JobQueue::OnFinished finished;
};

// Shared: the writer keeps it in its lane while a worker runs it. After the lease only the worker reads `job`, and
// nobody changes it.
using QueuedJobPtr = std::shared_ptr<QueuedJob>;

// The run record of a job that has ended (webhook 12).
RunRecord record_of(const QueuedJob& queued, const JobOutcome& outcome, WallTime ended_at);

}  // namespace windlass
