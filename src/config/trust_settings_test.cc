#include "config/trust_settings.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "sigstore/instance_fixture.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

class TrustSettings : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/windlass-trust-settings-XXXXXX";
    folder_ = mkdtemp(name);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string file(const std::string& name, const std::string& content, mode_t mode = 0644) {
    const auto path = folder_ / name;
    std::ofstream(path) << content;
    ::chmod(path.c_str(), mode);
    return path;
  }
  static Lines faults_of(const Environment& environment) {
    const auto settings = read_settings(environment);
    return settings ? Lines{} : settings.error().faults;
  }
  static std::string one_key() {
    const auto pem = TestKey::ec("P-256").pem();
    std::string text = "public_keys:\n- |\n";
    for (const auto line : split(trim(pem), '\n')) text += fmt::format("  {}\n", line);
    return text;
  }
  fs::path folder_;
};

TEST_F(TrustSettings, AreOffByDefault) {
  const auto settings = read_settings({});
  ASSERT_TRUE(settings);
  EXPECT_FALSE(settings->oci_trust_policy.enabled);
  EXPECT_EQ(settings->oci_trusted_root_file, "");
  EXPECT_EQ(settings->oci_verify_max_workers, 1u);
}

TEST_F(TrustSettings, ReadAPolicyOfKeysWithoutARoot) {  // oci 11.6: key-only with ignore_tlog needs none
  const auto settings = read_settings(
      {{"OCI_TRUST_POLICY", "enabled: true\nignore_tlog: true\n" + one_key()}, {"OCI_VERIFY_MAX_WORKERS", "10"}});
  ASSERT_TRUE(settings) << settings.error().faults.at(0);
  EXPECT_TRUE(settings->oci_trust_policy.enabled);
  EXPECT_EQ(settings->oci_trust_policy.public_keys.size(), 1u);
  EXPECT_EQ(settings->oci_verify_max_workers, 10u);
}

TEST_F(TrustSettings, ReadThePolicyFromAFileThatEverybodyMayRead) {
  const auto settings =
      read_settings({{"OCI_TRUST_POLICY_FILE", file("policy.yaml", "enabled: true\nignore_tlog: true\n" + one_key())}});
  ASSERT_TRUE(settings) << settings.error().faults.at(0);
  EXPECT_TRUE(settings->oci_trust_policy.enabled);
  EXPECT_EQ(settings->warnings, Lines{});
}

TEST_F(TrustSettings, LetIncludesInOnlyWhenToldSo) {  // oci 11.3
  EXPECT_TRUE(read_settings({})->oci_verify_includes);
  const auto settings = read_settings({{"OCI_TRUST_POLICY", "verify_includes: false"}});
  ASSERT_TRUE(settings) << settings.error().faults.at(0);
  EXPECT_FALSE(settings->oci_verify_includes);
}

TEST_F(TrustSettings, SayHowToGetARoot) {  // oci 11.6
  const std::string ways =
      "set OCI_TRUSTED_ROOT_FILE to a trusted_root.json (`cosign initialize` leaves Sigstore's own in "
      "~/.sigstore/root/tuf-repo-cdn.sigstore.dev/targets/), or trust public_keys alone with ignore_tlog: true";
  EXPECT_EQ(faults_of({{"OCI_TRUST_POLICY", "enabled: true\n" + one_key()}}),
            Lines{"OCI_TRUST_POLICY: the transparency log is to be checked but there is no trusted root: " + ways});
  EXPECT_EQ(
      faults_of({{"OCI_TRUST_POLICY",
                  "enabled: true\nignore_tlog: true\nkeyless_identities: [{issuer: i, subject: s}]\n" + one_key()}}),
      Lines{"OCI_TRUST_POLICY: keyless_identities are to be checked but there is no trusted root: " + ways});
}

TEST_F(TrustSettings, RefuseAPolicyThatNothingCanSatisfy) {  // oci 11.1
  EXPECT_EQ(faults_of({{"OCI_TRUST_POLICY", "enabled: true"}}),
            Lines{"OCI_TRUST_POLICY: enabled without any rule, nothing could ever be deployed: give public_keys or "
                  "keyless_identities"});
}

TEST_F(TrustSettings, LeaveTheRulesToInlineDeploymentsIfAllHaveSome) {  // oci 11.1
  const auto faults_with = [&](const std::string& deployments) {
    return faults_of({{"OCI_TRUST_POLICY", "enabled: true\nignore_tlog: true"},
                      {"POLL_CONFIG", "- {source: oci, url: r.example/app:1, deployments: " + deployments + "}\n"}});
  };
  const std::string ruled = "{name: web, oci: {keyless_identities: [{issuer: i, subject: s}]}}", unruled = "{name: db}";
  EXPECT_EQ(faults_with("[" + ruled + "]").size(), 1u) << "it needs a trusted root, and nothing else is wrong";
  const auto faults = faults_with("[" + ruled + ", " + unruled + "]");
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_NE(faults[1].find("POLL_CONFIG: oci of an inline deployment: enabled without any rule"), std::string::npos)
      << faults[1];
}

TEST_F(TrustSettings, CheckWhatInlineDeploymentsDemand) {  // oci 11.1
  const auto poll = [](const std::string& demand) {
    return "- source: oci\n  url: r.example/app:1\n  deployments: [{name: web, oci: " + demand + "}]\n";
  };
  EXPECT_EQ(faults_of({{"POLL_CONFIG", poll("{verify: true}")}}),
            Lines{"POLL_CONFIG: oci of an inline deployment: enabled without any rule, nothing could ever be deployed: "
                  "give public_keys or keyless_identities"});
  EXPECT_EQ(faults_of({{"POLL_CONFIG", poll("{verify: false}")}}), Lines{});
  EXPECT_EQ(faults_of({{"POLL_CONFIG", poll("{verify: true, keyless_identities: [{issuer: i, subject: s}]}")}}).size(),
            1u)
      << "it needs a trusted root";
  EXPECT_EQ(
      faults_of({{"POLL_CONFIG", poll("{verify: true}")}, {"OCI_TRUST_POLICY", "ignore_tlog: true\n" + one_key()}}),
      Lines{})
      << "rules of a policy that is off are defaults";
  const auto unknown = faults_of({{"POLL_CONFIG", poll("{verfy: true}")}});
  ASSERT_EQ(unknown.size(), 1u);
  EXPECT_NE(unknown[0].find("unknown key \"verfy\", did you mean \"verify\"?"), std::string::npos) << unknown[0];
}

TEST_F(TrustSettings, WarnOfADeploymentThatWouldLoosenTheLogCheck) {  // oci 11.2
  const Lines warning{
      "POLL_CONFIG: oci of an inline deployment: ignore_tlog: true has no effect, OCI_TRUST_POLICY is enabled and asks "
      "for the log"};
  const auto warnings_of = [&](const std::string& policy, const std::string& demand) {
    const auto settings = read_settings(
        {{"OCI_TRUST_POLICY", policy + one_key()},
         {"OCI_TRUSTED_ROOT_FILE", file("root.json", json::serialize(test_instance().trusted_root_json()))},
         {"POLL_CONFIG", "- {source: oci, url: r.example/app:1, deployments: [{name: web, oci: " + demand + "}]}\n"}});
    return settings ? settings->warnings : settings.error().faults;
  };
  EXPECT_EQ(warnings_of("enabled: true\n", "{ignore_tlog: true}"), warning);
  EXPECT_EQ(warnings_of("enabled: true\n", "{ignore_tlog: false}"), Lines{});
  EXPECT_EQ(warnings_of("enabled: true\nignore_tlog: true\n", "{ignore_tlog: true}"), Lines{});
  EXPECT_EQ(warnings_of("enabled: false\n", "{verify: true, ignore_tlog: true}"), Lines{}) << "nothing is loosened";
}

TEST_F(TrustSettings, LetInlineDeploymentsSupplyTheRules) {  // oci 11.1
  auto key = TestKey::ec("P-256").pem();
  for (auto at = key.find('\n'); at != key.npos; at = key.find('\n', at)) key.replace(at, 1, "\\n");
  EXPECT_EQ(faults_of({{"OCI_TRUST_POLICY", "enabled: true\nignore_tlog: true"},
                       {"POLL_CONFIG",
                        "- source: oci\n  url: r.example/app:1\n  deployments: [{name: web, oci: "
                        "{public_keys: [\"" +
                            key + "\"]}}]\n"}}),
            Lines{});
}

TEST_F(TrustSettings, NameABadKeyOnce) {
  const auto faults = faults_of({{"OCI_TRUST_POLICY", "enabled: true\nignore_tlog: true\npublic_keys:\n- rubbish\n"}});
  ASSERT_EQ(faults.size(), 1u) << fmt::format("{}", fmt::join(faults, "\n"));
  EXPECT_TRUE(faults[0].starts_with("OCI_TRUST_POLICY:4: public_keys: item 1: ")) << faults[0];
}

TEST_F(TrustSettings, CheckTheRootBeforeTheStart) {
  const auto path = file("root.json", "{}");
  const auto faults = faults_of({{"OCI_TRUSTED_ROOT_FILE", path}});
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_TRUE(faults[0].starts_with(fmt::format("OCI_TRUSTED_ROOT_FILE: \"{}\": ", path))) << faults[0];
  EXPECT_EQ(faults_of({{"OCI_TRUSTED_ROOT_FILE", "/nowhere/root.json"}}),
            Lines{"OCI_TRUSTED_ROOT_FILE: reading /nowhere/root.json: no such file or directory"});
}

TEST_F(TrustSettings, BoundTheWorkers) {  // oci 11.7
  for (const auto value : {"0", "11", "-1", "many"})
    EXPECT_EQ(faults_of({{"OCI_VERIFY_MAX_WORKERS", value}}),
              Lines{fmt::format("OCI_VERIFY_MAX_WORKERS: \"{}\" is not a whole number from 1 to 10", value)});
}

}  // namespace
}  // namespace windlass
