#include "webhook/registry/credential.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace windlass {
namespace {

constexpr std::string_view kBody = R"({"a":1})";

std::string signed_with(std::string_view secret) {
  const auto mac = HmacSha256(Secret(std::string(secret))).sign(kBody);
  return to_hex({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

std::string sha1_with(std::string_view secret) { return to_hex(hmac_sha1(Secret(std::string(secret)), kBody)); }

bool fits(RegistryFormat format, std::vector<HttpHeader> headers, std::string query = "") {
  const RegistryHook hook{.format = format, .secret = Secret("key")};
  RegistryCredential credential(hook, nullptr);
  return credential.fits(
      {.method = "POST", .query = std::move(query), .headers = std::move(headers), .body = std::string(kBody)});
}

// registry-events 3.2, class A
TEST(RegistryCredential, IsASignatureOfTheBody) {
  using enum RegistryFormat;
  const std::string good = signed_with("key"), other = signed_with("no");
  const std::tuple<RegistryFormat, std::vector<HttpHeader>, bool> rows[] = {
      {github_package, {{"X-Hub-Signature-256", "sha256=" + good}}, true},
      {github_package, {{"X-Hub-Signature-256", good}}, false},
      {github_package, {{"X-Hub-Signature-256", "sha256=" + other}}, false},
      {github_package, {{"X-Hub-Signature", "sha1=" + sha1_with("key")}}, false},
      {github_package, {}, false},
      {gitea_package, {{"X-Gitea-Signature", good}}, true},
      {gitea_package, {{"X-Gitea-Signature", good}, {"X-Forgejo-Signature", good}}, true},
      {gitea_package, {{"X-Gitea-Signature", good}, {"X-Forgejo-Signature", other}}, false},
      {gitea_package, {{"X-Gitea-Signature", ""}, {"X-Hub-Signature-256", "sha256="}}, false},
      {gitea_package, {}, false},
      {jfrog, {{"X-JFrog-Event-Auth", good}}, true},
      {jfrog, {{"X-JFrog-Event-Auth", "key"}}, true},  // without payload signing: the secret itself
      {jfrog, {{"X-JFrog-Event-Auth", "keys"}}, false},
      {jfrog, {{"X-JFrog-Event-Auth", ""}}, false},
      {nexus, {{"X-Nexus-Webhook-Signature", sha1_with("key")}}, true},
      {nexus, {{"X-Nexus-Webhook-Signature", sha1_with("no")}}, false},
      {nexus, {{"X-Nexus-Webhook-Signature", good}}, false},  // SHA-256 is not what Nexus makes
      {nexus, {{"X-Nexus-Webhook-Signature", ""}}, false},
      {nexus, {}, false},
  };
  for (const auto& [format, headers, expected] : rows)
    EXPECT_EQ(fits(format, headers), expected)
        << to_string(format) << " " << (headers.empty() ? "" : headers[0].name + " " + headers[0].value);
}

// registry-events 3.2, class B: whatever was typed, whole
TEST(RegistryCredential, IsAHeaderThatTheOperatorChose) {
  for (const auto format : {RegistryFormat::distribution, RegistryFormat::harbor_default, RegistryFormat::acr,
                            RegistryFormat::ecr_eventbridge, RegistryFormat::zot, RegistryFormat::doco_oci}) {
    EXPECT_TRUE(fits(format, {{"authorization", "key"}}));
    for (const auto* value : {"Bearer key", "Basic key", "key ", "Key", "ke", ""})
      EXPECT_FALSE(fits(format, {{"Authorization", value}})) << value;
    EXPECT_FALSE(fits(format, {{"X-Other", "key"}}));
    EXPECT_FALSE(fits(format, {}, "token=key")) << "not in the URL";
  }
  const RegistryHook hook{.format = RegistryFormat::acr, .secret = Secret("Bearer key"), .header = "X-Hook"};
  RegistryCredential credential(hook, nullptr);
  EXPECT_TRUE(credential.fits({.headers = {{"X-Hook", "Bearer key"}}}));
  EXPECT_FALSE(credential.fits({.headers = {{"Authorization", "Bearer key"}}}));
}

// registry-events 3.2, class D
TEST(RegistryCredential, IsATokenInTheUrl) {
  for (const auto format : {RegistryFormat::dockerhub, RegistryFormat::quay, RegistryFormat::acr_eventgrid,
                            RegistryFormat::gar_pubsub, RegistryFormat::gar_unwrapped}) {
    EXPECT_TRUE(fits(format, {}, "token=key"));
    EXPECT_TRUE(fits(format, {}, "wait=false&token=key"));
    for (const auto* query : {"", "token=", "token=keys", "tokens=key", "Token=key", "secret=key"})
      EXPECT_FALSE(fits(format, {{"Authorization", "key"}}, query)) << query;
  }
}

}  // namespace
}  // namespace windlass
