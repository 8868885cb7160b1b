#include "oci/registry_access.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oci/fake_registry.h"

namespace windlass {
namespace {

using RegistryAccessTest = HttpRegistryTest;

const std::string kNoLogin = "; no credentials for r.example are known: docker login r.example, or DOCKER_AUTH_CONFIG";
const std::string kNotEnough =
    "; the credentials known for r.example, of DOCKER_AUTH_CONFIG, the Docker config file or its helper, did not "
    "suffice";

TEST_F(RegistryAccessTest, TellsAForgottenLoginFromAWrongOne) {
  on("HEAD " + kTag, challenge("Basic realm=\"x\""));
  on("GET " + kTag, HttpResponse{.status = 401});
  EXPECT_EQ(resolve(), "denied: GET https://r.example/v2/app/manifests/1: 401" + kNoLogin);
  credentials.credential = BasicCredential{"user", Secret("opensesame")};
  EXPECT_EQ(resolve(), "denied: GET https://r.example/v2/app/manifests/1: 401" + kNotEnough);
}

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
  EXPECT_EQ(transport.asked[1].body_bytes_max, 65536u);
  EXPECT_EQ(header_of(transport.asked[3], "Authorization"), "Bearer T1");
}

// reliability/F43: a 401 loop ends after one new token
TEST_F(RegistryAccessTest, GetsOneNewTokenWithTheScopesOfALater401) {
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\",scope=\"extra:x:pull\""));
  on("GET " + kTag, challenge("Bearer realm=\"https://auth.example/token\",scope=\"extra:x:pull\""));
  const auto token_url = std::string("https://auth.example/token?scope=extra%3Ax%3Apull&scope=repository%3Aapp%3Apull");
  on("GET " + token_url, HttpResponse{.status = 200, .body = R"({"token":"T","expires_in":300})"});
  EXPECT_EQ(resolve(), "denied: GET https://r.example/v2/app/manifests/1: 401 UNAUTHORIZED: because" + kNoLogin);
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
  EXPECT_EQ(transport.asked[1].body_bytes_max, 65536u);
  for (const auto& request : transport.asked) EXPECT_EQ(request.error_body_bytes_max, 65536u);
  EXPECT_EQ(header_of(transport.asked[3], "Authorization"), "Bearer T");
}

TEST_F(RegistryAccessTest, SendsARegistryTokenAsItIs) {
  credentials.credential = RegistryToken{Secret("R")};
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("HEAD " + kTag, kFound);
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_EQ(header_of(transport.asked[1], "Authorization"), "Bearer R");
}

TEST_F(RegistryAccessTest, RepeatsNoCredentialsThatTheRegistrySendsBack) {  // reliability/P18
  credentials.credential = BasicCredential{"user", Secret("opensesame")};
  on("HEAD " + kTag, challenge("Basic realm=\"r\""));
  on("HEAD " + kTag, HttpResponse{.status = 403});
  on("GET " + kTag,
     HttpResponse{403, {}, R"({"errors":[{"code":"DENIED","message":"user:opensesame dXNlcjpvcGVuc2VzYW1l?"}]})"});
  EXPECT_EQ(resolve(), "denied: GET https://r.example/v2/app/manifests/1: 403 DENIED: user:*** ***?" + kNotEnough);
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

TEST_F(RegistryAccessTest, JudgesTheRedirectsOfATokenService) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const auto query = std::string("?scope=repository%3Aapp%3Apull");
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("GET https://auth.example/token" + query,
     HttpResponse{.status = 302, .headers = {{"Location", "https://169.254.169.254/x"}}});
  EXPECT_EQ(resolve(), "denied: token service https://169.254.169.254/x is at a link-local address");
  EXPECT_EQ(transport.asked.size(), 2u);
}

// oci 3.1: what leaves the host of the token service takes no password along
TEST_F(RegistryAccessTest, FollowsATokenServiceThatMoved) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const std::string query = "?scope=repository%3Aapp%3Apull";
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("HEAD " + kTag, kFound);
  on("GET https://auth.example/token" + query, HttpResponse{.status = 302, .headers = {{"Location", "/new?x=1"}}});
  on("GET https://auth.example/new?x=1",
     HttpResponse{.status = 307, .headers = {{"Location", "https://auth2.example/token?x=2"}}});
  on("GET https://auth2.example/token?x=2", HttpResponse{.status = 200, .body = R"({"token":"T"})"});
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_NE(header_of(transport.asked.at(2), "Authorization"), "");
  EXPECT_EQ(header_of(transport.asked.at(3), "Authorization"), "");
  EXPECT_EQ(header_of(transport.asked.at(4), "Authorization"), "Bearer T");

  answers.clear();
  make();
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("GET https://auth.example/token" + query,
     HttpResponse{.status = 302, .headers = {{"Location", "https://auth.example/token" + query}}});
  EXPECT_EQ(resolve(), "invalid: token service https://auth.example/token redirects too often or to nowhere");
}

// reliability/F53: who has a public name is never asked in plain HTTP (oci 3.1), and what is wrong is told
TEST_F(RegistryAccessTest, NeverFallsBackToPlainHttpWhereTlsFails) {
  const Error faults[] = {
      {Kind::denied, "SSL certificate problem: certificate has expired"},
      {Kind::denied, "SSL certificate problem: self-signed certificate"},
      {Kind::denied, "SSL certificate problem: EE certificate key too weak"},
      {Kind::denied, "SSL: no alternative certificate subject name matches target host name 'r.example'"},
      {Kind::unavailable, "TLS handshake cut off by the peer"},
  };
  for (const std::string host : {"r.example", "r.example:5000", "registry.local", "localhost.example:5000",
                                 "203.0.113.7:5000", "100.64.0.1:5000", "[2001:db8::1]:5000"}) {
    for (const auto& fault : faults) {
      SCOPED_TRACE(host + ": " + fault.message);
      answers.clear();
      transport.asked.clear();
      make();
      const auto look = fmt::format("HEAD https://{}/v2/app/manifests/1", host);
      on(look, [&](const HttpRequest&) -> Result<HttpResponse> { return tl::unexpected(fault); });
      EXPECT_EQ(resolve(host + "/app:1"), fmt::format("{}: {}", to_string(fault.kind), fault.message));
      EXPECT_EQ(asked(), std::vector<std::string>(fault.kind == Kind::unavailable ? 5 : 1, look));
    }
  }
}

TEST_F(RegistryAccessTest, GetsANewTokenBeforeTheOldOneRunsOut) {
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

TEST_F(RegistryAccessTest, KeepsATokenUntilTenSecondsBeforeItsEnd) {
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
TEST_F(RegistryAccessTest, ForgetsAChallengeAfterADay) {
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

TEST_F(RegistryAccessTest, HasATokenForEachRepository) {
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

TEST_F(RegistryAccessTest, IsNotStoppedByARepositoryThatNobodyMaySee) {
  const std::string gone = "https://r.example/v2/gone/manifests/1", token_url = "https://auth.example/token?scope=";
  on("HEAD " + gone, challenge("Bearer realm=\"https://auth.example/token\",scope=\"repository:gone:pull\""));
  on("GET " + token_url + "repository%3Agone%3Apull", error(403, "DENIED"));
  on("GET " + token_url + "repository%3Aapp%3Apull", HttpResponse{.status = 200, .body = R"({"token":"T"})"});
  on("HEAD " + kTag, kFound);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(resolve("r.example/gone:1"), "denied: GET https://auth.example/token: 403 DENIED: because");
    EXPECT_EQ(resolve(), kDigest);
    EXPECT_EQ(header_of(transport.asked.back(), "Authorization"), "Bearer T");
  }
}

TEST_F(RegistryAccessTest, LearnsWhatAnotherRepositoryWants) {
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

TEST_F(RegistryAccessTest, WaitsForATokenServiceThatIsAway) {
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

// oci 3.4: of whoever is asked, also on the way
TEST_F(RegistryAccessTest, TellsEverybodyWhoAsks) {
  registry = Registry::make({.user_agent = "windlass/1.2"}, transport, credentials, *store, clock, Log());
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("HEAD " + kTag, HttpResponse{.status = 307, .headers = {{"Location", "https://cdn.example/1"}}});
  on("HEAD https://cdn.example/1", kFound);
  on("GET https://auth.example/token?scope=repository%3Aapp%3Apull",
     HttpResponse{.status = 200, .body = R"({"token":"T"})"});
  EXPECT_EQ(resolve(), kDigest);
  ASSERT_EQ(transport.asked.size(), 4u);
  for (const auto& request : transport.asked)
    EXPECT_EQ(header_of(request, "User-Agent"), "windlass/1.2") << request.url;
}

// oci 3.4: a query may hold a signature or an account
TEST_F(RegistryAccessTest, ShowsNoQueryOfAnUrl) {
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token?account=secret\""));
  on("GET https://auth.example/token?account=secret&scope=repository%3Aapp%3Apull", error(403, "DENIED"));
  EXPECT_EQ(resolve(), "denied: GET https://auth.example/token: 403 DENIED: because");
  make();
  const auto digest = serve("abc");
  on("GET " + blob_url("abc"),
     HttpResponse{.status = 307, .headers = {{"Location", "https://cdn.example/abc?sig=secret"}}});
  on("GET https://cdn.example/abc?sig=secret",
     HttpResponse{.status = 302, .headers = {{"Location", "http://cdn.example/abc?sig=secret"}}});
  EXPECT_EQ(fetch(digest), "denied: layer 1: GET https://cdn.example/abc: 302: redirect to plain HTTP refused");
}

// oci 3.1: storage that wants a token gets one that nobody's credentials were sent for
TEST_F(RegistryAccessTest, AnswersTheChallengeOfARedirectTargetAnonymously) {
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

TEST_F(RegistryAccessTest, NeverTakesTheChallengeOfARedirectTargetForTheRegistrys) {
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

// oci 3.1: beside names that mean this machine only the addresses of RFC 1918 are asked in plain HTTP
TEST_F(RegistryAccessTest, SpeaksHttpsOnlyToPublicHosts) {
  transport.answer = [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "refused"); };
  for (const std::string host : {"r.example", "r.example:5000", "registry.local:5000", "localhost.example:5000",
                                 "172.32.0.1:5000", "100.64.0.1:5000", "[fd00::1]:5000"}) {
    SCOPED_TRACE(host);
    transport.asked.clear();
    EXPECT_EQ(resolve(host + "/app:1"), "unavailable: refused");
    for (const auto& request : transport.asked) EXPECT_TRUE(request.url.starts_with("https://")) << request.url;
  }
}

TEST_F(RegistryAccessTest, LearnsThatALocalRegistrySpeaksPlainHttp) {
  for (const std::string host : {"127.0.0.1:5000", "localhost:5000", "localhost", "r.localhost:5000", "[::1]:5000",
                                 "10.0.0.1:5000", "172.16.0.1:5000", "192.168.0.1:5000"}) {
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
    EXPECT_EQ(transport.asked.at(0).connect_timeout, 300ms) << "nobody waits long for TLS that is not there";
  }
}

// oci 3.1: what speaks plain HTTP only to send everybody to HTTPS, which was slow to answer
TEST_F(RegistryAccessTest, GoesToHttpsWhereTheRegistrySendsItThere) {
  on("GET https://10.0.0.1/v2/",
     [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "timeout"); });
  on("GET https://10.0.0.1/v2/", HttpResponse{.status = 401});
  on("GET http://10.0.0.1/v2/", HttpResponse{.status = 301, .headers = {{"Location", "HTTPS://10.0.0.1/v2/"}}});
  on("HEAD https://10.0.0.1/v2/app/manifests/1", kFound);
  EXPECT_EQ(resolve("10.0.0.1/app:1"), kDigest);
  ASSERT_EQ(transport.asked.size(), 4u);
  EXPECT_EQ(transport.asked.at(2).connect_timeout, 10s) << "patiently, the second time";
}

TEST_F(RegistryAccessTest, FollowsARegistryThatMovesItsCallersInPlainHttp) {
  on("GET https://10.0.0.1:5000/v2/",
     [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "refused"); });
  on("GET http://10.0.0.1:5000/v2/",
     HttpResponse{.status = 308, .headers = {{"Location", "http://10.0.0.2:5000/v2/"}}});
  const std::string path = "/v2/app/manifests/1";
  on("HEAD http://10.0.0.1:5000" + path,
     HttpResponse{.status = 308, .headers = {{"Location", "http://10.0.0.2:5000" + path}}});
  on("HEAD http://10.0.0.2:5000" + path, kFound);
  EXPECT_EQ(resolve("10.0.0.1:5000/app:1"), kDigest);
}

// oci 6: HTTPS is still what is tried first; its storage is no registry that was listed
TEST_F(RegistryAccessTest, ChecksNoCertificateOfAListedRegistry) {
  make({"r.example"});
  on("GET https://r.example/v2/", HttpResponse{.status = 401});
  const auto digest = serve("abc");
  on("GET " + blob_url("abc"), HttpResponse{.status = 307, .headers = {{"Location", "https://cdn.example/abc"}}});
  on("GET https://cdn.example/abc", HttpResponse{.status = 200, .body = "abc"});
  EXPECT_EQ(fetch(digest), "abc");
  ASSERT_EQ(transport.asked.size(), 4u);
  for (const auto& request : transport.asked)
    EXPECT_EQ(request.tls.verify, request.url == "https://cdn.example/abc") << request.url;
}

TEST_F(RegistryAccessTest, IsNotConfusedByAParallelRequestThatFindsTheRegistryGone) {
  const std::string host = "127.0.0.1:5000";
  on("GET https://" + host + "/v2/",
     [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "wrong version number"); });
  on("GET http://" + host + "/v2/", HttpResponse{.status = 200});
  on("HEAD http://" + host + "/v2/app/manifests/gone",
     [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "reset"); });
  const auto refuse_late = [&](const HttpRequest&) -> Result<HttpResponse> {
    EXPECT_EQ(resolve(host + "/app:gone"), "unavailable: reset");  // the scheme is to be found out again
    return error(403, "DENIED");
  };
  for (const std::string method : {"HEAD", "GET"}) on(method + " http://" + host + "/v2/app/manifests/1", refuse_late);
  EXPECT_TRUE(resolve(host + "/app:1")
                  .starts_with("denied: GET http://127.0.0.1:5000/v2/app/manifests/1: 403 DENIED: because"));
}

TEST_F(RegistryAccessTest, NamesALocalHostThatIsNoRegistry) {
  on("GET https://127.0.0.1:80/v2/",
     [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "wrong version number"); });
  on("GET http://127.0.0.1:80/v2/", HttpResponse{.status = 404, .body = "internal page"});
  EXPECT_EQ(resolve("127.0.0.1:80/app:1"), "invalid: GET http://127.0.0.1:80/v2/: 404: not an OCI registry");
}

// oci 3.1: once, and it names the way out
TEST_F(RegistryAccessTest, SaysThatItWithholdsCredentialsFromPlainHttp) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const std::string host = "http://10.0.0.1:5000", tag = host + "/v2/app/manifests/1";
  on("GET https://10.0.0.1:5000/v2/",
     [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "refused"); });
  on("GET " + host + "/v2/", HttpResponse{.status = 401});
  for (const std::string method : {"HEAD ", "GET "}) on(method + tag, challenge("Basic realm=\"x\""));
  testing::internal::CaptureStderr();
  registry = Registry::make({}, transport, credentials, *store, clock, Log({.level = LogLevel::warning}));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(resolve("10.0.0.1:5000/app:1").starts_with("denied: "));
  const auto log = testing::internal::GetCapturedStderr();
  const auto warning = log.find("list the registry in OCI_INSECURE_REGISTRIES to allow it");
  ASSERT_NE(warning, log.npos) << log;
  EXPECT_EQ(log.find("OCI_INSECURE_REGISTRIES", warning + 40), log.npos) << log;
}

TEST_F(RegistryAccessTest, RemembersTheThousandRegistriesThatWereUsedLast) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  on("HEAD " + kTag, challenge("Basic realm=\"x\""));
  on("HEAD " + kTag, kFound);
  EXPECT_EQ(resolve(), kDigest);
  int named = 0;
  const auto name_others = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) resolve(fmt::format("h{}.example/app:1", named++));
  };
  const auto first_header = [&] {
    transport.asked.clear();
    EXPECT_EQ(resolve(), kDigest);
    return header_of(transport.asked.at(0), "Authorization");
  };
  name_others(RegistryAccess::kPeersMax - 1);
  EXPECT_NE(first_header(), "");
  name_others(RegistryAccess::kPeersMax - 1);
  EXPECT_NE(first_header(), "") << "it was used after the others";
  name_others(RegistryAccess::kPeersMax);
  EXPECT_EQ(first_header(), "");
}

TEST_F(RegistryAccessTest, ForgetsNoRegistryThatIsBeingAsked) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  on("HEAD " + kTag, [&](const HttpRequest&) {
    for (std::size_t i = 0; i <= RegistryAccess::kPeersMax; ++i) resolve(fmt::format("h{}.example/app:1", i));
    return challenge("Basic realm=\"x\"");
  });
  on("HEAD " + kTag, kFound);
  EXPECT_EQ(resolve(), kDigest);
  transport.asked.clear();
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_NE(header_of(transport.asked.at(0), "Authorization"), "") << "what it wanted was not forgotten meanwhile";
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

// reliability/P20, T8: whoever is on the way to a registry on plain HTTP may name any token service
TEST_F(RegistryAccessTest, SendsNoCredentialsWhereARegistryOnPlainHttpSendsIt) {
  const struct {
    std::string host, token_service;
    bool is_listed, is_sent;
  } rows[] = {{"10.0.0.1:5000", "https://auth.example/t", false, false},
              {"10.0.0.1:5000", "http://10.0.0.1:5000/t", false, false},
              {"10.0.0.1:5000", "https://auth.example/t", true, false},
              {"10.0.0.1:5000", "http://auth.example/t", true, false},
              {"10.0.0.1:5000", "http://10.0.0.1:5000/t", true, true},
              {"r.example:5000", "https://r.example/t", true, true},
              {"127.0.0.1:5000", "http://localhost:5001/t", false, true},
              {"127.0.0.1:5000", "https://auth.example/t", false, true},
              {"127.0.0.1:5000", "http://auth.example/t", false, false}};
  const Credential kCredentials[] = {BasicCredential{"user", Secret("pass")}, IdentityToken{Secret("secret-id")},
                                     RegistryToken{Secret("secret-token")}};
  for (const auto& row : rows)
    for (const auto& credential : kCredentials) {
      SCOPED_TRACE(row.host + " " + row.token_service);
      credentials.credential = credential;
      answers.clear();
      transport.asked.clear();
      make(row.is_listed ? std::vector{row.host} : std::vector<std::string>{});
      on("GET https://" + row.host + "/v2/",
         [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "refused"); });
      on("GET http://" + row.host + "/v2/", HttpResponse{.status = 401});
      const auto tag = "http://" + row.host + "/v2/app/manifests/1";
      on("HEAD " + tag, challenge("Bearer realm=\"" + row.token_service + "\",service=\"s\""));
      on("HEAD " + tag, kFound);
      const HttpResponse token{.status = 200, .body = R"({"token":"T"})"};
      on("POST " + row.token_service, token);
      on("GET " + row.token_service + "?scope=repository%3Aapp%3Apull&service=s", token);
      EXPECT_EQ(resolve(row.host + "/app:1"), kDigest);
      bool was_sent = false;
      for (const auto& request : transport.asked) {
        const auto header = header_of(request, "Authorization");
        was_sent = was_sent || request.body.find("secret-id") != std::string::npos || header == "Bearer secret-token" ||
                   header == "Basic dXNlcjpwYXNz";
      }
      EXPECT_EQ(was_sent, row.is_sent);
    }
}

}  // namespace
}  // namespace windlass
