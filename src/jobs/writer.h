// The one thread that writes the state file, and with it the only one that changes the picture of the jobs.
//
// Group commit without a timer: whatever came in while the last transaction was being synced is the next one. A single
// request waits for nobody, many at once share one sync.
//
// A disk that refuses is met so: new jobs are refused with the reason, ends of jobs are kept and written again with
// backoff until they are on disk, and a small write now and then finds out when the disk is well (reliability/P24).
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "jobs/books.h"
#include "jobs/history.h"
#include "jobs/lane_waits.h"
#include "jobs/round.h"

namespace windlass {

class Writer {
 public:
  // What starts a leased job.
  using Start = std::function<void(const QueuedJobPtr&)>;

  Writer(Books books, const JobQueue::Options& options, History& history, const Clock& clock, Log log);
  ~Writer();  // writes what is still in, then ends

  void accept(QueuedJobPtr job, JobQueue::OnAccepted done);
  void record(RunRecord record);
  void ended(QueuedJobPtr job, JobOutcome outcome, bool interrupted);
  void tell_revision(QueuedJobPtr job, std::string revision);

  // From now on jobs are leased and started.
  void lease_to(Start start);
  // From now on new jobs are refused and none is leased.
  void close_door();
  // True when nothing runs and all is written.
  bool wait_until_idle(std::chrono::milliseconds at_most);
  // Running jobs stay queued on disk; the stop does not wait for them.
  void give_back_running();

  JobQueue::Load load();
  Status health();

 private:
  void loop();
  std::optional<Inbox> next();
  std::chrono::milliseconds until_next_wake();
  RoundRules rules(const Inbox& work);
  std::int64_t surplus() const;  // finished runs over the bound; negative: so much room
  void write(Inbox work);
  void plan_tidying(const RoundRules& rules, bool was_busy, std::int64_t pruned);
  void disk_is_well();
  void refused(Round& round, const Error& why);

  const JobQueue::Options options_;
  History& history_;
  const Clock& clock_;
  const Log log_;

  // Of the writer's thread only.
  Books books_;
  LaneWaits waits_;
  std::vector<Inbox::Ended> unwritten_ends_;  // refused by the disk so far
  std::optional<SteadyTime> disk_retry_at_;   // set while the disk refuses
  std::chrono::milliseconds disk_backoff_{0};
  SteadyTime prune_at_;

  std::mutex mutex_;
  std::condition_variable came_in_;
  std::condition_variable round_done_;
  Inbox inbox_;
  SteadyTime revisions_due_;  // of those in the inbox
  Start start_;
  bool awake_ = false;  // someone has called: look again
  bool door_open_ = true;
  bool ending_ = false;
  std::optional<SteadyTime> round_began_at_;
  JobQueue::Load load_;  // as the last round left it
  std::string disk_fault_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace windlass
