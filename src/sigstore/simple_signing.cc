#include "sigstore/simple_signing.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sigstore/base64_field.h"
#include "sigstore/certificate.h"
#include "sys/json.h"

namespace windlass {
namespace {

constexpr std::string_view kCertificateAnnotation = "dev.sigstore.cosign/certificate";
constexpr std::string_view kPayloadType = "cosign container image signature";
constexpr std::size_t kShown = 200;  // bytes of foreign text in a message

const std::string* annotation(const SimpleSignature& signature, std::string_view name) {
  const auto found = signature.annotations.find(std::string(name));
  return found != signature.annotations.end() ? &found->second : nullptr;
}

Result<std::string> check_form(const SimpleSignature& signature) {  // K1
  if (signature.media_type != kSimpleSigningMediaType)
    return fail(Kind::invalid, fmt::format("want media type {}, found '{}'", kSimpleSigningMediaType,
                                           printable(signature.media_type, kShown)));
  if (signature.payload.size() > kSimplePayloadBytesMax)
    return fail(Kind::invalid, fmt::format("want at most {} bytes of payload, found {}", kSimplePayloadBytesMax,
                                           signature.payload.size()));
  return fmt::format("{} bytes of payload", signature.payload.size());
}

Result<std::string> signature_of(const SimpleSignature& signature) {  // K2
  const auto* text = annotation(signature, kSignatureAnnotation);
  if (text == nullptr || text->empty())
    return fail(Kind::invalid, fmt::format("want the annotation {}, found none", kSignatureAnnotation));
  return decode_base64(fmt::format("annotation {}", kSignatureAnnotation), *text);
}

// K4: what was signed is this artifact and no other. Without it any old signature would do for a new artifact.
Result<std::string> check_payload(std::string_view payload, const Digest& digest) {
  auto value = parse_json(payload);
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

// K8: a certificate beside a key signature speaks for the same key or the two contradict each other.
Result<std::string> check_attached_certificate(const std::string& pem, const PublicKey& key) {
  const auto where = fmt::format("annotation {}", kCertificateAnnotation);
  auto certificate = Certificate::parse_pem(pem);
  if (!certificate) return while_doing(where, certificate.error());
  auto certified = certificate->public_key();
  if (!certified) return while_doing(where, certified.error());
  if (*certified == key) return "the attached certificate is for this key";
  return fail(Kind::denied,
              fmt::format("want a certificate for this key, found one for key {}", certified->fingerprint()));
}

Result<std::string> check_signature(const SimpleSignature& signature, std::string_view bytes, const PublicKey& key) {
  if (key.verifies(signature.payload, bytes, SignedForm::simple_payload))
    return fmt::format("made by this {} key over the payload", key.algorithm());
  return fail(Kind::denied,
              fmt::format("want one made by this {} key over the payload, found one of another key", key.algorithm()));
}

void try_key(const SimpleSignature& signature, std::string_view bytes, const PublicKey& key, Verdict& verdict) {
  Steps steps(verdict, "key " + key.fingerprint());
  if (!steps.take("signature", check_signature(signature, bytes, key))) return;  // K3
  const auto* certificate = annotation(signature, kCertificateAnnotation);
  if (certificate != nullptr && !certificate->empty() &&
      !steps.take("certificate", check_attached_certificate(*certificate, key)))
    return;
  steps.trust();
}

}  // namespace

Verdict verify_simple_signature(const SimpleSignature& signature, const Digest& digest, const TrustPolicy& policy,
                                const TrustedRoot* root, WallTime) {
  Verdict verdict;
  Steps common(verdict, "");
  if (!common.take("form", check_form(signature))) return verdict;
  const auto bytes = signature_of(signature);
  if (!bytes) {
    common.take("form", bytes);
    return verdict;
  }
  if (!common.take("signed digest", check_payload(signature.payload, digest))) return verdict;
  if (!policy.ignore_tlog && root == nullptr) {
    common.take("transparency log", fail(Kind::invalid, "the log cannot be checked without a trusted root"));
    return verdict;
  }
  for (const auto& key : policy.public_keys) {
    try_key(signature, *bytes, key, verdict);
    if (verdict.trusted) break;
  }
  return verdict;
}

std::string simple_signing_payload(std::string_view reference, const Digest& digest) {
  return fmt::format(
      R"({{"critical":{{"identity":{{"docker-reference":{}}},"image":{{"docker-manifest-digest":"{}"}},"type":"{}"}},"optional":null}})",
      json::serialize(json::string(reference)), digest.str(), kPayloadType);
}

}  // namespace windlass
