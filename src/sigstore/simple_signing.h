// Cosign's classic signatures (oci 12.1): a JSON payload that names a manifest digest, signed as bytes, with everything
// else in the annotations of its layer.
//
// Not here: where signatures are kept in a registry (oci/), whether a policy is asked at all.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/digest.h"
#include "sigstore/trust_policy.h"
#include "sigstore/verdict.h"

namespace windlass {

class TrustedRoot;

inline constexpr std::string_view kSimpleSigningMediaType = "application/vnd.dev.cosign.simplesigning.v1+json";
inline constexpr std::string_view kSignatureAnnotation = "dev.cosignproject.cosign/signature";  // standard base64
inline constexpr std::size_t kSimplePayloadBytesMax = 1u << 20;                                 // K1; real ones: 250 B

// One layer of a signature manifest. The payload's bytes have been checked against the layer's digest.
struct SimpleSignature {
  std::string payload;
  std::map<std::string, std::string> annotations;
  std::string media_type;
};

// Whether this signature makes the artifact `digest` trusted: K1 to K9 for every key, then every identity of the
// policy. `root` may be null: then nothing that needs a log or a certificate passes. Never throws, whatever the bytes
// are.
Verdict verify_simple_signature(const SimpleSignature& signature, const Digest& digest, const TrustPolicy& policy,
                                const TrustedRoot* root, WallTime now);

// The payload to sign for an artifact, byte for byte as cosign writes it. `reference` is informational.
std::string simple_signing_payload(std::string_view reference, const Digest& digest);

}  // namespace windlass
