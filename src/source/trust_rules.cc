#include "source/trust_rules.h"

namespace windlass {

void TrustRules::add(const std::string& source_id, const TrustOverride& wanted) {
  if (wanted.empty()) return;
  auto policy = effective_policy(global_, wanted);
  if (policy.enabled) demanded_[source_id].emplace(policy_hash(policy), std::move(policy));
}

std::vector<TrustPolicy> TrustRules::of_artifact(const std::string& source_id, bool has_deployments) const {
  std::vector<TrustPolicy> policies;
  if (global_.enabled) policies.push_back(global_);
  const auto demanded = demanded_.find(source_id);
  if (has_deployments || demanded == demanded_.end()) return policies;
  for (const auto& [hash, policy] : demanded->second) policies.push_back(policy);
  return policies;
}

}  // namespace windlass
