// Who runs the keyless infrastructure (oci 11.6): the logs, certificate authorities and timestamp authorities of a
// trusted_root.json. A value; reading the file again when it changes is the caller's part.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "sigstore/certificate.h"
#include "sigstore/public_key.h"

namespace windlass {

// When a key or authority was in use; both ends belong to it.
struct TimeWindow {
  WallTime start;
  std::optional<WallTime> end;  // none: still in use

  bool includes(WallTime time) const { return start <= time && (!end || time <= *end); }
  // "2026-01-02T03:04:05Z to …" for messages.
  std::string str() const;
};

// A transparency log (Rekor) or a certificate transparency log.
struct TransparencyLog {
  std::string id;             // raw bytes; entries and SCTs name their log by it
  std::string checkpoint_id;  // raw bytes; begins with the key hint of checkpoints
  std::string host;  // "" or "rekor.sigstore.dev", "localhost:8000": the origin that checkpoints of Rekor v2 name
  PublicKey key;
  TimeWindow window;

  // For messages: the host, or the id in hexadecimal where the root has no URL (`cosign trusted-root create` writes
  // none).
  std::string name() const;
};

// Certificates from the one that issues (or, for timestamps, signs) up to the anchor, never empty.
struct Authority {
  std::string uri;
  std::vector<Certificate> chain;
  TimeWindow window;
};

class TrustedRoot {
 public:
  static constexpr std::size_t kBytesMax = 4u << 20;  // the public one has 7 KB
  static constexpr std::size_t kItemsMax = 256;       // of every list in it

  // Kind::invalid with the field that is wrong. Fields that are not known are ignored: newer files have more of them.
  static Result<TrustedRoot> parse(std::string_view json);

  const std::vector<Authority>& certificate_authorities() const { return certificate_authorities_; }
  const std::vector<Authority>& timestamp_authorities() const { return timestamp_authorities_; }
  // The log with this id, or null.
  const TransparencyLog* transparency_log(std::string_view id) const;
  const TransparencyLog* certificate_log(std::string_view id) const;
  // "SHA256:" and the hash of the file: changes whenever any part of it does.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  TrustedRoot() = default;

  std::vector<TransparencyLog> transparency_logs_, certificate_logs_;
  std::vector<Authority> certificate_authorities_, timestamp_authorities_;
  std::string fingerprint_;
};

}  // namespace windlass
