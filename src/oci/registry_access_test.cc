#include "oci/registry_access.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oci/fake_registry.h"

namespace windlass {
namespace {

using RegistryAccessTest = HttpRegistryTest;

TEST_F(RegistryAccessTest, SendsAPasswordWhenAskedAndRemembersToDoSo) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  on("HEAD " + kTag, challenge("Basic realm=\"x\""));
  on("HEAD " + kTag, kFound);
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_EQ(resolve(), kDigest);
  ASSERT_EQ(transport.asked.size(), 3u);
  EXPECT_EQ(header_of(transport.asked[0], "Authorization"), "");
  EXPECT_EQ(header_of(transport.asked[1], "Authorization"), "Basic dXNlcjpwYXNz");
  EXPECT_EQ(header_of(transport.asked[2], "Authorization"), "Basic dXNlcjpwYXNz");
}

TEST_F(RegistryAccessTest, GetsATokenAndKeepsIt) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const auto token_url = std::string("https://auth.example/token?scope=repository%3Aapp%3Apull&service=r%20s");
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\",service=\"r s\""));
  on("HEAD " + kTag, kFound);
  on("GET " + token_url,
     HttpResponse{.status = 200, .body = R"({"token":"old","access_token":"T1","expires_in":300})"});
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_EQ(asked(), (std::vector<std::string>{"HEAD " + kTag, "GET " + token_url, "HEAD " + kTag, "HEAD " + kTag}));
  EXPECT_EQ(header_of(transport.asked[1], "Authorization"), "Basic dXNlcjpwYXNz");
  EXPECT_EQ(header_of(transport.asked[3], "Authorization"), "Bearer T1");
}

// reliability/F43: a 401 loop ends after one new token
TEST_F(RegistryAccessTest, GetsOneNewTokenWithTheScopesOfALater401) {
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\",scope=\"extra:x:pull\""));
  on("GET " + kTag, challenge("Bearer realm=\"https://auth.example/token\",scope=\"extra:x:pull\""));
  const auto token_url = std::string("https://auth.example/token?scope=extra%3Ax%3Apull&scope=repository%3Aapp%3Apull");
  on("GET " + token_url, HttpResponse{.status = 200, .body = R"({"token":"T","expires_in":300})"});
  EXPECT_EQ(resolve(), "denied: GET https://r.example/v2/app/manifests/1: 401 UNAUTHORIZED: because");
  // the second token is the first one again: asking with it once more would tell nothing new
  EXPECT_EQ(asked(), (std::vector<std::string>{"HEAD " + kTag, "GET " + token_url, "HEAD " + kTag, "GET " + kTag,
                                               "GET " + token_url}));
}

TEST_F(RegistryAccessTest, PostsAnIdentityTokenAndFallsBackToGet) {
  credentials.credential = IdentityToken{Secret("id&1")};
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\",service=\"s\""));
  on("HEAD " + kTag, kFound);
  on("POST https://auth.example/token", HttpResponse{.status = 404});
  on("GET https://auth.example/token?scope=repository%3Aapp%3Apull&service=s",
     HttpResponse{.status = 200, .body = R"({"token":"T"})"});
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_EQ(transport.asked[1].body,
            "grant_type=refresh_token&refresh_token=id%261&service=s&"
            "scope=repository%3Aapp%3Apull&client_id=windlass");
  EXPECT_EQ(header_of(transport.asked[3], "Authorization"), "Bearer T");
}

TEST_F(RegistryAccessTest, SendsARegistryTokenAsItIs) {
  credentials.credential = RegistryToken{Secret("R")};
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("HEAD " + kTag, kFound);
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_EQ(header_of(transport.asked[1], "Authorization"), "Bearer R");
}

// reliability/F52, T8
TEST_F(RegistryAccessTest, NeverContactsAnUnsafeTokenService) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const std::pair<const char*, const char*> rows[] = {
      {"http://auth.example/token", "denied: token service http://auth.example/token is on plain HTTP"},
      {"https://169.254.169.254/x", "denied: token service https://169.254.169.254/x is at a link-local address"},
      {"https://2852039166/x", "denied: token service https://169.254.169.254/x is at a link-local address"},
      {"https://127.0.0.1/x",
       "denied: token service https://127.0.0.1/x is at a private address other than the registry's"},
      {"https://[::1]/x", "denied: token service https://[::1]/x is at a private address other than the registry's"},
      {"https://10.0.0.1/x",
       "denied: token service https://10.0.0.1/x is at a private address other than the registry's"},
      {"file:///etc/passwd", "invalid: token service of r.example: URL must begin with http:// or https://"},
      {"https://u:p@auth.example/", "invalid: token service of r.example: URL must not carry a user name or password"},
  };
  for (const auto& [realm, message] : rows) {
    SCOPED_TRACE(realm);
    answers.clear();
    transport.asked.clear();
    make();
    on("HEAD " + kTag, challenge(fmt::format("Bearer realm=\"{}\"", realm)));
    EXPECT_EQ(resolve(), message);
    EXPECT_EQ(transport.asked.size(), 1u);
  }
}

TEST_F(RegistryAccessTest, JudgesTheRedirectsOfATokenService) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const auto query = std::string("?scope=repository%3Aapp%3Apull");
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("GET https://auth.example/token" + query,
     HttpResponse{.status = 302, .headers = {{"Location", "https://169.254.169.254/x"}}});
  EXPECT_EQ(resolve(), "denied: token service https://169.254.169.254/x is at a link-local address");
  EXPECT_EQ(transport.asked.size(), 2u);
}

TEST_F(RegistryAccessTest, SpeaksHttpsOnlyToPublicHosts) {
  transport.answer = [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "refused"); };
  EXPECT_EQ(resolve(), "unavailable: refused");
  for (const auto& request : transport.asked) EXPECT_TRUE(request.url.starts_with("https://")) << request.url;
}

TEST_F(RegistryAccessTest, LearnsThatALocalRegistrySpeaksPlainHttp) {
  for (const std::string host : {"127.0.0.1:5000", "localhost:5000", "localhost", "[::1]:5000", "10.0.0.1:5000"}) {
    SCOPED_TRACE(host);
    answers.clear();
    transport.asked.clear();
    on("GET https://" + host + "/v2/",
       [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "wrong version number"); });
    on("GET http://" + host + "/v2/", HttpResponse{.status = 200});
    on("HEAD http://" + host + "/v2/app/manifests/1", kFound);
    EXPECT_EQ(resolve(host + "/app:1"), kDigest);
    EXPECT_EQ(resolve(host + "/app:1"), kDigest);
    EXPECT_EQ(transport.asked.size(), 4u) << "the scheme is found once";
  }
}

TEST_F(RegistryAccessTest, NamesALocalHostThatIsNoRegistry) {
  on("GET https://127.0.0.1:80/v2/",
     [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "wrong version number"); });
  on("GET http://127.0.0.1:80/v2/", HttpResponse{.status = 404, .body = "internal page"});
  EXPECT_EQ(resolve("127.0.0.1:80/app:1"), "invalid: GET http://127.0.0.1:80/v2/: 404: not an OCI registry");
}

// reliability/P20
TEST_F(RegistryAccessTest, SendsCredentialsOverPlainHttpToLoopbackAndListedHostsOnly) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const struct {
    std::string host;
    bool is_listed, is_sent;
  } rows[] = {{"127.0.0.1:5000", false, true},
              {"10.0.0.1:5000", false, false},
              {"10.0.0.1:5000", true, true},
              {"r.example:5000", true, true}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.host);
    answers.clear();
    transport.asked.clear();
    make(row.is_listed ? std::vector{row.host} : std::vector<std::string>{});
    on("GET https://" + row.host + "/v2/",
       [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "refused"); });
    on("GET http://" + row.host + "/v2/", HttpResponse{.status = 401});
    on("HEAD http://" + row.host + "/v2/app/manifests/1", challenge("Basic realm=\"x\""));
    on("HEAD http://" + row.host + "/v2/app/manifests/1", kFound);
    on("GET http://" + row.host + "/v2/app/manifests/1", challenge("Basic realm=\"x\""));
    resolve(row.host + "/app:1");
    bool was_sent = false;
    for (const auto& request : transport.asked) was_sent = was_sent || !header_of(request, "Authorization").empty();
    EXPECT_EQ(was_sent, row.is_sent);
  }
}

}  // namespace
}  // namespace windlass
