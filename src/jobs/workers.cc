#include "jobs/workers.h"

#include <exception>
#include <system_error>
#include <utility>

namespace windlass {

Workers::Workers(JobHandler handler, Events events, Options options, Log log)
    : handler_(std::move(handler)), events_(std::move(events)), options_(options), log_(std::move(log)) {}

Workers::~Workers() {
  ask_to_stop();
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.thread.join();
}

void Workers::start(const QueuedJobPtr& job) {
  {
    const std::lock_guard lock(mutex_);
    reap();
    if (to_start_.size() < idle_ || make_thread()) {
      to_start_.push_back(job);
      wake_.notify_one();
      return;
    }
  }
  events_.ended(job, JobOutcome::failed(FailedStep::internal, "no thread to be had for the job", true), false);
}

std::size_t Workers::threads() {
  const std::lock_guard lock(mutex_);
  reap();
  return threads_.size();
}

bool Workers::make_thread() {
  auto& entry = threads_.emplace_back();
  try {
    entry.thread = std::thread([this, &entry] { work(entry); });
  } catch (const std::system_error& error) {  // the machine is out of processes
    threads_.pop_back();
    log_.error("no thread for a job", {{"error", error.what()}});
    return false;
  }
  ++idle_;  // until it takes the job it was made for
  return true;
}

// Threads that ended by themselves have left the lock for good: joining them waits for nothing.
void Workers::reap() {
  threads_.remove_if([](Thread& entry) {
    if (entry.ended) entry.thread.join();
    return entry.ended;
  });
}

void Workers::work(Thread& self) {
  while (const auto job = next(self)) {
    auto outcome = run(job);
    const bool interrupted = outcome.status == RunStatus::failed && stop_.stop_requested();
    {
      const std::lock_guard lock(mutex_);
      ++idle_;  // before the end is told: the next job of the lane finds this thread
    }
    events_.ended(job, std::move(outcome), interrupted);
  }
}

// Counts as idle when called; null: this thread ends.
QueuedJobPtr Workers::next(Thread& self) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, options_.idle_max, [this] { return !to_start_.empty() || ending_; });
  --idle_;
  if (to_start_.empty()) {
    self.ended = true;
    return nullptr;
  }
  auto job = std::move(to_start_.front());
  to_start_.pop_front();
  return job;
}

JobOutcome Workers::run(const QueuedJobPtr& job) {
  const JobProgress progress{[&](std::string revision) { events_.revision(job, std::move(revision)); }};
  std::string fault = "unknown exception";
  try {
    return handler_(job->job, progress, Deadline::in(options_.job_timeout, stop_.get_token()));
  } catch (const std::exception& exception) {  // a bug; it costs this job, not the service
    fault = exception.what();
  } catch (...) {
  }
  log_.error("job ended by an exception", {{"job_id", job->job.id}, {"error", fault}});
  return JobOutcome::failed(FailedStep::internal, "see log for job " + job->job.id);
}

}  // namespace windlass
