#include "webhook/recent_pushes.h"

namespace windlass {

std::optional<std::string> RecentPushes::job_of(const std::string& artifact, const std::string& digest,
                                                const std::string& target, const std::string& job_id) {
  if (digest.empty()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = jobs_.try_emplace(artifact + " " + digest + " " + target, job_id);
  return is_new ? std::nullopt : std::optional(place->second);
}

void RecentPushes::ended(const std::string& job_id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(jobs_, [&](const auto& entry) { return entry.second == job_id; });
}

}  // namespace windlass
