// The native payload: {"source":"oci","digest":…,"artifact":…} (webhook 6).
#pragma once

#include <string>
#include <string_view>

#include "model/digest.h"
#include "oci/reference.h"

namespace windlass {

struct OciPayload {
  std::string artifact;  // as the sender wrote it, trimmed
  Reference reference;
  Digest digest;
};

// Why a payload is refused, in the words of the answer.
struct PayloadFault {
  std::string error;  // "failed to parse payload" (R12) or "invalid field: <name>" (R14 to R16)
  std::string content;
};

// Fields are judged in the order source, artifact, digest. Unknown fields are passed over, whatever they hold.
tl::expected<OciPayload, PayloadFault> parse_oci_payload(std::string_view body);

}  // namespace windlass
