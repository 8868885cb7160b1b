#include "cli/trust_story.h"

#include <gtest/gtest.h>

#include "oci/signature_fixture.h"

namespace windlass {
namespace {

class TrustStory : public testing::Test {
 protected:
  std::string told(const TrustPolicy& policy) {
    ArtifactTrust trust({}, registry, clock, Log({.level = LogLevel::critical}));
    const auto report =
        trust.examine(*Reference::parse("r.example/app:1"), artifact, policy, Deadline::in(std::chrono::seconds(5)));
    return report ? tell(*report, policy) : report.error().message;
  }
  const Digest artifact = Digest::of_sha256_hex(std::string(64, 'a'));
  const TestKey key = TestKey::ec("P-256"), other = TestKey::ec("P-256");
  const std::string rule = "key " + key.public_key().fingerprint();
  const TrustPolicy policy{.enabled = true, .public_keys = {key.public_key()}, .ignore_tlog = true};
  FakeClock clock;
  SignatureRegistry registry;
};

TEST_F(TrustStory, DescribesAPolicy) {
  EXPECT_EQ(describe(policy), "1 public key, 0 keyless identities, transparency log not asked for");
  EXPECT_EQ(describe({.enabled = true, .keyless_identities = {{.issuer = "i", .subject = "s", .subject_regexp = {}}}}),
            "0 public keys, 1 keyless identity, transparency log checked");
}

TEST_F(TrustStory, EndsWithWhatIsTrusted) {
  registry.push_classic(artifact, {signature_by(key, artifact)});
  const auto text = told(policy);
  EXPECT_TRUE(text.starts_with("signature 1: simple signing at tag sha256-aaaa")) << text;
  EXPECT_NE(text.find("\n  ok   " + rule + ": signature: "), text.npos) << text;
  EXPECT_TRUE(text.ends_with("\ntrusted by " + rule + "\n")) << text;
  EXPECT_EQ(text.find("\n  no "), text.npos) << text;
}

TEST_F(TrustStory, ShowsTheStepThatFailed) {
  registry.push_classic(artifact, {signature_by(other, artifact)});
  const auto text = told(policy);
  EXPECT_NE(text.find("\n  no   " + rule + ": signature: "), text.npos) << text;
  EXPECT_NE(text.find("\nNOT trusted: OCI artifact signature verification failed: " + rule + ": signature: "),
            text.npos)
      << text;
}

TEST_F(TrustStory, TellsWhatCouldNotBeRead) {
  registry.faults.emplace("referrers", Error{Kind::unavailable, "503"});
  const auto text = told(policy);
  EXPECT_TRUE(text.starts_with("cannot tell: looking for signatures at referrers: 503\n")) << text;
}

}  // namespace
}  // namespace windlass
