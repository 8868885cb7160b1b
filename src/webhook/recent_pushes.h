// Pushes whose jobs have not ended: registries tell of one push several times (registry-events 3.10).
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace windlass {

// Of pushes without a digest nothing is kept: of two that only name a tag, the later may mean newer content. From any
// thread.
class RecentPushes {
 public:
  struct Push {
    std::string artifact, digest, target;
    auto operator<=>(const Push&) const = default;
  };

  // The job that deploys the same already.
  std::optional<std::string> job_of(const Push& push) const;
  // Once the job is on disk: a repeat is answered with it, which is a promise.
  void accepted(const Push& push, const std::string& job_id);
  void ended(const std::string& job_id);

 private:
  mutable std::mutex mutex_;
  std::map<Push, std::string> jobs_;  // as many as may wait and run
};

}  // namespace windlass
