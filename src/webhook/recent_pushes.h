// Pushes whose jobs have not ended: registries tell of one push several times (registry-events 3.10).
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace windlass {

// From any thread.
class RecentPushes {
 public:
  // The job that deploys the same already; nothing: from now on `job_id` does. Only pushes with a digest are alike: of
  // two that only name a tag, the later may mean newer content.
  std::optional<std::string> job_of(const std::string& artifact, const std::string& digest, const std::string& target,
                                    const std::string& job_id);
  void ended(const std::string& job_id);

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> jobs_;  // push -> job; as many as may wait and run
};

}  // namespace windlass
