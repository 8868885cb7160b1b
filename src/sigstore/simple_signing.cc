#include "sigstore/simple_signing.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"
#include "sigstore/base64_field.h"
#include "sigstore/certificate.h"
#include "sigstore/evidence.h"
#include "sigstore/log_promise.h"
#include "sigstore/openssl.h"
#include "sigstore/timestamp.h"
#include "sys/unambiguous_json.h"

namespace windlass {
namespace {

constexpr std::string_view kCertificateAnnotation = "dev.sigstore.cosign/certificate";
constexpr std::string_view kBundleAnnotation = "dev.sigstore.cosign/bundle";
constexpr std::string_view kTimestampAnnotation = "dev.sigstore.cosign/rfc3161timestamp";
constexpr std::string_view kPayloadType = "cosign container image signature";
constexpr std::size_t kShown = 200;  // bytes of foreign text in a message

const std::string* annotation(const SimpleSignature& signature, std::string_view name) {
  const auto found = signature.annotations.find(std::string(name));
  return found != signature.annotations.end() ? &found->second : nullptr;
}

Status check_form(const SimpleSignature& signature) {  // K1
  if (signature.media_type != kSimpleSigningMediaType)
    return fail(Kind::invalid, fmt::format("want media type {}, found '{}'", kSimpleSigningMediaType,
                                           printable(signature.media_type, kShown)));
  if (signature.payload.size() > kSimplePayloadBytesMax)
    return fail(Kind::invalid, fmt::format("want at most {} bytes of payload, found {}", kSimplePayloadBytesMax,
                                           signature.payload.size()));
  return {};
}

Result<std::string> signature_of(const SimpleSignature& signature) {  // K2
  const auto* text = annotation(signature, kSignatureAnnotation);
  if (text == nullptr || text->empty())
    return fail(Kind::invalid, fmt::format("want the annotation {}, found none", kSignatureAnnotation));
  return decode_base64(fmt::format("annotation {}", kSignatureAnnotation), *text);
}

// K4: what was signed is this artifact and no other. Without it any old signature would do for a new artifact.
Result<std::string> check_payload(std::string_view payload, const Digest& digest) {
  const auto value = parse_unambiguous_json(payload);
  if (!value) return while_doing("reading the payload", value.error());
  const auto* top = value->if_object();
  const auto* critical = top != nullptr ? object_of(*top, "critical") : nullptr;
  if (critical == nullptr) return fail(Kind::invalid, "the payload has no object 'critical'");
  if (const auto type = text_of(*critical, "type"); type != kPayloadType)
    return fail(Kind::invalid,
                fmt::format("want critical.type '{}', found '{}'", kPayloadType, printable(type, kShown)));
  const auto* image = object_of(*critical, "image");
  const auto signed_digest = image != nullptr ? text_of(*image, "docker-manifest-digest") : std::string_view();
  if (signed_digest != digest.str())
    return fail(Kind::denied, fmt::format("want a signature of {}, found one of '{}'", digest.str(),
                                          printable(signed_digest, kShown)));
  return fmt::format("the payload is about {}", digest.str());
}

// K5 to K7: the entry of the log, its promise kept, and the time that proves.
Status prove_log(const SimpleSignature& signature, const TrustedRoot* root, Evidence& evidence) {
  if (root == nullptr) return fail(Kind::invalid, "the log cannot be checked without a trusted root");
  const auto* text = annotation(signature, kBundleAnnotation);
  if (text == nullptr) return fail(Kind::denied, fmt::format("want the annotation {}, found none", kBundleAnnotation));
  auto entry = read_log_entry_annotation(*text);
  if (!entry) return while_doing(fmt::format("annotation {}", kBundleAnnotation), entry.error());
  const auto* log = root->transparency_log(entry->log_id);
  if (log == nullptr) return fail(Kind::denied, fmt::format("the trusted root has no log {}", to_hex(entry->log_id)));
  const auto time = verify_promise(*entry, *log);
  if (!time) return tl::unexpected(time.error());
  evidence.times.push_back(*time);
  evidence.entries.push_back(std::move(*entry));
  return {};
}

// {"SignedRFC3161Timestamp":"<base64>"}: when the signature existed (F2). Nothing attached is fine.
Result<std::vector<WallTime>> attached_times(const SimpleSignature& signature, std::string_view bytes,
                                             const TrustedRoot& root) {
  const auto* text = annotation(signature, kTimestampAnnotation);
  if (text == nullptr || text->empty()) return std::vector<WallTime>();
  const auto value = parse_unambiguous_json(*text);
  if (!value) return while_doing(fmt::format("annotation {}", kTimestampAnnotation), value.error());
  JsonFields fields(*value);
  const auto response = fields.bytes("SignedRFC3161Timestamp");
  if (const auto status = fields.status(); !status) return tl::unexpected(status.error());
  const auto time = verify_timestamp(response, bytes, root);
  if (!time) return tl::unexpected(time.error());
  return std::vector{*time};
}

Result<std::optional<Certificate>> attached_certificate(const SimpleSignature& signature) {
  const auto* pem = annotation(signature, kCertificateAnnotation);
  if (pem == nullptr || pem->empty()) return std::nullopt;
  auto certificate = Certificate::parse_pem(*pem);
  if (!certificate) return while_doing(fmt::format("annotation {}", kCertificateAnnotation), certificate.error());
  return std::optional(std::move(*certificate));
}

// What the signature is and is attached to it; "form" says what is wrong.
Result<Evidence> read_evidence(const SimpleSignature& signature) {
  if (const auto form = check_form(signature); !form) return tl::unexpected(form.error());
  auto bytes = signature_of(signature);
  if (!bytes) return tl::unexpected(bytes.error());
  auto certificate = attached_certificate(signature);
  if (!certificate) return tl::unexpected(certificate.error());
  return Evidence{.content = {.form = SignedForm::simple_payload,
                              .message = signature.payload,
                              .message_sha256 = openssl::hash_of(signature.payload, EVP_sha256()),
                              .signature = std::move(*bytes)},
                  .certificate = std::move(*certificate)};
}

}  // namespace

Verdict verify_simple_signature(const SimpleSignature& signature, const Digest& digest, const TrustPolicy& policy,
                                const TrustedRoot* root, WallTime now) {
  Verdict verdict;
  Steps common(verdict, "");
  auto evidence = read_evidence(signature);
  if (!common.take("form", evidence, fmt::format("{} bytes of payload", signature.payload.size()))) return verdict;
  if (!common.take("signed digest", check_payload(signature.payload, digest))) return verdict;
  if (root != nullptr) {
    const auto times = attached_times(signature, evidence->content.signature, *root);
    if (!times)
      common.take("timestamp", times, "");
    else
      evidence->times = *times;
  }
  if (!policy.ignore_tlog) {
    const auto proven = prove_log(signature, root, *evidence);
    if (!common.take("transparency log", proven, proven ? name_of(evidence->entries.front()) + " proven" : ""))
      return verdict;
  }
  judge(*evidence, policy, root, now, verdict);
  return verdict;
}

std::string simple_signing_payload(std::string_view reference, const Digest& digest) {
  return fmt::format(
      R"({{"critical":{{"identity":{{"docker-reference":{}}},"image":{{"docker-manifest-digest":"{}"}},"type":"{}"}},"optional":null}})",
      json::serialize(json::string(reference)), digest.str(), kPayloadType);
}

}  // namespace windlass
