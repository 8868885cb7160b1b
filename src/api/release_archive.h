// The releases that the API shows and brings back, and plans of what may come. app/ has them from deploy/ and oci/.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/job.h"
#include "model/plan_report.h"
#include "model/release.h"

namespace windlass {

struct ReleaseArchive {
  virtual ~ReleaseArchive() = default;
  // Newest first, at most `limit`. The newest good one of a stack has its `loop`.
  virtual Result<std::vector<Release>> releases(const ReleaseFilter& filter, std::size_t limit) = 0;
  virtual Result<std::optional<Release>> release(const std::string& id) = 0;
  // What to ask the queue for so that the release comes back. Kind::conflict "release content is gone", or "release was
  // not good".
  virtual Result<JobRequest> rollback_to(const Release& release) = 0;
  // What deploying it would do; nothing is changed. Takes as long as fetching and resolving does. Kind::unavailable
  // also while the service is still starting.
  // `archive`: of a release that is no artifact yet, a tar archive compressed with gzip; "" for none.
  virtual Result<PlanReport> plan(const JobRequest& request, const std::string& archive) = 0;
};

}  // namespace windlass
