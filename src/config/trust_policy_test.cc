#include "config/trust_policy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "sigstore/key_fixture.h"

namespace windlass {
namespace {

using Lines = std::vector<std::string>;

// A block scalar below "public_keys:".
std::string item_of(const TestKey& key) {
  const auto pem = key.pem();
  std::string text = "- |\n";
  for (const auto line : split(trim(pem), '\n')) text += fmt::format("  {}\n", line);
  return text;
}

class TrustPolicyText : public testing::Test {
 protected:
  TrustPolicy parse(const std::string& text) { return parse_trust_policy(text, "policy", {faults, warnings}).policy; }
  Lines faults_of(const std::string& text) {
    faults.clear();
    (void)parse(text);
    return faults;
  }

  Lines faults, warnings;
};

TEST_F(TrustPolicyText, IsOffWhenItIsBlank) {
  for (const auto text : {"", " \n", "# nothing\n", "---\n"}) {
    EXPECT_FALSE(parse(text).enabled) << text;
    EXPECT_EQ(faults, Lines{}) << text;
  }
}

TEST_F(TrustPolicyText, IsReadKeyByKey) {  // oci 11.1
  const auto first = TestKey::ec("P-256"), second = TestKey::ed25519();
  const auto policy =
      parse("enabled: true\nignore_tlog: true\npublic_keys:\n" + item_of(first) + "- ' '\n" + item_of(second) +
            "keyless_identities:\n"
            "- {issuer: ' https://issuer ', subject: ' me@example.org '}\n"
            "- {issuer: https://issuer, subject_regexp: '^https://github.com/acme/.*$'}\n");
  EXPECT_EQ(faults, Lines{});
  EXPECT_EQ(warnings, Lines{});
  EXPECT_TRUE(policy.enabled);
  EXPECT_TRUE(policy.ignore_tlog);
  ASSERT_EQ(policy.public_keys.size(), 2u);
  EXPECT_EQ(policy.public_keys[1].fingerprint(), second.public_key().fingerprint());
  ASSERT_EQ(policy.keyless_identities.size(), 2u);
  EXPECT_EQ(policy.keyless_identities[0].issuer, "https://issuer");
  EXPECT_EQ(policy.keyless_identities[0].subject, "me@example.org");
  EXPECT_EQ(policy.keyless_identities[1].subject_regexp, "^https://github.com/acme/.*$");
}

TEST_F(TrustPolicyText, RefusesWhatWouldMakeItWeakerThanItLooks) {  // oci 11.1, 11.5, 16 #7
  const std::string identities = "keyless_identities:\n";
  const std::pair<std::string, std::string> kRefused[] = {
      {"enable: true", "policy:1: unknown key \"enable\", did you mean \"enabled\"?"},
      {"enabled: maybe", "failed to decode yaml: policy:1: enabled: expected true or false, got text \"maybe\""},
      {"enabled: [true", "policy:2:1: "},  // what follows is the parser's
      {"- enabled", "policy: expected one mapping of enabled, public_keys, keyless_identities and ignore_tlog"},
      {"enabled: true\n---\nenabled: false",
       "policy: expected one mapping of enabled, public_keys, keyless_identities and ignore_tlog"},
      {"public_keys: /etc/key.pub",
       "failed to decode yaml: policy:1: public_keys: expected a list, got text "
       "\"/etc/key.pub\""},
      {"public_keys:\n- ''\n- /etc/key.pub", "policy:3: public_keys: item 2: "},
      {identities + "- me@example.org",
       "policy:2: keyless_identities: expected a mapping of issuer and subject or subject_regexp"},
      {identities + "- {subject: me}", "policy:2: keyless_identities: issuer: is required"},
      {identities + "- {issuer: i}", "policy:2: keyless_identities: want exactly one of subject and subject_regexp"},
      {identities + "- {issuer: i, subject: ' ', subject_regexp: ''}",
       "policy:2: keyless_identities: want exactly one of subject and subject_regexp"},
      {identities + "- {issuer: i, subject: a, subject_regexp: ^b$}",
       "policy:2: keyless_identities: want exactly one of subject and subject_regexp"},
      {identities + "- {issuer: i, subject_regexp: '^(a$'}",
       "policy:2: keyless_identities: subject_regexp: missing ): ^(a$"},
      {identities + "- {}", "policy:2: keyless_identities: issuer: is required"},  // any Sigstore user would pass
      {identities + "- {issuer: i, subject: a, subjects: b}",
       "policy:2: unknown key \"subjects\", did you mean \"subject\"?"},
  };
  for (const auto& [text, fault] : kRefused) {
    SCOPED_TRACE(text);
    const auto found = faults_of(text);
    ASSERT_EQ(found.size(), 1u) << fmt::format("{}", fmt::join(found, "\n"));
    EXPECT_TRUE(found[0].starts_with(fault)) << found[0];
  }
}

TEST_F(TrustPolicyText, WarnsAboutExpressionsWithoutAnchors) {  // oci 11.5
  for (const auto pattern : {"acme", "^acme", "acme$"}) {
    warnings.clear();
    (void)parse(fmt::format("keyless_identities: [{{issuer: i, subject_regexp: '{}'}}]", pattern));
    EXPECT_EQ(warnings,
              Lines{fmt::format("policy:1: subject_regexp '{}' matches anywhere in a subject: begin it with ^ "
                                "and end it with $",
                                pattern)});
  }
}

TEST(TrustOverride, IsReadStrictly) {
  Lines faults, warnings;
  const auto decode = [&](const std::string& text) {
    faults.clear();
    const auto file = *parse_yaml(text, "deployments");
    return decode_trust_override(*file.documents.front(), "deployments", {faults, warnings});
  };
  const auto wanted = decode("{verify: true, ignore_tlog: false}");
  EXPECT_EQ(faults, Lines{});
  EXPECT_EQ(wanted.verify, true);
  EXPECT_EQ(wanted.ignore_tlog, false);
  EXPECT_FALSE(wanted.empty());
  EXPECT_TRUE(decode("{verify: ~}").empty());
  EXPECT_TRUE(decode("{}").empty());
  (void)decode("{enabled: true}");
  EXPECT_EQ(faults, Lines{"deployments:1: unknown key \"enabled\""});
  (void)decode("[verify]");
  EXPECT_EQ(faults,
            Lines{"deployments:1: oci: expected a mapping of verify, public_keys, keyless_identities and ignore_tlog"});
}

TEST(TrustOverride, IsTheSameWrittenAndReadAgain) {
  const TrustOverride wanted{
      .verify = false,
      .public_keys = {TestKey::ec("P-384").public_key(), TestKey::ed25519().public_key()},
      .keyless_identities = {{.issuer = "i", .subject = "a \"quoted\" one", .subject_regexp = {}},
                             {.issuer = "i", .subject = {}, .subject_regexp = "^x\\.y$"}},
      .ignore_tlog = true};
  const auto text = canonical_json(to_json(wanted));
  Lines faults, warnings;
  const auto file = *parse_yaml(text, "deployments");
  const auto again = decode_trust_override(*file.documents.front(), "deployments", {faults, warnings});
  EXPECT_EQ(faults, Lines{});
  EXPECT_EQ(again.public_keys, wanted.public_keys);
  EXPECT_EQ(canonical_json(to_json(again)), text);
  EXPECT_EQ(canonical_json(to_json(TrustOverride{})), "{}");
}

// oci 11.2: global enabled, verify -> enabled
TEST(EffectivePolicy, IsSwitchedOnButNeverOff) {
  const std::tuple<bool, std::optional<bool>, bool> kRows[] = {
      {false, std::nullopt, false}, {false, false, false}, {false, true, true},
      {true, std::nullopt, true},   {true, false, true},   {true, true, true},
  };
  for (const auto& [global, verify, enabled] : kRows)
    EXPECT_EQ(effective_policy({.enabled = global}, {.verify = verify}).enabled, enabled)
        << global << verify.has_value();
}

// oci 11.2: global enabled, its ignore_tlog, that of the deployment -> ignore_tlog
TEST(EffectivePolicy, CannotLoosenTheLogCheckOfAnEnabledPolicy) {
  const std::tuple<bool, bool, std::optional<bool>, bool> kRows[] = {
      {true, false, true, false}, {true, false, std::nullopt, false}, {true, true, std::nullopt, true},
      {true, true, false, false}, {false, false, true, true},         {false, true, std::nullopt, true},
      {false, true, false, false}};
  for (const auto& [enabled, global, wanted, ignored] : kRows)
    EXPECT_EQ(effective_policy({.enabled = enabled, .ignore_tlog = global}, {.verify = true, .ignore_tlog = wanted})
                  .ignore_tlog,
              ignored)
        << enabled << global << wanted.has_value();
}

TEST(EffectivePolicy, TakesEachListOfTheDeploymentForItself) {  // oci 11.2
  const auto global_key = TestKey::ec("P-256").public_key(), own_key = TestKey::ec("P-256").public_key();
  const KeylessIdentity global_identity{.issuer = "i", .subject = "global", .subject_regexp = {}};
  const KeylessIdentity own_identity{.issuer = "i", .subject = "own", .subject_regexp = {}};
  const TrustPolicy global{.enabled = false, .public_keys = {global_key}, .keyless_identities = {global_identity}};

  const auto keys = effective_policy(global, {.verify = true, .public_keys = {own_key}});
  EXPECT_EQ(keys.public_keys, std::vector{own_key});
  EXPECT_EQ(keys.keyless_identities.at(0).subject, "global");

  const auto identities = effective_policy(global, {.verify = true, .keyless_identities = {own_identity}});
  EXPECT_EQ(identities.public_keys, std::vector{global_key});
  EXPECT_EQ(identities.keyless_identities.at(0).subject, "own");

  const auto neither = effective_policy(global, {.verify = true});
  EXPECT_EQ(neither.public_keys, std::vector{global_key}) << "rules of a policy that is off are defaults";
  EXPECT_EQ(neither.keyless_identities.at(0).subject, "global");
}

}  // namespace
}  // namespace windlass
