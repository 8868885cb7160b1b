// What the real cosign makes: version 2.5.0, `cosign sign-blob --tlog-upload=false` of the file "hello\n".
#include <gtest/gtest.h>

#include "base/text.h"
#include "sigstore/bundle.h"
#include "sigstore/public_key.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

constexpr std::string_view kFile = "hello\n";
constexpr std::string_view kP256Key =
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4HA0z2lGVU/yqphOqTxjx0WISmuf\n"
    "TGIVgVv+zvpd2IPcM70ClgMHJgZUqXMpmjU1BE3Fa9THBGLEGdHMSyuVxw==\n-----END PUBLIC KEY-----\n";
constexpr std::string_view kEd25519Key =
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEABbcE4ZVwL6W7hI8Rr9UmuYstNCz5NjT6yiMN1eMtvyU=\n"
    "-----END PUBLIC KEY-----\n";
// --new-bundle-format
constexpr std::string_view kBundle =
    R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial":{"publicKey":{"hint":")"
    R"(9JBKOOEu/K1v8BdjcnqOjVLyL1jD2UpjyBxfNgHr94A="}}, "messageSignature":{"messageDigest":{"algorithm":"SHA2_256", )"
    R"("digest":"WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM="}, "signature":"MEQCIDR689tahn55ohB5UZCiSH1FmmJtkEh5lOX)"
    R"(06SEXT2uzAiAtuTuj86FnQGAY4T0ZhQ2i4+qh0Y/uFSfEiJHAOa+TEA=="}})";

PublicKey key_of(std::string_view pem) {
  auto key = PublicKey::parse_pem(pem);
  if (!key) throw std::runtime_error(key.error().message);
  return *key;
}

bool verifies(std::string_view pem, std::string_view signature) {
  return key_of(pem).verifies(kFile, *base64_decode(signature), SignedForm::simple_payload);
}

TEST(Cosign, SignaturesVerify) {
  EXPECT_TRUE(verifies(kP256Key,
                       "MEQCIDV/Lj7ctNWr8nTrphS+bQ0iHBfbZUfdV5jHVutz0qadAiBsRP1ultc9YRtV40fq25f+5xjaEfhvi8sCa9FyNZlr"
                       "IQ=="));
  EXPECT_TRUE(verifies(kEd25519Key,
                       "MSFDEeHs1CSct67HstvZ0ccuWfz+ws+yF1M+IEElQD1TBOvtGRmkIO5lIDIeTjlvIotz2ymcNYqL/uBk/ym0CQ=="));
}

TEST(Cosign, BundlesVerify) {
  const BundleSubject file{.digest = Digest::of_sha256_hex(sha256_hex(kFile)), .file = std::string(kFile)};
  TrustPolicy policy{.enabled = true, .public_keys = {key_of(kP256Key)}, .ignore_tlog = true};
  const auto verdict = verify_file_bundle(kBundle, file, policy, nullptr, WallTime{});
  EXPECT_TRUE(verdict.trusted) << verdict.reason();
  EXPECT_TRUE(verify_file_bundle(kBundle, {.digest = file.digest}, policy, nullptr, WallTime{}).trusted);
  const auto other = Digest::of_sha256_hex(sha256_hex("other"));
  EXPECT_FALSE(verify_file_bundle(kBundle, {.digest = other, .file = "other"}, policy, nullptr, WallTime{}).trusted);
  policy.ignore_tlog = false;
  EXPECT_FALSE(verify_file_bundle(kBundle, file, policy, nullptr, WallTime{}).trusted);
}

}  // namespace
}  // namespace windlass
