// One round of the writer: all that has come in, as one transaction.
//
// write() changes the books in memory and on disk together, or neither: what the disk refuses has never happened. Only
// after a commit is anybody told: announce(). After a failure refuse() tells the senders.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "jobs/books.h"
#include "jobs/queue.h"

namespace windlass {

// What waits for the writer.
struct Inbox {
  struct NewJob {
    QueuedJobPtr job;
    JobQueue::OnAccepted done;
    std::optional<JobQueue::Refusal> refusal;
  };
  struct Ended {
    QueuedJobPtr job;
    JobOutcome outcome;
    bool interrupted = false;  // by a stop: it stays queued
    WallTime at;
  };
  struct Revision {
    QueuedJobPtr job;
    std::string text;
  };
  std::vector<NewJob> jobs;
  std::vector<Ended> ended;
  std::vector<Revision> revisions;
  std::vector<RunRecord> records;
  bool give_back_running = false;  // the stop does not wait for them any more

  // Somebody waits for it.
  bool is_urgent() const { return !jobs.empty() || !ended.empty() || !records.empty() || give_back_running; }
  bool empty() const { return !is_urgent() && revisions.empty(); }
};

// What a round may do, decided before it begins.
struct RoundRules {
  WallTime now;
  SteadyTime steady_now;
  bool door_open = true;           // false: no new jobs, none starts (webhook/K4)
  std::size_t running_max = 0;     // 0 until the workers are there
  bool probe = false;              // write something, to see whether the disk takes it again
  std::int64_t prune_count = 0;    // finished runs over the bound that go now
  std::int64_t prune_look_at = 0;  // oldest finished runs whose age is looked at
  WallTime finished_before;        // older than this is too old
};

class Round {
 public:
  Round(Books& books, const RoundRules& rules, Observer& observer, const Log& log, Inbox work)
      : books_(books), rules_(rules), observer_(observer), log_(log), work_(std::move(work)) {}

  Status write();
  // Calls back, and gives the jobs that are leased now: they may start.
  std::vector<QueuedJobPtr> announce();
  // After announce(): new jobs that another job of their lane keeps waiting.
  std::vector<QueuedJobPtr> behind_others() const;
  void refuse(const Error& why);

  const Inbox& work() const { return work_; }
  // After refuse(): ends of jobs, which must come in again.
  std::vector<Inbox::Ended> take_ended() { return std::move(work_.ended); }
  std::vector<RunRecord> take_records() { return std::move(work_.records); }
  std::int64_t pruned() const { return pruned_; }

 private:
  Status write_all();
  bool only_ends_what_did_nothing() const;
  void tell(const JobQueue::OnAccepted& listener, const JobQueue::Accepted& accepted) const;
  void tell_end(const QueuedJob& job, const JobOutcome& outcome, WallTime at) const;
  Status end_job(const Inbox::Ended& ended);
  Status take_in(const QueuedJobPtr& job, std::optional<JobQueue::Refusal>& refusal);
  Status try_again();
  Status insert_new_jobs();
  Status lease_jobs();
  Status give_back_running();
  Status prune();

  Books& books_;
  RoundRules rules_;
  Observer& observer_;
  const Log& log_;
  Inbox work_;
  std::vector<QueuedJobPtr> new_;       // to be inserted
  std::vector<QueuedJobPtr> replaced_;  // skipped in this round
  std::vector<QueuedJobPtr> leased_;
  std::int64_t new_records_ = 0;
  std::int64_t pruned_ = 0;
};

}  // namespace windlass
