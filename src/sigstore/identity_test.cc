#include "sigstore/identity.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "sigstore/instance_fixture.h"

namespace windlass {
namespace {

Certificate issued_to(const std::string& subject, const std::string& issuer = "https://token.test") {
  const auto certificate =
      Certificate::parse_der(test_instance().issue(TestKey::ec("P-256"), {.subject = subject, .issuer = issuer}));
  if (!certificate) throw std::runtime_error(certificate.error().message);
  return *certificate;
}

TEST(Identity, ChecksTheRulesOfThePolicy) {  // oci 11.5
  const std::pair<KeylessIdentity, std::string_view> refused[] = {
      {{.subject = "a"}, "issuer: is required"},
      {{.issuer = "i"}, "want exactly one of subject and subject_regexp"},
      {{.issuer = "i", .subject = "a", .subject_regexp = "a"}, "want exactly one of subject and subject_regexp"},
      {{.issuer = "i", .subject_regexp = "("}, "subject_regexp: missing ): ("},
      {{.issuer = "i", .subject_regexp = "(((a{1000}){1000}){1000})"}, "subject_regexp: "},
  };
  for (const auto& [identity, message] : refused) {
    SCOPED_TRACE(message);
    const auto status = check_identity(identity);
    ASSERT_FALSE(status) << "was accepted";
    EXPECT_TRUE(status.error().message.starts_with(message)) << status.error().message;
  }
  EXPECT_TRUE(check_identity({.issuer = "i", .subject = "a"}));
  EXPECT_TRUE(check_identity({.issuer = "i", .subject_regexp = "^a$"}));
}

TEST(Identity, WarnsOfExpressionsThatAreNotAnchored) {  // oci 11.5
  EXPECT_FALSE(identity_warning({.issuer = "i", .subject = "a"}));
  const auto warning = [](const std::string& expression) {
    return identity_warning({.issuer = "i", .subject_regexp = expression}).value_or("");
  };
  const std::string anchored[] = {
      "^a$",       "^$",         "^(a|b)$",          "^(?:a|(b|c))$", "^a$|^b$",        R"(^a\\$)",       R"(^a\|b$)",
      "^[a|b$]c$", "^[]|]$",     "^[^]|]$",          R"(^[\]|]$)",    "^[[:alpha:]|]$", R"(^\Qa|b$(\E$)", R"(^\\\|$)",
      "^[(]$",     R"(^\(a\)$)", "^[[:alpha:]](|)$",
  };
  for (const auto& expression : anchored) {
    EXPECT_TRUE(check_identity({.issuer = "i", .subject_regexp = expression})) << expression;
    EXPECT_EQ(warning(expression), "");
  }
  const std::string open[] = {"a", "^a", "a$", R"(^a\$)", R"(^a\\\$)", "^(a$)", "(^a)$", "^[$", R"(^a\Qb$)", R"(\^a$)"};
  for (const auto& expression : open)
    EXPECT_EQ(warning(expression),
              fmt::format("subject_regexp '{}' matches anywhere in a subject: begin it with ^ and end it with $",
                          printable(expression)));
  const std::string alternatives[] = {
      "^https://forge.test/a/.*|https://forge.test/b/.*$",
      "^a|b$",
      "^a$|b$",
      "^a|^b$",
      "^(a)|(b)$",
      "^a$|",
      "|^a$",
      R"(^a\\|b$)",
      "^[a]|[b]$",
      "^[[:alpha:]]|b$",
      R"(^[\]]|b$)",
      R"(^\Q(\E|b$)",
      R"(^\(|b$)",
      "^[(]|b$",
      R"(^a$|^b\$)",
  };
  for (const auto& expression : alternatives) {
    EXPECT_TRUE(check_identity({.issuer = "i", .subject_regexp = expression})) << expression;
    EXPECT_EQ(warning(expression),
              fmt::format("subject_regexp '{}' matches anywhere in a subject: begin each alternative with ^ and end it "
                          "with $",
                          printable(expression)));
  }
}

TEST(Identity, MatchesEveryKindOfSubject) {  // oci 11.5, F4
  const std::pair<std::string, std::string> subjects[] = {
      {"URI:https://forge.test/build.yml@refs/heads/main", "https://forge.test/build.yml@refs/heads/main"},
      {"email:dev@acme.test", "dev@acme.test"},
      {"DNS:acme.test", "acme.test"},
      {"IP:192.0.2.7", "192.0.2.7"},
      {"IP:2001:db8::7", "2001:db8::7"},
      {"otherName:1.3.6.1.4.1.57264.1.7;UTF8:dev!acme", "dev!acme"},
      {"DNS:other.test,email:dev@acme.test", "dev@acme.test"},
  };
  for (const auto& [san, subject] : subjects) {
    SCOPED_TRACE(san);
    const auto found = match_identity({.issuer = "https://token.test", .subject = subject}, issued_to(san));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(*found, "issued to " + subject);
  }
}

TEST(Identity, IsExactUnlessItIsAnExpression) {
  const auto certificate = issued_to("URI:https://forge.test/acme/shop");
  const auto match = [&](const KeylessIdentity& identity) { return match_identity(identity, certificate).has_value(); };
  EXPECT_FALSE(match({.issuer = "https://token.test", .subject = "https://forge.test/acme"}));
  EXPECT_FALSE(match({.issuer = "https://token.test", .subject = "https://forge.test/acme/*"}));
  EXPECT_TRUE(match({.issuer = "https://token.test", .subject_regexp = "^https://forge\\.test/acme/"}));
  EXPECT_TRUE(match({.issuer = "https://token.test", .subject_regexp = "acme"}));
  EXPECT_FALSE(match({.issuer = "https://token.test", .subject_regexp = "^acme"}));
  EXPECT_FALSE(match({.issuer = "https://token.tes", .subject_regexp = "acme"}));
  EXPECT_FALSE(match({.issuer = "https://token.test/", .subject_regexp = "acme"}));
}

TEST(Identity, NeverMatchesWithoutRules) {  // reliability/P10
  const auto certificate = issued_to("URI:https://forge.test/acme/shop", "");
  EXPECT_EQ(match_identity({}, certificate).error().message, "issuer: is required");
}

TEST(Identity, ReadsTheOldIssuerExtensionWhereThereIsNoOther) {  // oci 11.5
  using Extension = std::pair<const char*, std::string>;
  const auto issuer_of = [](const std::vector<Extension>& extensions) {
    const auto key = TestKey::ec("P-256");
    const auto der = signed_der(draft_certificate({.name = "leaf",
                                                   .issuer_name = "leaf",
                                                   .key = &key,
                                                   .from = kSigned,
                                                   .until = kSigned,
                                                   .raw_extensions = extensions}),
                                key);
    return Certificate::parse_der(der)->oidc_issuer();
  };
  const Extension old{"1.3.6.1.4.1.57264.1.1", "https://old.test"};
  const Extension current{"1.3.6.1.4.1.57264.1.8", std::string("\x0c\x10") + "https://new.test"};  // a UTF8String
  EXPECT_EQ(issuer_of({old}), "https://old.test");
  EXPECT_EQ(issuer_of({current}), "https://new.test");
  EXPECT_EQ(issuer_of({old, current}), "https://new.test");
  EXPECT_EQ(issuer_of({current, old}), "https://new.test");
}

}  // namespace
}  // namespace windlass
