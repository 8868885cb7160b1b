#include "source/trust_rules.h"

#include <gtest/gtest.h>

#include "sigstore/key_fixture.h"

namespace windlass {
namespace {

const std::string kApp = "r.example/app";

class TrustRulesTest : public testing::Test {
 protected:
  static std::vector<std::string> keys_of(const std::vector<TrustPolicy>& policies) {
    std::vector<std::string> names;
    for (const auto& policy : policies) names.push_back(policy.public_keys.at(0).fingerprint());
    std::sort(names.begin(), names.end());
    return names;
  }
  static std::vector<std::string> sorted(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    return names;
  }

  const PublicKey global = TestKey::ec("P-256").public_key(), first = TestKey::ec("P-256").public_key(),
                  second = TestKey::ec("P-256").public_key();
};

TEST_F(TrustRulesTest, DemandNothingWithoutAPolicy) {
  TrustRules rules;
  rules.add(kApp, "inline", {{.verify = false, .public_keys = {first}}});
  EXPECT_TRUE(rules.of_artifact(kApp, "").empty());
}

TEST_F(TrustRulesTest, DemandTheGlobalPolicyOfEverything) {
  const TrustRules rules({.enabled = true, .public_keys = {global}});
  for (const auto* deployments : {"", "inline"})
    EXPECT_EQ(keys_of(rules.of_artifact(kApp, deployments)), std::vector{global.fingerprint()});
}

TEST_F(TrustRulesTest, DemandOfAWebhookWhatInlineDeploymentsDemand) {  // oci 11.3, 16 #6
  TrustRules rules({.enabled = true, .public_keys = {global}});
  rules.add(kApp, "one", {{.verify = true, .public_keys = {first}}, {.verify = true, .public_keys = {second}}});
  rules.add(kApp, "two", {{.verify = true, .public_keys = {first}}, {}});
  const auto all = sorted({global.fingerprint(), first.fingerprint(), second.fingerprint()});
  EXPECT_EQ(keys_of(rules.of_artifact(kApp, "")), all);
  for (const auto* configured : {"one", "two"})
    EXPECT_EQ(keys_of(rules.of_artifact(kApp, configured)), std::vector{global.fingerprint()})
        << "these are judged one by one";
  EXPECT_EQ(keys_of(rules.of_artifact(kApp, "of before")), all);
  EXPECT_EQ(keys_of(rules.of_artifact("r.example/other", "")), std::vector{global.fingerprint()});
}

TEST_F(TrustRulesTest, LeaveToInlineDeploymentsWhatTheGlobalPolicyHasNoRulesFor) {  // oci 11.1
  TrustRules rules({.enabled = true});
  rules.add(kApp, "ruled", {{.public_keys = {first}}});
  rules.add(kApp, "half ruled", {{.public_keys = {second}}, {}});
  rules.add("r.example/other", "unruled", {{}});
  EXPECT_TRUE(rules.of_artifact(kApp, "ruled").empty()) << "these are judged one by one";
  EXPECT_EQ(keys_of(rules.of_artifact(kApp, "")), sorted({first.fingerprint(), second.fingerprint()}));
  const auto has_no_rules = [&](const std::string& source_id, std::string_view deployments) {
    const auto policies = rules.of_artifact(source_id, deployments);
    return policies.size() == 1 && policies[0].enabled && !has_rules(policies[0]);
  };
  EXPECT_TRUE(has_no_rules(kApp, "half ruled"));
  EXPECT_TRUE(has_no_rules("r.example/other", "unruled"));
  EXPECT_TRUE(has_no_rules("r.example/third", ""));
}

TEST_F(TrustRulesTest, DemandOfADeploymentWhatItAsksFor) {
  const TrustRules rules({.enabled = false, .public_keys = {global}});
  EXPECT_FALSE(rules.of_deployment({}).enabled);
  EXPECT_EQ(keys_of({rules.of_deployment({.verify = true})}), std::vector{global.fingerprint()});
  EXPECT_EQ(keys_of({rules.of_deployment({.verify = true, .public_keys = {first}})}), std::vector{first.fingerprint()});
}

}  // namespace
}  // namespace windlass
