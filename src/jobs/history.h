// Run records for reading, on a connection of their own: a long list never makes an accept wait.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "jobs/job_table.h"
#include "jobs/queue.h"
#include "sys/sqlite.h"

namespace windlass {

class History {
 public:
  static constexpr std::size_t kKeptMax = 50;  // of each kind

  History(std::unique_ptr<Db> db, const JobQueue::Options& options, const Clock& clock)
      : db_(std::move(db)), table_(*db_), age_max_(options.finished_age_max), clock_(clock) {}

  // A run that the disk would not take is shown from memory, the newest 50 of them (webhook/K6).
  void keep_unwritten(RunRecord record) { keep(unwritten_, std::move(record)); }
  // A run that nobody wants on the disk (api/N5).
  void keep_note(RunRecord record) { keep(notes_, std::move(record)); }

  // Looks that found nothing to do must not push everything else out of a list that asks for no status and no trigger:
  // of each source only the last one with the same message is in it, and they take half of it at most.
  Result<std::vector<RunRecord>> runs(const JobQueue::RunFilter& filter);
  Result<std::optional<RunRecord>> run(const std::string& job_id);

 private:
  using Kept = std::deque<RunRecord>;  // newest first
  void keep(Kept& kept, RunRecord record);
  std::vector<RunRecord> notes_for(const JobQueue::RunFilter& filter) const;

  std::mutex mutex_;
  std::unique_ptr<Db> db_;
  JobTable table_;
  const std::chrono::hours age_max_;
  const Clock& clock_;
  Kept unwritten_;
  Kept notes_;
};

}  // namespace windlass
