#include "jobs/round.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/crash_point.h"
#include "base/recover.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

// A due retry that finds the queue full comes again so much later.
constexpr std::chrono::minutes kFullQueueDelay{1};

// The job that tries a failed one again: the same request under a new id (webhook/C11).
QueuedJobPtr retry_of(const QueuedJob& failed) {
  auto job = std::make_shared<QueuedJob>();
  job->lane = failed.lane;
  job->job = failed.job;
  job->job.id = new_uuid_v7();
  job->job.attempts = 0;
  const auto& request = job->job.request;
  if (!is_rollback(request) && !is_repair(request)) job->job.request.cause = kRetryCause;  // those stay what they are
  job->parent = failed.job.id;
  job->retry = failed.retry + 1;
  return job;
}

}  // namespace

Status Round::write() {
  books_.lanes.begin();
  books_.retries.begin();
  Status written;
  try {
    written = write_all();
  } catch (const std::exception& error) {  // out of memory: as if the disk had refused it
    written = fail(Kind::unavailable, error.what());
  }
  if (written) {
    books_.lanes.keep();
    books_.retries.keep();
  } else {
    books_.lanes.undo();
    books_.retries.undo();
  }
  return written;
}

Status Round::write_all() {
  auto transaction = Transaction::begin(*books_.db, only_ends_what_did_nothing() ? Flush::no : Flush::yes);
  if (!transaction) return tl::unexpected(transaction.error());
  for (const auto& [job, text] : work_.revisions) {
    job->revision = text;
    if (auto done = books_.table.set_revision(job->row, text, rules_.now); !done) return done;
  }
  for (const auto& ended : work_.ended)
    if (auto done = end_job(ended); !done) return done;
  for (const auto& record : work_.records) {
    const auto added = books_.table.record(++books_.last_row, record);
    if (!added) return tl::unexpected(added.error());
    new_records_ += *added ? 1 : 0;
  }
  for (auto& [job, done, refusal] : work_.jobs)
    if (auto taken = take_in(job, refusal); !taken) return taken;
  if (auto done = try_again(); !done) return done;
  if (auto done = insert_new_jobs(); !done) return done;
  if (auto done = lease_jobs(); !done) return done;
  if (auto done = give_back_running(); !done) return done;
  if (auto done = prune(); !done) return done;
  if (rules_.probe) {
    if (auto done = books_.table.touch(); !done) return done;
  }
  if (!work_.jobs.empty()) crash_point("accept.before_commit");
  return transaction->commit();
}

// Nobody is promised anything by it: after a power failure the job is found unfinished, and does nothing again.
bool Round::only_ends_what_did_nothing() const {
  const bool is_more = !work_.jobs.empty() || !work_.records.empty() || work_.give_back_running || rules_.probe ||
                       rules_.prune_count > 0 || rules_.prune_look_at > 0 || !books_.retries.empty() ||
                       books_.lanes.waiting_count() > 0;
  return !is_more && std::ranges::all_of(work_.ended, [](const Inbox::Ended& ended) {
    return ended.outcome.status == RunStatus::skipped && !ended.interrupted;
  });
}

Status Round::end_job(const Inbox::Ended& ended) {
  const auto& job = ended.job;
  books_.lanes.end(job->lane);
  if (ended.interrupted) return books_.table.give_back(job->row, JobTable::Attempt::does_not_count, rules_.now);

  std::optional<WallTime> retry_due;
  const bool worth_it = ended.outcome.status == RunStatus::failed && ended.outcome.passing_fault &&
                        !books_.lanes.waits(job->lane, job->job.request);
  if (const auto delay = books_.retries.delay_after(*job); worth_it && delay)
    if (books_.retries.plan(job, rules_.steady_now + *delay)) retry_due = rules_.now + *delay;
  return books_.table.end(*job, ended.outcome, ended.at, retry_due);
}

Status Round::take_in(const QueuedJobPtr& job, std::optional<JobQueue::Refusal>& refusal) {
  if (!rules_.door_open) {
    refusal = JobQueue::Refusal::stopping;
    return {};
  }
  job->row = ++books_.last_row;
  job->created_at = rules_.now;
  const auto [taken, replaced] = books_.lanes.offer(job);
  if (!taken) {
    refusal = JobQueue::Refusal::full;
    return {};
  }
  new_.push_back(job);
  if (replaced) {
    replaced->replaced_by = job->job.id;
    replaced_.push_back(replaced);
    if (replaced->on_disk) return books_.table.replace(*replaced, rules_.now);
  }
  if (const auto failed = books_.retries.cancel(*job)) return books_.table.clear_retry(failed->row);
  return {};
}

Status Round::try_again() {
  if (books_.retries.empty() || !rules_.door_open) return {};
  for (const auto& failed : books_.retries.take_due(rules_.steady_now)) {
    const auto job = retry_of(*failed);
    std::optional<JobQueue::Refusal> refusal;
    if (auto taken = take_in(job, refusal); !taken) return taken;
    if (refusal) {
      books_.retries.plan(failed, rules_.steady_now + kFullQueueDelay);
      continue;
    }
    if (auto cleared = books_.table.clear_retry(failed->row); !cleared) return cleared;
    log_.info("trying a failed job again", {{"job_id", job->job.id}, {"parent", job->parent}, {"retry", job->retry}});
  }
  return {};
}

// After all of them are taken in: one that was replaced meanwhile is written once, as skipped.
Status Round::insert_new_jobs() {
  for (const auto& job : new_)
    if (auto inserted = books_.table.insert(*job); !inserted) return inserted;
  return {};
}

Status Round::lease_jobs() {
  if (!rules_.door_open) return {};
  leased_ = books_.lanes.lease(rules_.running_max);
  for (const auto& job : leased_)
    if (auto leased = books_.table.lease(*job, rules_.now); !leased) return leased;
  return {};
}

Status Round::give_back_running() {
  if (!work_.give_back_running) return {};
  for (const auto& job : books_.lanes.running())
    if (auto given = books_.table.give_back(job->row, JobTable::Attempt::does_not_count, rules_.now); !given)
      return given;
  return {};
}

Status Round::prune() {
  if (rules_.prune_count <= 0 && rules_.prune_look_at <= 0) return {};
  const auto gone = books_.table.prune(rules_.prune_count, rules_.prune_look_at, rules_.finished_before);
  if (!gone) return tl::unexpected(gone.error());
  pruned_ = *gone;
  return {};
}

std::vector<QueuedJobPtr> Round::announce() {
  if (!work_.jobs.empty()) crash_point("accept.after_commit");
  books_.rows += static_cast<std::int64_t>(new_.size()) + new_records_ - pruned_;
  for (const auto& job : new_) job->on_disk = true;
  for (const auto& [job, done, refusal] : work_.jobs)
    if (done) tell(done, {.job_id = job->job.id, .refusal = refusal, .reason = {}});
  for (const auto& job : replaced_)
    tell_end(*job, JobOutcome::skipped(superseded_message(job->replaced_by)), rules_.now);
  for (const auto& ended : work_.ended) {
    if (!ended.interrupted) tell_end(*ended.job, ended.outcome, ended.at);
    ended.job->finished = nullptr;  // a job that is to be tried again stays in memory
  }
  for (const auto& job : leased_) {
    ++job->job.attempts;
    if (!job->started_at) job->started_at = rules_.now;
  }
  if (!leased_.empty()) crash_point("job.leased");
  return std::move(leased_);
}

std::vector<QueuedJobPtr> Round::behind_others() const {
  std::vector<QueuedJobPtr> jobs;
  for (const auto& job : new_)
    if (job->replaced_by.empty() && !job->started_at && books_.lanes.runs(job->lane)) jobs.push_back(job);
  return jobs;
}

void Round::refuse(const Error& why) {
  for (const auto& job : replaced_) job->replaced_by.clear();
  for (const auto& [job, done, refusal] : work_.jobs) {
    if (!done) continue;
    if (refusal)
      tell(done, {.job_id = job->job.id, .refusal = refusal, .reason = {}});
    else
      tell(done, {.job_id = job->job.id, .refusal = JobQueue::Refusal::cannot_persist, .reason = why.message});
  }
}

// What a listener throws must not cost the others, nor the jobs that are leased by now.
void Round::tell(const JobQueue::OnAccepted& listener, const JobQueue::Accepted& accepted) const {
  recovered(log_, "telling of a job", [&] { listener(accepted); });
}

void Round::tell_end(const QueuedJob& job, const JobOutcome& outcome, WallTime at) const {
  recovered(log_, "telling of a job", [&] {
    const auto record = record_of(job, outcome, at);
    observer_.job_ended(job.job.request, record, outcome);
    if (job.finished) job.finished(record, outcome);
  });
}

}  // namespace windlass
