// Puts a signature beside an artifact, where cosign looks for it: at the tag sha256-<hex>.sig of its repository
// (cosign SIGNATURE_SPEC.md; oci 12, row C).
#pragma once

#include <optional>
#include <string>

#include "oci/push.h"
#include "sigstore/signing.h"

namespace windlass {

// Signs repository@digest, which must be there, and pushes the signature. Signatures of others stay, and a valid one by
// this key is not put there twice. Two who sign the same artifact at the same moment: one may overwrite the other, a
// registry has no lock for it; both can sign again. Kind::invalid if something else is at the tag.
Status push_signature(Pusher& pusher, const Reference& repository, const Digest& digest, const SigningKey& key,
                      const Deadline& deadline);

}  // namespace windlass
