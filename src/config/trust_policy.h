// Trust policies as an operator writes them: OCI_TRUST_POLICY, and the key `oci` of an inline deployment
// (oci 11.1, 11.2, 11.5).
//
// Strict in every case: an unknown key, a key that cannot be read or an identity that would let anybody pass is a
// fault, never a policy that is weaker than it looks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml.h"
#include "sigstore/trust_policy.h"
#include "sys/json.h"

namespace windlass {

// What one deployment asks for beside the global policy.
struct TrustOverride {
  std::optional<bool> verify;
  std::vector<PublicKey> public_keys;
  std::vector<KeylessIdentity> keyless_identities;
  std::optional<bool> ignore_tlog;

  bool empty() const;
};

// What goes wrong is added to `faults`, what is only doubtful to `warnings`; each names file, line and key:
// "OCI_TRUST_POLICY:3: public_keys: item 1: …".
struct TrustNotes {
  std::vector<std::string>& faults;
  std::vector<std::string>& warnings;
};

struct GlobalTrust {
  TrustPolicy policy;
  bool verify_includes = true;  // compose's oci:// includes, as long as the policy is enabled (oci 11.3)
};

// The whole text of OCI_TRUST_POLICY; blank text is a policy that is not enabled. `file` is how messages name it.
GlobalTrust parse_trust_policy(std::string_view text, std::string_view file, const TrustNotes& notes);
TrustOverride decode_trust_override(const YamlNode& node, std::string_view file, const TrustNotes& notes);
// As it could have been written: decoded again it is the same.
json::object to_json(const TrustOverride& wanted);

// What counts for one deployment: it can switch verification on but not off, each list of its own takes the place of
// the global one, and the log check of an enabled global policy stays (oci 11.2).
TrustPolicy effective_policy(const TrustPolicy& global, const TrustOverride& wanted);

}  // namespace windlass
