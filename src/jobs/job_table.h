// The rows of the state file that hold jobs and their run records: SQL here, decisions elsewhere.
//
// Row ids are given by the caller and rise; they are the order of all jobs. A final state is never changed (api/N6):
// what ends, leases or gives back a job touches unfinished rows only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "jobs/queued_job.h"
#include "sys/sqlite.h"

namespace windlass {

class JobTable {
 public:
  explicit JobTable(Db& db) : db_(db) {}

  // A new job: waiting, or `replaced_by` a newer one before it ever was on disk.
  Status insert(const QueuedJob& job);
  // A run without a job: true if it is new. The second one of an id ends the first if that has not ended yet, else it
  // changes nothing.
  Result<bool> record(std::int64_t row, const RunRecord& record);
  // The waiting job ends as skipped: superseded.
  Status replace(const QueuedJob& job, WallTime now);
  // Of a waiting job that took another one's place after it was on disk.
  Status set_replaced_digests(const QueuedJob& job);
  Status lease(const QueuedJob& job, WallTime now);
  // A running job is accepted again: it was interrupted. A clean stop does not count as an attempt.
  enum class Attempt { counts, does_not_count };
  Status give_back(std::int64_t row, Attempt attempt, WallTime now);
  Status end(const QueuedJob& job, const JobOutcome& outcome, WallTime now, std::optional<WallTime> retry_due);
  Status clear_retry(std::int64_t row);
  Status set_revision(std::int64_t row, std::string_view revision, WallTime now);
  // Writes something without changing anything: does the disk take it?
  Status touch();

  // What the last process left, in order.
  struct Left {
    QueuedJob job;
    RunStatus status = RunStatus::accepted;
    bool is_job = true;                 // false: a run without a job, which others belong to
    std::optional<WallTime> retry_due;  // of a failed run that is to be tried again
  };
  Result<std::vector<Left>> left();
  Result<std::int64_t> last_row();
  Result<std::int64_t> count();

  // Removes finished runs from the old end: up to `count_max` whatever their age, and such of the `look_at` oldest that
  // finished before `finished_before`. Gives how many went.
  Result<std::int64_t> prune(std::int64_t count_max, std::int64_t look_at, WallTime finished_before);

  // Newest first, without those finished before `finished_after`.
  Result<std::vector<RunRecord>> runs(const JobQueue::RunFilter& filter, WallTime finished_after);
  Result<std::optional<RunRecord>> run(const std::string& job_id, WallTime finished_after);

 private:
  Db& db_;
};

// The message of a job whose place was taken (webhook/C8).
std::string superseded_message(std::string_view by_job_id);

}  // namespace windlass
