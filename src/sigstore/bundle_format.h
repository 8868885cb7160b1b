// The JSON of a Sigstore bundle taken apart (oci 12.2 B1 to B3, B6). Nothing in it is proven by reading it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sigstore/certificate.h"
#include "sigstore/envelope.h"
#include "sigstore/log_entry.h"

namespace windlass {

struct MessageSignature {
  std::string sha256;     // of the message, raw bytes; "" when the bundle does not say
  std::string signature;  // raw bytes
};

struct Bundle {
  static constexpr std::size_t kBytesMax = 1u << 20;  // real ones: 10 KB
  static constexpr std::size_t kLogEntriesMax = 32;
  static constexpr std::size_t kTimestampsMax = 32;

  // Exactly one of both: a signature made with a certificate, or with a key (whose hint says nothing reliable).
  std::optional<Certificate> certificate;
  bool has_key = false;
  // Exactly one of both.
  std::optional<Envelope> envelope;
  std::optional<MessageSignature> message;
  std::vector<LogEntry> log_entries;
  std::vector<std::string> timestamps;  // RFC 3161 responses, DER
};

enum class BundleVersions {
  current,  // 0.3
  all,      // 0.1 and 0.2 too, which have a chain of certificates where 0.3 has one
};

// Kind::invalid with the field that is wrong; fields that are not known are refused.
Result<Bundle> read_bundle(std::string_view json, BundleVersions versions);

}  // namespace windlass
