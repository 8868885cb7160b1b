// Which trust policies count for the artifact of a job, before anything of it is fetched (oci 11.3).
//
// A policy must not depend on who triggered the run: what a poll entry demands of an artifact by its inline deployments
// is demanded of a webhook for the same repository too.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/trust_policy.h"

namespace windlass {

class TrustRules {
 public:
  TrustRules() = default;
  explicit TrustRules(TrustPolicy global) : global_(std::move(global)) {}

  // An inline deployment of an operator's poll entry for `source_id` ("host/path") demands this.
  void add(const std::string& source_id, const TrustOverride& wanted);

  // All that must be satisfied, each for itself; none when nothing is demanded. The demands of inline deployments are
  // left out when the job `has_deployments` of its own: they are judged one by one.
  std::vector<TrustPolicy> of_artifact(const std::string& source_id, bool has_deployments) const;
  // Of one deployment of a job.
  TrustPolicy of_deployment(const TrustOverride& wanted) const { return effective_policy(global_, wanted); }

 private:
  TrustPolicy global_;
  std::map<std::string, std::map<std::string, TrustPolicy>> demanded_;  // source id -> policy hash -> policy
};

}  // namespace windlass
