// Which trust policies count for the artifact of a job, before anything of it is fetched (oci 11.3).
//
// A policy must not depend on who triggered the run: what a poll entry demands of an artifact by its inline deployments
// is demanded of a webhook for the same repository too, and of whatever has other deployments than a poll entry has
// now: a release that comes back, a job from before the settings changed, a run that the API was asked for.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/trust_policy.h"

namespace windlass {

struct Settings;  // config/settings.h

class TrustRules {
 public:
  TrustRules() = default;
  explicit TrustRules(TrustPolicy global) : global_(std::move(global)) {}

  // An operator's poll entry for `source_id` ("host/path") has these inline deployments (JobRequest::deployments),
  // which demand that.
  void add(const std::string& source_id, const std::string& deployments, const std::vector<TrustOverride>& wanted);

  // All that must be satisfied, each for itself; none when nothing is demanded. Only of a job with the very deployments
  // of a poll entry the demands of inline deployments are left out: they are judged one by one. A global policy that is
  // enabled and has no rules of its own counts where inline deployments give none either (oci 11.1): nothing passes it.
  std::vector<TrustPolicy> of_artifact(const std::string& source_id, std::string_view deployments) const;
  // Of one deployment of a job.
  TrustPolicy of_deployment(const TrustOverride& wanted) const { return effective_policy(global_, wanted); }

 private:
  TrustPolicy global_;
  std::map<std::string, std::map<std::string, TrustPolicy>> demanded_;  // source id -> policy hash -> policy
  // Source id -> deployments of its poll entries -> each of these has rules to be judged by.
  std::map<std::string, std::map<std::string, bool, std::less<>>> configured_;
};

// Those of the service, and of whoever says what it would do.
Result<TrustRules> trust_rules(const Settings& settings);

}  // namespace windlass
