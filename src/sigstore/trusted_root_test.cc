#include "sigstore/trusted_root.h"

#include <gtest/gtest.h>

#include "sigstore/instance_fixture.h"

namespace windlass {
namespace {

TEST(TrustedRoot, KnowsLogsByTheirId) {  // oci 11.6
  const auto& instance = test_instance();
  const auto root = instance.root();
  const auto* log = root.transparency_log(TestInstance::id_of(instance.rekor2_key));
  ASSERT_NE(log, nullptr);
  EXPECT_EQ(log->host, "rekor2.test");
  EXPECT_EQ(log->key, instance.rekor2_key.public_key());
  EXPECT_EQ(root.transparency_log("nobody"), nullptr);
  EXPECT_EQ(root.transparency_log(TestInstance::id_of(instance.ct_key)), nullptr);
  ASSERT_NE(root.certificate_log(TestInstance::id_of(instance.ct_key)), nullptr);
  ASSERT_EQ(root.certificate_authorities().size(), 1u);
  EXPECT_EQ(root.certificate_authorities()[0].chain.size(), 2u);
  EXPECT_EQ(root.timestamp_authorities()[0].chain[0].name(), "CN=tsa");
}

TEST(TrustedRoot, TakesBothMediaTypes) {
  auto value = test_instance().trusted_root_json();
  const auto before = TestInstance::parsed(value).fingerprint();
  value.at("mediaType") = "application/vnd.dev.sigstore.trustedroot.v0.1+json";
  EXPECT_TRUE(TrustedRoot::parse(json::serialize(value)));
  EXPECT_NE(TestInstance::parsed(value).fingerprint(), before);
}

TEST(TrustedRoot, WindowsIncludeBothEnds) {
  const TimeWindow window{.start = kSigned, .end = kSigned + std::chrono::seconds(5)};
  EXPECT_TRUE(window.includes(kSigned));
  EXPECT_TRUE(window.includes(kSigned + std::chrono::seconds(5)));
  EXPECT_FALSE(window.includes(kSigned - std::chrono::seconds(1)));
  EXPECT_FALSE(window.includes(kSigned + std::chrono::seconds(6)));
  EXPECT_TRUE((TimeWindow{.start = kSigned}).includes(kSigned + 2 * kYear));
  EXPECT_EQ(window.str(), "2026-01-02T03:04:05Z to 2026-01-02T03:04:10Z");
}

TEST(TrustedRoot, HasNoUseForALogWithoutAStart) {  // oci 11.6
  const auto& instance = test_instance();
  auto value = instance.trusted_root_json();
  value.at_pointer("/tlogs/0/publicKey/validFor").as_object().erase("start");
  EXPECT_EQ(TestInstance::parsed(value).transparency_log(TestInstance::id_of(instance.rekor_key)), nullptr);
}

TEST(TrustedRoot, NamesALogWithoutUrlByItsId) {  // as cosign trusted-root create makes them
  const auto id = TestInstance::id_of(test_instance().rekor_key);
  auto value = test_instance().trusted_root_json();
  EXPECT_EQ(TestInstance::parsed(value).transparency_log(id)->name(), "rekor.test");
  value.at_pointer("/tlogs/0").as_object().erase("baseUrl");
  EXPECT_EQ(TestInstance::parsed(value).transparency_log(id)->name(), to_hex(id));
}

TEST(TrustedRoot, IgnoresWhatNewerFilesAdd) {
  auto value = test_instance().trusted_root_json();
  value.as_object()["newer"] = true;
  value.at_pointer("/tlogs/0").as_object()["operator"] = "sigstore.dev";
  EXPECT_TRUE(TrustedRoot::parse(json::serialize(value)));
}

TEST(TrustedRoot, TakesTheKeyIdOfCheckpointsWhereItDiffers) {
  const auto& instance = test_instance();
  auto value = instance.trusted_root_json();
  value.at_pointer("/tlogs/0").as_object()["checkpointKeyId"] = {{"keyId", base64_encode("hint")}};
  const auto root = TestInstance::parsed(value);
  EXPECT_EQ(root.transparency_log(TestInstance::id_of(instance.rekor_key))->checkpoint_id, "hint");
}

TEST(TrustedRoot, SaysWhichFieldIsWrong) {
  struct Case {
    std::string_view pointer;
    json::value value;
    std::string_view message;
  };
  const Case cases[] = {
      {"/mediaType", "text/json",
       "trusted root: mediaType: want application/vnd.dev.sigstore.trustedroot+json;version=0.1"},
      {"/tlogs", "none", "trusted root: tlogs: want an array"},
      {"/tlogs/0", "none", "trusted root: tlogs[0]: want an object"},
      {"/tlogs/1/hashAlgorithm", "SHA2_512", "trusted root: tlogs[1].hashAlgorithm: want SHA2_256"},
      {"/tlogs/0/publicKey/rawBytes", "AAAA", "trusted root: tlogs[0].publicKey.rawBytes: not a public key: "},
      {"/tlogs/0/publicKey/rawBytes", "A", "trusted root: tlogs[0].publicKey.rawBytes: want standard base64"},
      {"/tlogs/0/publicKey/validFor/start", "yesterday",
       "trusted root: tlogs[0].publicKey.validFor.start: want a time like 2026-01-02T03:04:05Z"},
      {"/ctlogs/0/logId/keyId", "", "trusted root: ctlogs[0].logId.keyId: is required"},
      {"/certificateAuthorities/0/certChain/certificates/1/rawBytes", "AAAA",
       "trusted root: certificateAuthorities[0].certChain.certificates[1].rawBytes: not a certificate: "},
      {"/timestampAuthorities/0/certChain/certificates", json::array(),
       "trusted root: timestampAuthorities[0].certChain.certificates: want at least one"},
  };
  for (const auto& [pointer, wrong, message] : cases) {
    SCOPED_TRACE(pointer);
    auto value = test_instance().trusted_root_json();
    value.at_pointer(pointer) = wrong;
    const auto root = TrustedRoot::parse(json::serialize(value));
    ASSERT_FALSE(root) << "was accepted";
    EXPECT_TRUE(root.error().message.starts_with(message)) << root.error().message;
  }
  EXPECT_EQ(TrustedRoot::parse("").error().message, "trusted root: invalid JSON at byte 1: incomplete JSON");
  EXPECT_EQ(TrustedRoot::parse("[]").error().message, "trusted root: want a JSON object");
  EXPECT_EQ(TrustedRoot::parse(std::string(5 << 20, ' ')).error().message,
            "trusted root: want at most 4194304 bytes, got 5242880");
}

}  // namespace
}  // namespace windlass
