// Whether a log entry is about this signature and nothing else (oci 12.1 K6, 12.2 B9): without that, any entry of the
// log would do for any signature.
#pragma once

#include <string_view>

#include "base/result.h"
#include "sigstore/log_entry.h"
#include "sigstore/signed_content.h"

namespace windlass {

// Kinds: hashedrekord 0.0.1 and 0.0.2, dsse 0.0.1 and 0.0.2, intoto 0.0.2. `verifier` is the DER of the public key or
// of the certificate that the signature is judged by. Kind::denied with the field that differs.
Status check_entry_body(const LogEntry& entry, const SignedContent& content, std::string_view verifier);

}  // namespace windlass
