#include "sigstore/trust_policy.h"

#include "sigstore/identity.h"
#include "sys/crypto.h"
#include "sys/json.h"

namespace windlass {

std::string name_of(const PublicKey& key) { return "key " + key.fingerprint(); }

std::vector<std::string> rule_names(const TrustPolicy& policy) {
  std::vector<std::string> names;
  for (const auto& key : policy.public_keys) names.push_back(name_of(key));
  for (const auto& identity : policy.keyless_identities) names.push_back(name_of(identity));
  return names;
}

bool has_rules(const TrustPolicy& policy) { return !policy.public_keys.empty() || !policy.keyless_identities.empty(); }

bool needs_trusted_root(const TrustPolicy& policy) {
  return !policy.keyless_identities.empty() || (!policy.public_keys.empty() && !policy.ignore_tlog);
}

std::string policy_hash(const TrustPolicy& policy) {
  json::array keys, identities;
  for (const auto& key : policy.public_keys) keys.emplace_back(key.fingerprint());
  for (const auto& identity : policy.keyless_identities)
    identities.push_back({identity.issuer, identity.subject, identity.subject_regexp});
  return sha256_hex(canonical_json(json::object{{"enabled", policy.enabled},
                                                {"public_keys", std::move(keys)},
                                                {"keyless_identities", std::move(identities)},
                                                {"ignore_tlog", policy.ignore_tlog}}));
}

}  // namespace windlass
