// Sigstore bundles (oci 12.2): a signature with everything that proves it, in one JSON document.
//
// Not here: where bundles are kept in a registry (oci/), whether a policy is asked at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/digest.h"
#include "sigstore/trust_policy.h"
#include "sigstore/trusted_root.h"
#include "sigstore/verdict.h"

namespace windlass {

// Whether this bundle makes the artifact `digest` trusted: version 0.3 with an envelope that holds cosign's statement
// about it, judged by every key, then every identity of the policy (B1 to B11). `root` may be null: then nothing that
// needs a log or a certificate passes. Never throws, whatever the bytes are.
Verdict verify_bundle(std::string_view json, const Digest& digest, const TrustPolicy& policy, const TrustedRoot* root,
                      WallTime now);

// What a bundle may be about when it does not come with a container artifact.
struct BundleSubject {
  Digest digest;                    // SHA-256
  std::optional<std::string> file;  // its bytes, when they are at hand: Ed25519 signs those
};

// The same for bundles about any file, as the sigstore-conformance suite has them: also versions 0.1 and 0.2, message
// signatures and any predicate.
Verdict verify_file_bundle(std::string_view json, const BundleSubject& subject, const TrustPolicy& policy,
                           const TrustedRoot* root, WallTime now);

}  // namespace windlass
