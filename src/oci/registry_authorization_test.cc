// What a registry and its token service are shown, and what of it is kept: through a Registry whose peers are a table.
#include "oci/registry_authorization.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oci/fake_registry.h"

namespace windlass {
namespace {

using RegistryAuthorizationTest = HttpRegistryTest;

const std::string kNoLogin = "; no credentials for r.example are known: docker login r.example, or DOCKER_AUTH_CONFIG";
const std::string kNotEnough =
    "; the credentials known for r.example, of DOCKER_AUTH_CONFIG, the Docker config file or its helper, did not "
    "suffice";

TEST_F(RegistryAuthorizationTest, TellsAForgottenLoginFromAWrongOne) {
  on("HEAD " + kTag, challenge("Basic realm=\"x\""));
  on("GET " + kTag, HttpResponse{.status = 401});
  EXPECT_EQ(resolve(), "denied: GET https://r.example/v2/app/manifests/1: 401" + kNoLogin);
  credentials.credential = BasicCredential{"user", Secret("opensesame")};
  EXPECT_EQ(resolve(), "denied: GET https://r.example/v2/app/manifests/1: 401" + kNotEnough);
}

TEST_F(RegistryAuthorizationTest, TellsAForgottenLoginFromAWrongOneAtATokenService) {
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("GET https://auth.example/token?scope=repository%3Aapp%3Apull", HttpResponse{.status = 401});
  on("POST https://auth.example/token", error(403, "DENIED"));
  EXPECT_EQ(resolve(), "denied: GET https://auth.example/token: 401" + kNoLogin);
  credentials.credential = BasicCredential{"user", Secret("opensesame")};
  EXPECT_EQ(resolve(), "denied: GET https://auth.example/token: 401" + kNotEnough);
  credentials.credential = IdentityToken{Secret("id")};
  EXPECT_EQ(resolve(), "denied: POST https://auth.example/token: 403 DENIED: because" + kNotEnough);
}

// reliability/P20: the log says why they were not sent
TEST_F(RegistryAuthorizationTest, AdvisesNoLoginWhereItWouldBeWithheld) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const std::string host = "10.0.0.1:5000", token_url = "http://" + host + "/token";
  on("GET https://" + host + "/v2/",
     [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "refused"); });
  on("GET http://" + host + "/v2/", HttpResponse{.status = 401});
  on("HEAD http://" + host + "/v2/app/manifests/1", challenge(fmt::format("Bearer realm=\"{}\"", token_url)));
  on("GET " + token_url + "?scope=repository%3Aapp%3Apull", HttpResponse{.status = 401});
  EXPECT_EQ(resolve(host + "/app:1"), "denied: GET " + token_url + ": 401");
}

TEST_F(RegistryAuthorizationTest, SendsAPasswordWhenAskedAndRemembersToDoSo) {
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

TEST_F(RegistryAuthorizationTest, GetsATokenAndKeepsIt) {
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
  EXPECT_EQ(transport.asked[1].body_bytes_max, 65536u);
  EXPECT_EQ(header_of(transport.asked[3], "Authorization"), "Bearer T1");
}

// reliability/F43: a 401 loop ends after one new token
TEST_F(RegistryAuthorizationTest, GetsOneNewTokenWithTheScopesOfALater401) {
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\",scope=\"extra:x:pull\""));
  on("GET " + kTag, challenge("Bearer realm=\"https://auth.example/token\",scope=\"extra:x:pull\""));
  const auto token_url = std::string("https://auth.example/token?scope=extra%3Ax%3Apull&scope=repository%3Aapp%3Apull");
  on("GET " + token_url, HttpResponse{.status = 200, .body = R"({"token":"T","expires_in":300})"});
  EXPECT_EQ(resolve(), "denied: GET https://r.example/v2/app/manifests/1: 401 UNAUTHORIZED: because" + kNoLogin);
  // the second token is the first one again: asking with it once more would tell nothing new
  EXPECT_EQ(asked(), (std::vector<std::string>{"HEAD " + kTag, "GET " + token_url, "HEAD " + kTag, "GET " + kTag,
                                               "GET " + token_url}));
}

// oci 3.1: a token may be refused before its time is over
TEST_F(RegistryAuthorizationTest, GetsANewTokenWhereTheOldOneIsNoLongerTaken) {
  const std::string service = "https://auth.example/token?scope=", own = "repository%3Aapp%3Apull";
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("HEAD " + kTag, kFound);
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\",scope=\"extra:x:pull\""));
  on("HEAD " + kTag, kFound);
  const auto first = service + own, second = service + "extra%3Ax%3Apull&scope=" + own;
  on("GET " + first, HttpResponse{.status = 200, .body = R"({"token":"T1","expires_in":300})"});
  on("GET " + second, HttpResponse{.status = 200, .body = R"({"token":"T2","expires_in":300})"});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(resolve(), kDigest);
  EXPECT_EQ(asked(), (std::vector<std::string>{"HEAD " + kTag, "GET " + first, "HEAD " + kTag, "HEAD " + kTag,
                                               "GET " + second, "HEAD " + kTag, "HEAD " + kTag}));
  EXPECT_EQ(header_of(transport.asked.at(3), "Authorization"), "Bearer T1");
  for (const std::size_t i : {5u, 6u}) EXPECT_EQ(header_of(transport.asked.at(i), "Authorization"), "Bearer T2");
}

TEST_F(RegistryAuthorizationTest, PostsAnIdentityTokenAndFallsBackToGet) {
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
  EXPECT_EQ(transport.asked[1].body_bytes_max, 65536u);
  for (const auto& request : transport.asked) EXPECT_EQ(request.error_body_bytes_max, 65536u);
  EXPECT_EQ(header_of(transport.asked[3], "Authorization"), "Bearer T");
}

// Decision 175: what a token service gives beside the token is not taken for a credential.
TEST_F(RegistryAuthorizationTest, GoesOnWithItsOwnIdentityToken) {
  credentials.credential = IdentityToken{Secret("ours")};
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\",service=\"s\""));
  on("HEAD " + kTag, kFound);
  on("POST https://auth.example/token",
     HttpResponse{.status = 200, .body = R"({"access_token":"T","expires_in":60,"refresh_token":"theirs"})"});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(resolve(), kDigest);
    clock.advance(60s);
  }
  int posts = 0;
  for (const auto& request : transport.asked) {
    if (request.method != "POST") continue;
    ++posts;
    EXPECT_TRUE(request.body.starts_with("grant_type=refresh_token&refresh_token=ours&")) << request.body;
  }
  EXPECT_EQ(posts, 2);
}

TEST_F(RegistryAuthorizationTest, SendsARegistryTokenAsItIs) {
  credentials.credential = RegistryToken{Secret("R")};
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("HEAD " + kTag, kFound);
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_EQ(header_of(transport.asked[1], "Authorization"), "Bearer R");
}

TEST_F(RegistryAuthorizationTest, RepeatsNoCredentialsThatTheRegistrySendsBack) {  // reliability/P18
  credentials.credential = BasicCredential{"user", Secret("opensesame")};
  on("HEAD " + kTag, challenge("Basic realm=\"r\""));
  on("HEAD " + kTag, HttpResponse{.status = 403});
  on("GET " + kTag,
     HttpResponse{403, {}, R"({"errors":[{"code":"DENIED","message":"user:opensesame dXNlcjpvcGVuc2VzYW1l?"}]})"});
  EXPECT_EQ(resolve(), "denied: GET https://r.example/v2/app/manifests/1: 403 DENIED: user:*** ***?" + kNotEnough);
}

// reliability/F52, T8
TEST_F(RegistryAuthorizationTest, NeverContactsAnUnsafeTokenService) {
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
      {"", "invalid: token service of r.example: URL is not valid: bad scheme"},
      {"https://0.0.0.0/x",
       "denied: token service https://0.0.0.0/x is at a private address other than the registry's"},
      {"https://[::]/x", "denied: token service https://[::]/x is at a private address other than the registry's"},
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

// oci 3.3, reliability/T7: also by a challenge that is kept
TEST_F(RegistryAuthorizationTest, LetsAPrivateRegistryNameATokenServiceAtAPrivateAddress) {
  const std::string service = "https://auth.example/token", query = "?scope=repository%3Aapp%3Apull";
  const HttpResponse token{.status = 200, .body = R"({"token":"T","expires_in":10})"};
  const std::string refused = "denied: private address refused";
  const std::pair<std::optional<AddressScope>, std::string> rows[] = {
      {AddressScope::open, refused}, {std::nullopt, refused}, {AddressScope::rfc1918, kDigest}};
  for (const auto& [peer, ended] : rows) {
    SCOPED_TRACE(peer ? static_cast<int>(*peer) : -1);
    answers.clear();
    make();
    auto asks_who = challenge("Bearer realm=\"" + service + "\""), found = kFound;
    asks_who.peer = found.peer = peer;
    on("GET https://r.example/v2/", [](const HttpRequest&) { return fail(Kind::denied, "certificate has expired"); });
    on("HEAD " + kTag, asks_who);
    if (peer == AddressScope::rfc1918) on("HEAD " + kTag, found);
    on("GET " + service + query, refuse_private(token));
    EXPECT_EQ(resolve(), ended);
    EXPECT_EQ(resolve(), ended);
  }
  // a service on the Internet may not send on to such an address
  answers.erase("GET " + service + query);
  on("GET " + service + query,
     HttpResponse{
         .status = 307, .headers = {{"Location", "https://intern.example/token"}}, .peer = AddressScope::open});
  on("GET https://intern.example/token", refuse_private(token));
  answers.erase("HEAD " + kTag);
  auto asks_who = challenge("Bearer realm=\"" + service + "\"");
  asks_who.peer = AddressScope::rfc1918;
  on("HEAD " + kTag, asks_who);
  EXPECT_EQ(resolve(), refused);
}

TEST_F(RegistryAuthorizationTest, GetsANewTokenBeforeTheOldOneRunsOut) {
  const auto token_url = std::string("https://auth.example/token?scope=repository%3Aapp%3Apull");
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("HEAD " + kTag, kFound);
  on("GET " + token_url, HttpResponse{.status = 200, .body = R"({"token":"T1","expires_in":10})"});
  on("GET " + token_url, HttpResponse{.status = 200, .body = R"({"token":"T2","expires_in":300})"});
  resolve();
  resolve();
  EXPECT_EQ(asked(), (std::vector<std::string>{"HEAD " + kTag, "GET " + token_url, "HEAD " + kTag, "GET " + token_url,
                                               "HEAD " + kTag}));
  EXPECT_EQ(header_of(transport.asked.at(4), "Authorization"), "Bearer T2");
}

TEST_F(RegistryAuthorizationTest, KeepsATokenUntilTenSecondsBeforeItsEnd) {
  const auto token_url = std::string("https://auth.example/token?scope=repository%3Aapp%3Apull");
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("HEAD " + kTag, kFound);
  on("GET " + token_url, HttpResponse{.status = 200, .body = R"({"token":"T1","expires_in":300})"});
  on("GET " + token_url, HttpResponse{.status = 200, .body = R"({"token":"T2","expires_in":300})"});
  resolve();
  clock.advance(289s);
  resolve();
  EXPECT_EQ(header_of(transport.asked.back(), "Authorization"), "Bearer T1");
  clock.advance(1s);
  resolve();
  EXPECT_EQ(header_of(transport.asked.back(), "Authorization"), "Bearer T2");
}

// oci 3.1: what the registry wants to see is asked of it once a day
TEST_F(RegistryAuthorizationTest, ForgetsAChallengeAfterADay) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  on("HEAD " + kTag, challenge("Basic realm=\"x\""));
  on("HEAD " + kTag, kFound);
  const auto requests = [this] {
    transport.asked.clear();
    EXPECT_EQ(resolve(), kDigest);
    return transport.asked.size();
  };
  EXPECT_EQ(requests(), 2u);
  clock.advance(24h - 1s);
  EXPECT_EQ(requests(), 1u);
  EXPECT_NE(header_of(transport.asked[0], "Authorization"), "");
  clock.advance(1s);
  EXPECT_EQ(requests(), 1u);
  EXPECT_EQ(header_of(transport.asked[0], "Authorization"), "") << "it may want something else by now";
}

TEST_F(RegistryAuthorizationTest, HasATokenForEachRepository) {
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\",scope=\"repository:app:pull\""));
  for (const std::string name : {"app", "other"}) {
    on("HEAD https://r.example/v2/" + name + "/manifests/1", kFound);
    on(fmt::format("GET https://auth.example/token?scope=repository%3A{}%3Apull", name),
       HttpResponse{.status = 200, .body = R"({"token":"of-)" + name + R"(","expires_in":300})"});
  }
  for (const std::string name : {"app", "other", "app"}) {
    EXPECT_EQ(resolve("r.example/" + name + ":1"), kDigest);
    EXPECT_EQ(header_of(transport.asked.back(), "Authorization"), "Bearer of-" + name);
  }
  EXPECT_EQ(transport.asked.size(), 6u) << "what the registry wants to see is known for all of it";
}

TEST_F(RegistryAuthorizationTest, IsNotStoppedByARepositoryThatNobodyMaySee) {
  const std::string gone = "https://r.example/v2/gone/manifests/1", token_url = "https://auth.example/token?scope=";
  on("HEAD " + gone, challenge("Bearer realm=\"https://auth.example/token\",scope=\"repository:gone:pull\""));
  on("GET " + token_url + "repository%3Agone%3Apull", error(403, "DENIED"));
  on("GET " + token_url + "repository%3Aapp%3Apull", HttpResponse{.status = 200, .body = R"({"token":"T"})"});
  on("HEAD " + kTag, kFound);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(resolve("r.example/gone:1"), "denied: GET https://auth.example/token: 403 DENIED: because" + kNoLogin);
    EXPECT_EQ(resolve(), kDigest);
    EXPECT_EQ(header_of(transport.asked.back(), "Authorization"), "Bearer T");
  }
}

TEST_F(RegistryAuthorizationTest, LearnsWhatAnotherRepositoryWants) {
  const std::string other = "https://r.example/v2/other/manifests/1";
  const std::string first = "https://one.example/token?scope=repository%3A",
                    second = "https://two.example/token?scope=repository%3A";
  on("HEAD " + kTag, challenge("Bearer realm=\"https://one.example/token\""));
  on("HEAD " + kTag, kFound);
  on("HEAD " + other, challenge("Bearer realm=\"https://two.example/token\""));
  on("HEAD " + other, kFound);
  on("GET " + first + "app%3Apull", HttpResponse{.status = 200, .body = R"({"token":"1","expires_in":300})"});
  on("GET " + first + "other%3Apull", error(401, "UNAUTHORIZED"));
  on("GET " + second + "other%3Apull", HttpResponse{.status = 200, .body = R"({"token":"2","expires_in":300})"});
  EXPECT_EQ(resolve(), kDigest);
  transport.asked.clear();
  EXPECT_EQ(resolve("r.example/other:1"), kDigest);
  EXPECT_EQ(asked(), (std::vector<std::string>{"GET " + first + "other%3Apull", "HEAD " + other,
                                               "GET " + second + "other%3Apull", "HEAD " + other}));
  EXPECT_EQ(header_of(transport.asked.at(1), "Authorization"), "");
  EXPECT_EQ(header_of(transport.asked.at(3), "Authorization"), "Bearer 2");
}

TEST_F(RegistryAuthorizationTest, WaitsForATokenServiceThatIsAway) {
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("HEAD " + kTag, kFound);
  const std::string token_url = "https://auth.example/token?scope=repository%3A";
  on("GET " + token_url + "app%3Apull", HttpResponse{.status = 200, .body = R"({"token":"T"})"});
  on("GET " + token_url + "other%3Apull", HttpResponse{.status = 503});
  EXPECT_EQ(resolve(), kDigest);
  transport.asked.clear();
  EXPECT_EQ(resolve("r.example/other:1"), "unavailable: GET https://auth.example/token: 503");
  for (const auto& request : asked()) EXPECT_EQ(request, "GET " + token_url + "other%3Apull") << "nobody else is asked";
}

// oci 3.1: storage that wants a token gets one that nobody's credentials were sent for
TEST_F(RegistryAuthorizationTest, AnswersTheChallengeOfARedirectTargetAnonymously) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const auto digest = serve("abc");
  const std::string cdn = "https://cdn.example/abc", token_url = "https://evil.example/token?scope=blob%3Aabc%3Apull";
  on("GET " + blob_url("abc"), HttpResponse{.status = 307, .headers = {{"Location", cdn}}});
  on("GET " + cdn, challenge("Bearer realm=\"https://evil.example/token\",scope=\"blob:abc:pull\""));
  on("GET " + cdn, HttpResponse{.status = 200, .body = "abc"});
  on("GET " + token_url, HttpResponse{.status = 200, .body = R"({"token":"anonymous"})"});
  EXPECT_EQ(fetch(digest), "abc");
  EXPECT_EQ(asked(), (std::vector<std::string>{"GET " + kManifests + digest.str(), "GET " + blob_url("abc"),
                                               "GET " + cdn, "GET " + token_url, "GET " + cdn}));
  for (const std::size_t i : {2u, 3u}) EXPECT_EQ(header_of(transport.asked.at(i), "Authorization"), "");
  EXPECT_EQ(header_of(transport.asked.at(4), "Authorization"), "Bearer anonymous");
}

TEST_F(RegistryAuthorizationTest, AdvisesNoLoginWhereStorageGivesNoToken) {
  const auto digest = serve("abc");
  on("GET " + blob_url("abc"), HttpResponse{.status = 307, .headers = {{"Location", "https://cdn.example/abc"}}});
  on("GET https://cdn.example/abc", challenge("Bearer realm=\"https://cdn.example/token\""));
  on("GET https://cdn.example/token", error(403, "DENIED"));
  EXPECT_EQ(fetch(digest), "denied: layer 1: GET https://cdn.example/token: 403 DENIED: because");
}

TEST_F(RegistryAuthorizationTest, NeverTakesTheChallengeOfARedirectTargetForTheRegistrys) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const auto digest = serve("abc");
  on("GET " + blob_url("abc"), HttpResponse{.status = 307, .headers = {{"Location", "https://cdn.example/abc"}}});
  for (const std::string value :
       {"Basic realm=\"x\"", "Bearer realm=\"https://10.0.0.1/token\"", "Bearer realm=\"http://cdn.example/token\""}) {
    SCOPED_TRACE(value);
    transport.asked.clear();
    answers.erase("GET https://cdn.example/abc");
    on("GET https://cdn.example/abc", challenge(value));
    EXPECT_TRUE(fetch(digest).starts_with("denied: layer 1: ")) << fetch(digest);
    for (const auto& request : transport.asked) {
      EXPECT_EQ(header_of(request, "Authorization"), "") << request.url;
      EXPECT_TRUE(request.url.starts_with("https://r.example/") || request.url == "https://cdn.example/abc");
    }
  }
}

}  // namespace
}  // namespace windlass
