#include "jobs/lane_waits.h"

#include <utility>

namespace windlass {
namespace {

bool still_waits(const QueuedJob& job) { return job.replaced_by.empty() && !job.started_at; }

}  // namespace

void LaneWaits::watch(QueuedJobPtr job, SteadyTime now) { entries_.push_back({std::move(job), now + kSilent}); }

std::optional<SteadyTime> LaneWaits::next_due() {
  while (!entries_.empty() && !still_waits(*entries_.front().job)) entries_.pop_front();
  if (entries_.empty()) return std::nullopt;
  return entries_.front().due;
}

void LaneWaits::tell(SteadyTime now) {
  for (auto due = next_due(); due && *due <= now; due = next_due()) {
    const auto& queued = *entries_.front().job;
    const auto& request = queued.job.request;
    log_.info(request.trigger == Trigger::webhook ? "waiting for webhook artifact lock" : "waiting for artifact lock",
              {{"job_id", queued.job.id}, {"artifact", request.artifact}, {"target", request.target}});
    entries_.pop_front();
  }
}

}  // namespace windlass
