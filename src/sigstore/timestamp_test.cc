#include "sigstore/timestamp.h"

#include <gtest/gtest.h>

#include "sigstore/instance_fixture.h"

namespace windlass {
namespace {

constexpr std::string_view kSignature = "a signature";

Result<WallTime> verify(const std::string& response, std::string_view signature = kSignature) {
  return verify_timestamp(response, signature, test_instance().root());
}

TEST(Timestamp, TellsWhenASignatureExisted) {  // B10
  const auto time = verify(test_instance().timestamp(kSignature));
  ASSERT_TRUE(time) << time.error().message;
  EXPECT_EQ(*time, kSigned);
}

TEST(Timestamp, IsAboutOneSignature) {
  const auto time = verify(test_instance().timestamp(kSignature), "another signature");
  ASSERT_FALSE(time);
  EXPECT_EQ(time.error().message, "want a timestamp of this signature, found one of something else");
}

TEST(Timestamp, NeedsAHashThatNobodyCanForge) {
  const auto& instance = test_instance();
  const auto time =
      verify(TestInstance::timestamp_by(instance.tsa_key, instance.tsa_der, kSignature, kSigned, EVP_sha1()));
  ASSERT_FALSE(time);
  EXPECT_EQ(time.error().message, "want a timestamp by SHA-256, SHA-384 or SHA-512");
}

TEST(Timestamp, NeedsTheAuthorityOfTheTrustedRoot) {
  const auto& instance = test_instance();
  const auto stranger = TestKey::ec("P-256");
  const auto self_signed = signed_der(draft_certificate({.name = "tsa",
                                                         .issuer_name = "tsa",
                                                         .key = &stranger,
                                                         .from = kSigned - kYear,
                                                         .until = kSigned + kYear,
                                                         .extensions = {{NID_ext_key_usage, "critical,timeStamping"}}}),
                                      stranger);
  const auto sibling = instance.make_tsa(stranger, "critical,timeStamping");  // of the same root, but not the one named
  for (const auto& certificate : {self_signed, sibling}) {
    const auto time = verify(TestInstance::timestamp_by(stranger, certificate, kSignature, kSigned));
    ASSERT_FALSE(time);
    EXPECT_EQ(
        time.error().message,
        "want a timestamp of an authority of the trusted root that was in use at 2026-01-02T03:04:05Z, found none");
  }
}

TEST(Timestamp, NeedsACertificateForTimestamps) {
  const auto& instance = test_instance();
  const auto key = TestKey::ec("P-256");
  const auto for_code = instance.make_tsa(key, "codeSigning");
  auto value = instance.trusted_root_json();
  value.at_pointer("/timestampAuthorities/0/certChain/certificates/0/rawBytes") = base64_encode(for_code);
  const auto response =
      TestInstance::timestamp_by(key, instance.make_tsa(key, "critical,timeStamping"), kSignature, kSigned);
  EXPECT_FALSE(verify_timestamp(response, kSignature, TestInstance::parsed(value)));
}

TEST(Timestamp, CountsOnlyWhileAuthorityAndCertificatesAreInUse) {
  const auto& instance = test_instance();
  EXPECT_TRUE(verify(instance.timestamp(kSignature, kSigned + kYear / 4)));
  EXPECT_FALSE(verify(instance.timestamp(kSignature, kSigned + kYear * 3 / 4)));  // its certificate is over
  EXPECT_FALSE(verify(instance.timestamp(kSignature, kSigned + 2 * kYear)));
  auto value = instance.trusted_root_json();
  auto& end = value.at_pointer("/timestampAuthorities/0/validFor/end");
  end = to_rfc3339(kSigned);  // both ends belong to the window
  EXPECT_TRUE(verify_timestamp(instance.timestamp(kSignature), kSignature, TestInstance::parsed(value)));
  end = to_rfc3339(kSigned - std::chrono::seconds(1));
  EXPECT_FALSE(verify_timestamp(instance.timestamp(kSignature), kSignature, TestInstance::parsed(value)));
}

TEST(Timestamp, RefusesEveryChange) {
  const auto good = test_instance().timestamp(kSignature);
  for (std::size_t i = 0; i < good.size(); i += 11) {
    auto flipped = good;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    const auto time = verify(flipped);
    EXPECT_TRUE(!time || *time == kSigned) << i;  // some bytes say nothing: the status text, unused fields
  }
  for (const auto& text : {std::string(), std::string("junk"), good + "x", good.substr(0, good.size() / 2)})
    EXPECT_EQ(verify(text).error().message, "want a timestamp response, found something else");
  EXPECT_EQ(verify(std::string(70'000, 'x')).error().message, "want at most 65536 bytes, found 70000");
}

}  // namespace
}  // namespace windlass
