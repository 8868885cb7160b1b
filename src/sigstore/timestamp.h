// RFC 3161 timestamps: when a signature existed, by the word of a timestamp authority (oci 12.2 B10).
#pragma once

#include <cstddef>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "sigstore/trusted_root.h"

namespace windlass {

inline constexpr std::size_t kTimestampBytesMax = 64u << 10;  // real ones: 0.7 to 5 KB

// The time in a timestamp response (DER) over the bytes of `signature`, by an authority of the trusted root that was in
// use then and whose certificates were all valid then. Certificates inside the response help nobody to be trusted.
// Kind::denied with what was wanted and found.
Result<WallTime> verify_timestamp(std::string_view response, std::string_view signature, const TrustedRoot& root);

}  // namespace windlass
