// What an operator trusts (oci 11.1): keys and identities, any one of which is enough.
#pragma once

#include <string>
#include <vector>

#include "sigstore/public_key.h"

namespace windlass {

// Who a Fulcio certificate must have been issued to (oci 11.5). `issuer` and exactly one of the other two are set.
struct KeylessIdentity {
  std::string issuer;          // of the OIDC token, exact
  std::string subject;         // one SAN of the certificate, exact
  std::string subject_regexp;  // RE2, searched for anywhere in the SAN: only ^ and $ anchor it
};

struct TrustPolicy {
  bool enabled = false;
  std::vector<PublicKey> public_keys;               // tried first
  std::vector<KeylessIdentity> keyless_identities;  // need a TrustedRoot
  bool ignore_tlog = false;                         // the transparency log is not asked for; SCTs still are (F3)
};

// "key SHA256:…": how verdicts name the rule.
std::string name_of(const PublicKey& key);
// The names of all rules in the order in which they are tried.
std::vector<std::string> rule_names(const TrustPolicy& policy);

bool has_rules(const TrustPolicy& policy);
// Certificates and log entries are judged by a trusted root; keys alone with ignore_tlog are not (oci 11.6).
bool needs_trusted_root(const TrustPolicy& policy);
// Equal policies have equal hashes: 64 hexadecimal digits.
std::string policy_hash(const TrustPolicy& policy);

}  // namespace windlass
