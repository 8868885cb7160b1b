#include "webhook/recent_pushes.h"

namespace windlass {

std::optional<std::string> RecentPushes::job_of(const Push& push) const {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(push);
  return found == jobs_.end() ? std::nullopt : std::optional(found->second);
}

void RecentPushes::accepted(const Push& push, const std::string& job_id) {
  if (push.digest.empty()) return;
  const std::lock_guard lock(mutex_);
  jobs_.insert_or_assign(push, job_id);
}

void RecentPushes::ended(const std::string& job_id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(jobs_, [&](const auto& entry) { return entry.second == job_id; });
}

}  // namespace windlass
