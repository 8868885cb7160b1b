#include <algorithm>

#include "jobs/books.h"

namespace windlass {
namespace {

// Waits are by the steady clock; the date in the file is only trusted within the delay that was meant.
SteadyTime due_of(const JobTable::Left& left, const Retries& retries, const Clock& clock) {
  const auto longest = retries.delay_after(left.job).value_or(std::chrono::milliseconds(0));
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(*left.retry_due - clock.now());
  return clock.steady_now() + std::clamp(rest, std::chrono::milliseconds(0), longest);
}

JobOutcome interrupted() { return JobOutcome::failed(FailedStep::interrupted, "interrupted by restart"); }

// Two jobs of one target may be left, one that ran and one that waited: the newer takes the place, as ever.
Status wait_again(Books& books, const QueuedJobPtr& job, WallTime now) {
  const auto replaced = books.lanes.restore(job);
  if (!replaced) return {};
  replaced->replaced_by = job->job.id;
  if (auto done = books.table.replace(*replaced, now); !done) return done;
  return books.table.set_replaced_digests(*job);  // what was replaced must not come again after yet another restart
}

// Jobs that are out of attempts are added to `failed`.
Status take_back_one(Books& books, const JobTable::Left& left, const JobQueue::Options& options, const Clock& clock,
                     std::vector<QueuedJobPtr>& failed) {
  const auto now = clock.now();
  const auto job = std::make_shared<QueuedJob>(left.job);
  if (!left.is_job)
    return books.table.end(*job, JobOutcome::failed(FailedStep::interrupted, "interrupted by restart, its jobs go on"),
                           now, std::nullopt);
  if (is_final(left.status)) {
    books.retries.plan(job, due_of(left, books.retries, clock));
    return {};
  }
  if (left.status == RunStatus::running) {
    if (job->job.attempts >= options.attempts_max) {
      failed.push_back(job);
      return books.table.end(*job, interrupted(), now, std::nullopt);
    }
    if (auto given = books.table.give_back(job->row, JobTable::Attempt::counts, now); !given) return given;
  }
  return wait_again(books, job, now);
}

}  // namespace

Status take_back(Books& books, const JobQueue::Options& options, const Clock& clock, const Log& log) {
  const auto last_row = books.table.last_row();
  if (!last_row) return tl::unexpected(last_row.error());
  books.last_row = *last_row;
  const auto left = books.table.left();
  if (!left) return tl::unexpected(left.error());
  if (left->empty()) return {};

  auto transaction = Transaction::begin(*books.db);
  if (!transaction) return tl::unexpected(transaction.error());
  std::vector<QueuedJobPtr> failed;
  for (const auto& one : *left)
    if (auto taken = take_back_one(books, one, options, clock, failed); !taken) return taken;
  if (auto committed = transaction->commit(); !committed) return committed;
  for (const auto& job : failed) {
    log.error("job interrupted by restart too often", {{"job_id", job->job.id}, {"attempts", job->job.attempts}});
    options.observer->job_ended(job->job.request, record_of(*job, interrupted(), clock.now()), interrupted());
  }
  if (books.lanes.waiting_count() > 0) log.info("jobs taken back", {{"waiting", books.lanes.waiting_count()}});
  return {};
}

}  // namespace windlass
