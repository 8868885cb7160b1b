#include "jobs/retries.h"

#include <algorithm>

namespace windlass {
namespace {

std::pair<std::string, std::string> key_of(const QueuedJob& job) { return {job.lane, scope_of(job.job.request)}; }

}  // namespace

std::optional<std::chrono::milliseconds> Retries::delay_after(const QueuedJob& failed) const {
  const auto done = static_cast<std::size_t>(failed.retry);
  if (done >= delays_.size()) return std::nullopt;
  return delays_[done];
}

bool Retries::plan(QueuedJobPtr failed, SteadyTime due) {
  const auto key = key_of(*failed);
  if (plans_.size() >= kPlansMax && !plans_.contains(key)) return false;
  change()[key] = {std::move(failed), due};
  return true;
}

QueuedJobPtr Retries::cancel(const QueuedJob& newer) {
  if (plans_.empty()) return nullptr;
  const auto key = key_of(newer);
  if (!plans_.contains(key)) return nullptr;
  return change().extract(key).mapped().failed;
}

std::vector<QueuedJobPtr> Retries::take_due(SteadyTime now) {
  std::vector<QueuedJobPtr> jobs;
  for (const auto& [key, plan] : plans_)
    if (plan.due <= now) jobs.push_back(plan.failed);
  for (const auto& job : jobs) change().erase(key_of(*job));
  std::ranges::sort(jobs, {}, [](const auto& job) { return job->row; });
  return jobs;
}

std::optional<SteadyTime> Retries::next_due() const {
  std::optional<SteadyTime> next;
  for (const auto& [key, plan] : plans_)
    if (!next || plan.due < *next) next = plan.due;
  return next;
}

void Retries::undo() {
  if (before_) plans_ = std::move(*before_);
  before_.reset();
}

Retries::Plans& Retries::change() {
  if (!before_) before_ = plans_;
  return plans_;
}

}  // namespace windlass
