#include "source/trust_rules.h"

#include "config/inline_deployments.h"
#include "config/settings.h"
#include "oci/reference.h"

namespace windlass {

void TrustRules::add(const std::string& source_id, const std::string& deployments,
                     const std::vector<TrustOverride>& wanted) {
  bool all_have_rules = true;
  for (const auto& override : wanted) {
    auto policy = effective_policy(global_, override);
    all_have_rules = all_have_rules && policy.enabled && has_rules(policy);
    if (!override.empty() && policy.enabled) demanded_[source_id].emplace(policy_hash(policy), std::move(policy));
  }
  configured_[source_id][deployments] = all_have_rules;
}

std::vector<TrustPolicy> TrustRules::of_artifact(const std::string& source_id, std::string_view deployments) const {
  const auto demanded = demanded_.find(source_id);
  if (demanded == demanded_.end()) return global_.enabled ? std::vector{global_} : std::vector<TrustPolicy>();
  const auto& configured = configured_.at(source_id);
  const auto found = configured.find(deployments);
  const bool others_give_rules = found == configured.end() || found->second;
  std::vector<TrustPolicy> policies;
  if (global_.enabled && (has_rules(global_) || !others_give_rules)) policies.push_back(global_);
  if (found == configured.end())
    for (const auto& [hash, policy] : demanded->second) policies.push_back(policy);
  return policies;
}

Result<TrustRules> trust_rules(const Settings& settings) {
  TrustRules rules(settings.oci_trust_policy);
  for (const auto& poll : settings.polls) {
    if (poll.deployments.empty()) continue;
    const auto reference = Reference::parse(poll.url);
    if (!reference) return tl::unexpected(reference.error());
    const auto configs = read_inline_deployments(poll.deployments);
    if (!configs) return tl::unexpected(configs.error());
    std::vector<TrustOverride> wanted;
    for (const auto& stack : configs->stacks) wanted.push_back(stack.trust);
    rules.add(reference->source_id(), poll.deployments, wanted);
  }
  return rules;
}

}  // namespace windlass
