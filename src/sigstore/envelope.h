// DSSE envelopes and the in-toto statements in them (oci 12.2 B3 to B5).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/digest.h"

namespace windlass {

inline constexpr std::string_view kStatementMediaType = "application/vnd.in-toto+json";
// What cosign states about an image that somebody signed. Other predicates (provenance, a scan) approve of nothing.
inline constexpr std::string_view kCosignPredicate = "https://sigstore.dev/cosign/sign/v1";

struct Envelope {
  std::string payload;  // the statement, as signed
  std::string payload_type;
  std::string signature;  // raw bytes
};

// DSSE's pre-authentication encoding: the bytes that are signed.
std::string pre_authentication_encoding(const Envelope& envelope);

// The statement has the artifact among its subjects, at most 1024, and the predicate ("" for any).
// The detail, or Kind::denied with what was wanted and found.
Result<std::string> check_statement(const Envelope& envelope, const Digest& digest, std::string_view predicate);

}  // namespace windlass
