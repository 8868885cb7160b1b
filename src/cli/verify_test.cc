#include "cli/verify.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config/trust_policy.h"
#include "sigstore/key_fixture.h"
#include "sys/json.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

const Reference kApp = *Reference::parse("r.example/app:2");
const Reference kElsewhere = *Reference::parse("r.example/elsewhere:2");

class VerifyPolicy : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/windlass-verify-test-XXXXXX";
    folder_ = mkdtemp(name);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string key_file(const TestKey& key) {
    const auto path = folder_ / "key.pub";
    std::ofstream(path) << key.pem();
    return path;
  }
  // A poll entry with an inline deployment that wants signatures of `wanted`.
  static Settings with_inline_key(const TestKey& wanted) {
    const json::object stack{{"name", "app"}, {"oci", to_json({.verify = true, .public_keys = {wanted.public_key()}})}};
    Settings settings;
    settings.polls.push_back({.url = "r.example/app:1", .deployments = json::serialize(json::array{stack})});
    return settings;
  }
  static std::vector<PublicKey> keys_of(const Result<std::vector<TrustPolicy>>& policies) {
    std::vector<PublicKey> keys;
    if (!policies)
      ADD_FAILURE() << policies.error().message;
    else
      for (const auto& policy : *policies)
        keys.insert(keys.end(), policy.public_keys.begin(), policy.public_keys.end());
    return keys;
  }

  fs::path folder_;
  const TestKey key = TestKey::ec("P-256"), other = TestKey::ec("P-256");
};

TEST_F(VerifyPolicy, IsThatOfTheSettings) {
  const Settings settings{.oci_trust_policy = {.enabled = true, .public_keys = {key.public_key()}}};
  const auto policies = policies_of({}, kApp, settings);
  ASSERT_TRUE(policies) << policies.error().message;
  ASSERT_EQ(policies->size(), 1u);
  EXPECT_EQ(policy_hash(policies->at(0)), policy_hash(settings.oci_trust_policy));
  EXPECT_TRUE(policies_of({.ignore_tlog = true}, kApp, settings)->at(0).ignore_tlog);
}

TEST_F(VerifyPolicy, IsTriedBeforeItIsEnabled) {
  const Settings settings{.oci_trust_policy = {.public_keys = {key.public_key()}}};
  EXPECT_EQ(keys_of(policies_of({}, kApp, settings)), std::vector{key.public_key()});
}

TEST_F(VerifyPolicy, IsReplacedByRulesOfTheCommandLine) {
  auto settings = with_inline_key(other);
  settings.oci_trust_policy = {.enabled = true, .public_keys = {other.public_key()}, .ignore_tlog = true};
  const auto policies = policies_of({.key_files = {key_file(key)}}, kApp, settings);
  ASSERT_TRUE(policies) << policies.error().message;
  EXPECT_EQ(keys_of(policies), std::vector{key.public_key()});
  EXPECT_FALSE(policies->at(0).ignore_tlog) << "only --ignore-tlog loosens it";
}

TEST_F(VerifyPolicy, IsJoinedByThoseOfInlineDeployments) {
  auto settings = with_inline_key(other);
  EXPECT_EQ(keys_of(policies_of({}, kApp, settings)), std::vector{other.public_key()});
  settings.oci_trust_policy = {.enabled = true, .public_keys = {key.public_key()}};
  EXPECT_EQ(keys_of(policies_of({}, kApp, settings)), (std::vector{key.public_key(), other.public_key()}));
  EXPECT_EQ(keys_of(policies_of({}, kElsewhere, settings)), std::vector{key.public_key()});
  const auto loosened = policies_of({.ignore_tlog = true}, kApp, settings);
  for (const auto& policy : *loosened) EXPECT_TRUE(policy.ignore_tlog);
}

TEST_F(VerifyPolicy, CountsOnceWhoeverDemandsIt) {
  auto settings = with_inline_key(key);
  settings.oci_trust_policy = {.enabled = true, .public_keys = {key.public_key()}};
  EXPECT_EQ(keys_of(policies_of({}, kApp, settings)), std::vector{key.public_key()});
}

TEST_F(VerifyPolicy, NeedsARule) {
  EXPECT_EQ(policies_of({}, kApp, {}).error().message,
            "there is no policy to verify by: set OCI_TRUST_POLICY, or give --key, or --issuer with --identity");
  EXPECT_FALSE(policies_of({}, kElsewhere, with_inline_key(key)));
  EXPECT_EQ(policies_of({.ignore_tlog = true}, kApp, {.oci_trust_policy = {.enabled = true}}).error().kind,
            Kind::invalid);
}

TEST_F(VerifyPolicy, NamesTheFileThatIsNoKey) {
  const auto path = folder_ / "rubbish";
  std::ofstream(path) << "rubbish";
  const auto policies = policies_of({.key_files = {path}}, kApp, {});
  ASSERT_FALSE(policies);
  EXPECT_TRUE(policies.error().message.starts_with(path.string() + ": ")) << policies.error().message;
}

TEST_F(VerifyPolicy, NeedsIssuerAndIdentity) {
  for (const auto& identity : {KeylessIdentity{.issuer = "i", .subject = {}, .subject_regexp = {}},
                               KeylessIdentity{.issuer = {}, .subject = "s", .subject_regexp = {}},
                               KeylessIdentity{.issuer = "i", .subject = "s", .subject_regexp = "s"}})
    EXPECT_EQ(policies_of({.identity = identity}, kApp, {}).error().kind, Kind::invalid)
        << identity.issuer << identity.subject;
  EXPECT_TRUE(policies_of({.identity = {.issuer = "i", .subject = "s", .subject_regexp = {}}}, kApp, {}));
}

}  // namespace
}  // namespace windlass
