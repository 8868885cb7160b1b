// Cosign's classic signatures, and the keys and certificates beside them (oci 12.1, 11.4).
//
// Parts of an input, divided by the line "--next part--": payload, signature, PEM of a certificate or key.
#include <algorithm>
#include <array>

#include "fuzz/fuzz.h"
#include "sigstore/certificate.h"
#include "sigstore/key_fixture.h"
#include "sigstore/simple_signing.h"
#include "sys/unambiguous_json.h"

namespace windlass {
namespace {

constexpr std::string_view kDivider = "\n--next part--\n";
const Digest kDigest = Digest::of_sha256_hex(std::string(64, 'a'));

const TestKey& test_key() {
  static const auto key = TestKey::ec("P-256");
  return key;
}

Verdict judged(SimpleSignature signature) {
  static const TrustPolicy policy{.enabled = true, .public_keys = {test_key().public_key()}, .ignore_tlog = true};
  signature.media_type = kSimpleSigningMediaType;
  auto verdict = verify_simple_signature(signature, kDigest, policy, nullptr, WallTime::clock::now());
  require(verdict.trusted == !verdict.by.empty(), "trust has a reason, and only trust");
  for (const auto& step : verdict.steps) require_printable(step.detail);
  if (!verdict.trusted) require_printable(verdict.reason());
  return verdict;
}

bool is_about_the_digest(const std::string& payload) {
  const auto value = parse_unambiguous_json(payload);
  if (!value) return false;
  boost::system::error_code none;
  const auto* digest = value->find_pointer("/critical/image/docker-manifest-digest", none);
  const auto* type = value->find_pointer("/critical/type", none);
  return digest != nullptr && *digest == json::value(kDigest.str()) && type != nullptr &&
         *type == json::value("cosign container image signature");
}

// Signed by the right key, whatever it says: the digest alone decides.
void check_signed(const std::string& payload) {
  const auto signature = base64_encode(test_key().sign(payload));
  const auto verdict = judged({.payload = payload, .annotations = {{std::string(kSignatureAnnotation), signature}}});
  require(verdict.trusted == is_about_the_digest(payload), "a signature counts for the digest it is about");
}

void check_pem(std::string_view pem) {
  if (const auto key = PublicKey::parse_pem(pem)) {
    const auto again = PublicKey::parse_der(key->der());
    require(again && *again == *key && again->fingerprint() == key->fingerprint(), "a key is read again as itself");
    require_printable(key->algorithm());
  } else {
    require_printable(key.error().message);
  }
  const auto certificate = Certificate::parse_pem(pem);
  if (!certificate) return require_printable(certificate.error().message);
  const auto again = Certificate::parse_der(certificate->der());
  require(again && again->der() == certificate->der(), "a certificate is read again as itself");
  require(again->subjects() == certificate->subjects() && again->oidc_issuer() == certificate->oidc_issuer(),
          "with the same names");
  if (const auto key = certificate->public_key(); !key) require_printable(key.error().message);
}

}  // namespace

void fuzz(std::string_view input) {
  std::array<std::string, 3> parts;
  for (auto& part : parts) {
    const auto end = input.find(kDivider);
    part = input.substr(0, end);
    input.remove_prefix(end == input.npos ? input.size() : end + kDivider.size());
  }
  const auto& [payload, signature, pem] = parts;
  check_signed(payload);
  check_pem(pem);
  const auto verdict = judged(
      {.payload = payload,
       .annotations = {{std::string(kSignatureAnnotation), signature}, {"dev.sigstore.cosign/certificate", pem}}});
  require(!verdict.trusted, "nobody else makes our signature");
}

}  // namespace windlass
