// From a leaf certificate up to an authority of the trusted root (oci 12.3 F1).
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "sigstore/certificate.h"
#include "sigstore/trusted_root.h"

namespace windlass {

// The certificate that issued `leaf`: the leaf is for code signing, no authority itself, and a path of certificates of
// the trusted root, all valid at `time`, leads to the anchor of an authority that was in use then. Certificates that
// come with a signature are never part of the path. Kind::denied with what was wanted and found.
Result<Certificate> verify_code_signing_chain(const Certificate& leaf, const TrustedRoot& root, WallTime time);

}  // namespace windlass
