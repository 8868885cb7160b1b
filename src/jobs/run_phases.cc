#include "jobs/run_phases.h"

namespace windlass {

void RunPhases::phase_changed(std::string_view job_id, std::string_view stack, std::string_view phase) {
  const std::lock_guard lock(mutex_);
  auto& stacks = phases_[std::string(job_id)];
  if (phase.empty())
    stacks.erase(std::string(stack));
  else
    stacks[std::string(stack)] = phase;
}

void RunPhases::job_ended(const JobRequest&, const RunRecord& record, const JobOutcome&) {
  const std::lock_guard lock(mutex_);
  phases_.erase(record.job_id);
}

std::string RunPhases::of(const std::string& job_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = phases_.find(job_id);
  std::string text;
  if (found == phases_.end()) return text;
  for (const auto& [stack, phase] : found->second) {
    if (!text.empty()) text += "; ";
    text += stack.empty() ? phase : stack + ": " + phase;
  }
  return text;
}

}  // namespace windlass
