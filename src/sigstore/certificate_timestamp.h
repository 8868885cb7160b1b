// Signed certificate timestamps (RFC 6962, 3.2) embedded in a certificate: a certificate transparency log has seen it
// (oci 12.3 F3).
#pragma once

#include <string>

#include "base/result.h"
#include "sigstore/certificate.h"
#include "sigstore/trusted_root.h"

namespace windlass {

// At least one of the embedded timestamps is by a known log inside its window, over the certificate without its
// timestamps and the key of its issuer. The detail of the one that passed; Kind::denied with the last reason.
Result<std::string> verify_certificate_timestamps(const Certificate& leaf, const Certificate& issuer,
                                                  const TrustedRoot& root);

}  // namespace windlass
