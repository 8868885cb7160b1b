#include "sigstore/certificate_timestamp.h"

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/text.h"
#include "sigstore/openssl.h"

namespace windlass {
namespace {

constexpr std::size_t kTimestampsMax = 16;
constexpr std::size_t kLogIdBytes = 32;

struct CertificateTimestamp {
  std::string log_id;
  std::uint64_t unix_ms = 0;
  std::string extensions;
  std::string signature;
};

// Takes numbers and byte strings off the front, as TLS writes them. After the first that does not fit it is broken.
class Bytes {
 public:
  explicit Bytes(std::string_view rest) : rest_(rest) {}
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const char c : take(bytes)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view take(std::size_t bytes) {
    if (bytes > rest_.size()) broken_ = true;
    const auto taken = rest_.substr(0, broken_ ? 0 : bytes);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view with_length(std::size_t length_bytes) { return take(number(length_bytes)); }
  bool done() const { return broken_ || rest_.empty(); }
  bool whole() const { return !broken_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool broken_ = false;
};

std::string big_endian(std::uint64_t number, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(number >> (8 * i) & 0xFF);
  return out;
}

// Nothing for one that is broken, or of a version or algorithm that is not known: others may do.
std::optional<CertificateTimestamp> read_timestamp(std::string_view text) {
  constexpr std::uint64_t version_1 = 0, sha256 = 4, rsa = 1, ecdsa = 3;
  Bytes bytes(text);
  CertificateTimestamp timestamp;
  const auto version = bytes.number(1);
  timestamp.log_id = bytes.take(kLogIdBytes);
  timestamp.unix_ms = bytes.number(8);
  timestamp.extensions = bytes.with_length(2);
  const auto hash = bytes.number(1), algorithm = bytes.number(1);
  timestamp.signature = bytes.with_length(2);
  if (!bytes.whole() || version != version_1 || hash != sha256 || (algorithm != rsa && algorithm != ecdsa))
    return std::nullopt;
  return timestamp;
}

std::vector<CertificateTimestamp> timestamps_of(std::string_view list) {
  Bytes outer(list);
  Bytes items(outer.with_length(2));
  std::vector<CertificateTimestamp> timestamps;
  while (outer.whole() && !items.done() && timestamps.size() < kTimestampsMax)
    if (auto timestamp = read_timestamp(items.with_length(2))) timestamps.push_back(std::move(*timestamp));
  return timestamps;
}

// The extension holds an octet string in the octet string that every extension has; "" without one.
std::string embedded_list(const Certificate& leaf) {
  const int at = X509_get_ext_by_NID(leaf.handle(), NID_ct_precert_scts, -1);
  if (at < 0) return "";
  const auto* value = X509_EXTENSION_get_data(X509_get_ext(leaf.handle(), at));
  const auto* der = ASN1_STRING_get0_data(value);
  const std::unique_ptr<ASN1_OCTET_STRING, openssl::Free<ASN1_OCTET_STRING_free>> list(
      d2i_ASN1_OCTET_STRING(nullptr, &der, ASN1_STRING_length(value)));
  openssl::take_error();
  if (!list) return "";
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(list.get())),
          static_cast<std::size_t>(ASN1_STRING_length(list.get()))};
}

// The part of the certificate that was signed, as it was before the timestamps came into it (RFC 6962, 3.2).
std::string without_timestamps(const Certificate& leaf) {
  const std::unique_ptr<X509, openssl::Free<X509_free>> copy(X509_dup(leaf.handle()));
  const int at = X509_get_ext_by_NID(copy.get(), NID_ct_precert_scts, -1);
  const std::unique_ptr<X509_EXTENSION, openssl::Free<X509_EXTENSION_free>> removed(X509_delete_ext(copy.get(), at));
  return openssl::der_of(copy.get(), i2d_re_X509_tbs);
}

std::string signed_text(const CertificateTimestamp& timestamp, const std::string& issuer_key_hash,
                        const std::string& tbs) {
  const auto version_1 = big_endian(0, 1), certificate_timestamp = big_endian(0, 1), precertificate = big_endian(1, 2);
  return version_1 + certificate_timestamp + big_endian(timestamp.unix_ms, 8) + precertificate + issuer_key_hash +
         big_endian(tbs.size(), 3) + tbs + big_endian(timestamp.extensions.size(), 2) + timestamp.extensions;
}

Result<std::string> verify_one(const CertificateTimestamp& timestamp, const std::string& text,
                               const TrustedRoot& root) {
  const auto* log = root.certificate_log(timestamp.log_id);
  if (log == nullptr)
    return fail(Kind::denied, fmt::format("the trusted root has no certificate log {}", to_hex(timestamp.log_id)));
  const auto time = from_unix_seconds(static_cast<std::int64_t>(timestamp.unix_ms / 1000));
  if (!log->window.includes(time))
    return fail(Kind::denied, fmt::format("certificate log {} was in use {}, the timestamp is of {}", log->name(),
                                          log->window.str(), to_rfc3339(time)));
  if (!log->key.verifies(text, timestamp.signature, SignedForm::log_record))
    return fail(Kind::denied, fmt::format("the signature is not one of certificate log {} (key {})", log->name(),
                                          log->key.fingerprint()));
  return fmt::format("certificate log {} has seen it at {}", log->name(), to_rfc3339(time));
}

}  // namespace

Result<std::string> verify_certificate_timestamps(const Certificate& leaf, const Certificate& issuer,
                                                  const TrustedRoot& root) {
  const auto timestamps = timestamps_of(embedded_list(leaf));
  if (timestamps.empty())
    return fail(Kind::denied, "want a timestamp of a certificate transparency log in the certificate, found none");
  const auto issuer_key_hash = openssl::hash_of(issuer.key_der(), EVP_sha256());
  const auto tbs = without_timestamps(leaf);
  std::string last;
  for (const auto& timestamp : timestamps) {
    auto seen = verify_one(timestamp, signed_text(timestamp, issuer_key_hash, tbs), root);
    if (seen) return seen;
    last = seen.error().message;
  }
  return fail(Kind::denied,
              fmt::format("want a timestamp of a certificate log of the trusted root, found none: {}", last));
}

}  // namespace windlass
