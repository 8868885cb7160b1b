#include "cli/verify.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sigstore/key_fixture.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

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
  fs::path folder_;
  const TestKey key = TestKey::ec("P-256"), other = TestKey::ec("P-256");
};

TEST_F(VerifyPolicy, IsThatOfTheSettings) {
  const TrustPolicy of_settings{.enabled = true, .public_keys = {key.public_key()}};
  const auto policy = policy_of({}, of_settings);
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy_hash(*policy), policy_hash(of_settings));
  EXPECT_TRUE(policy_of({.ignore_tlog = true}, of_settings)->ignore_tlog);
}

TEST_F(VerifyPolicy, IsReplacedByRulesOfTheCommandLine) {
  const TrustPolicy of_settings{.enabled = true, .public_keys = {other.public_key()}, .ignore_tlog = true};
  const auto policy = policy_of({.key_files = {key_file(key)}}, of_settings);
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->public_keys, std::vector{key.public_key()});
  EXPECT_FALSE(policy->ignore_tlog) << "only --ignore-tlog loosens it";
}

TEST_F(VerifyPolicy, NeedsARule) {
  EXPECT_EQ(policy_of({}, {}).error().message,
            "there is no policy to verify by: set OCI_TRUST_POLICY, or give --key, or --issuer with --identity");
  EXPECT_EQ(policy_of({.ignore_tlog = true}, {.enabled = true}).error().kind, Kind::invalid);
}

TEST_F(VerifyPolicy, NamesTheFileThatIsNoKey) {
  const auto path = folder_ / "rubbish";
  std::ofstream(path) << "rubbish";
  const auto policy = policy_of({.key_files = {path}}, {});
  ASSERT_FALSE(policy);
  EXPECT_TRUE(policy.error().message.starts_with(path.string() + ": ")) << policy.error().message;
}

TEST_F(VerifyPolicy, NeedsIssuerAndIdentity) {
  for (const auto& identity : {KeylessIdentity{.issuer = "i", .subject = {}, .subject_regexp = {}},
                               KeylessIdentity{.issuer = {}, .subject = "s", .subject_regexp = {}},
                               KeylessIdentity{.issuer = "i", .subject = "s", .subject_regexp = "s"}})
    EXPECT_EQ(policy_of({.identity = identity}, {}).error().kind, Kind::invalid) << identity.issuer << identity.subject;
  EXPECT_TRUE(policy_of({.identity = {.issuer = "i", .subject = "s", .subject_regexp = {}}}, {}));
}

}  // namespace
}  // namespace windlass
