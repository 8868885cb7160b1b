#include "sigstore/simple_signing.h"

#include <gtest/gtest.h>

#include "sigstore/key_fixture.h"
#include "sigstore/pem.h"

namespace windlass {
namespace {

const Digest kDigest = Digest::of_sha256_hex(std::string(64, 'a'));
const Digest kOther = Digest::of_sha256_hex(std::string(64, 'b'));

SimpleSignature signed_with(const TestKey& key, const Digest& digest = kDigest) {
  SimpleSignature signature{.payload = simple_signing_payload("registry.example/shop", digest),
                            .media_type = std::string(kSimpleSigningMediaType)};
  signature.annotations[std::string(kSignatureAnnotation)] = base64_encode(key.sign(signature.payload));
  return signature;
}

Verdict verify(const SimpleSignature& signature, const std::vector<PublicKey>& keys) {
  const TrustPolicy policy{.enabled = true, .public_keys = keys, .ignore_tlog = true};
  return verify_simple_signature(signature, kDigest, policy, nullptr, WallTime{});
}

TEST(SimpleSigning, WritesThePayloadAsCosignDoes) {
  EXPECT_EQ(
      simple_signing_payload("localhost:5000/shop", kDigest),
      R"({"critical":{"identity":{"docker-reference":"localhost:5000/shop"},"image":{"docker-manifest-digest":")" +
          kDigest.str() + R"("},"type":"cosign container image signature"},"optional":null})");
}

TEST(SimpleSigning, TrustsAnyKeyOfThePolicy) {  // K1 to K4
  const auto first = TestKey::ec("P-256"), second = TestKey::rsa(2048);
  const auto verdict = verify(signed_with(second), {first.public_key(), second.public_key()});
  EXPECT_TRUE(verdict.trusted) << verdict.reason();
  EXPECT_EQ(verdict.by, "key " + second.public_key().fingerprint());
  EXPECT_EQ(verdict.reason(), "");
}

TEST(SimpleSigning, RefusesAReplayedSignature) {  // K4, reliability/T12: a good signature of another artifact
  const auto key = TestKey::ec("P-256");
  const auto verdict = verify(signed_with(key, kOther), {key.public_key()});
  EXPECT_FALSE(verdict.trusted);
  EXPECT_EQ(verdict.reason(),
            "signed digest: want a signature of " + kDigest.str() + ", found one of '" + kOther.str() + "'");
}

TEST(SimpleSigning, NeedsATrustedRootForTheLog) {
  const auto key = TestKey::ec("P-256");
  const TrustPolicy policy{.enabled = true, .public_keys = {key.public_key()}};
  const auto verdict = verify_simple_signature(signed_with(key), kDigest, policy, nullptr, WallTime{});
  EXPECT_FALSE(verdict.trusted);
  EXPECT_EQ(verdict.reason(), "transparency log: the log cannot be checked without a trusted root");
}

TEST(SimpleSigning, SaysWhichStepFailed) {
  const auto key = TestKey::ec("P-256"), stranger = TestKey::ec("P-256");
  const auto good = signed_with(key);
  struct Case {
    std::string_view name;
    void (*change)(SimpleSignature&);
    std::string reason;
  };
  const std::string named(kSignatureAnnotation);
  const Case kCases[] = {
      {"K1 type", [](SimpleSignature& s) { s.media_type = "text/plain"; },
       "form: want media type application/vnd.dev.cosign.simplesigning.v1+json, found 'text/plain'"},
      {"K1 size", [](SimpleSignature& s) { s.payload.resize(kSimplePayloadBytesMax + 1, ' '); },
       "form: want at most 1048576 bytes of payload, found 1048577"},
      {"K2 none", [](SimpleSignature& s) { s.annotations.clear(); },
       "form: want the annotation dev.cosignproject.cosign/signature, found none"},
      {"K2 not base64", [](SimpleSignature& s) { s.annotations.begin()->second += "="; },
       "form: annotation dev.cosignproject.cosign/signature is not standard base64"},
      {"K4 JSON", [](SimpleSignature& s) { s.payload += "x"; },
       "signed digest: reading the payload: invalid JSON at byte 238: text after the value"},
      {"K4 no object", [](SimpleSignature& s) { s.payload = "[]"; },
       "signed digest: the payload has no object 'critical'"},
      {"K4 type", [](SimpleSignature& s) { s.payload = R"({"critical":{"type":"atomic container signature"}})"; },
       "signed digest: want critical.type 'cosign container image signature', found 'atomic container signature'"},
      {"K4 no digest",
       [](SimpleSignature& s) { s.payload = R"({"critical":{"type":"cosign container image signature"}})"; },
       "signed digest: want a signature of " + kDigest.str() + ", found one of ''"},
      {"K3 payload", [](SimpleSignature& s) { s.payload += "\n"; },
       "key " + key.public_key().fingerprint() +
           ": signature: want one made by this ECDSA P-256 key over the payload, found one of another key"},
  };
  for (const auto& [name, change, reason] : kCases) {
    SCOPED_TRACE(name);
    auto signature = good;
    change(signature);
    const auto verdict = verify(signature, {key.public_key()});
    EXPECT_FALSE(verdict.trusted);
    EXPECT_EQ(verdict.reason(), reason);
  }
  EXPECT_FALSE(verify(good, {stranger.public_key()}).trusted);
  EXPECT_EQ(verify(good, {}).reason(), "no rule of the policy fits this signature");
}

}  // namespace
}  // namespace windlass
