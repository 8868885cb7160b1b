#include "oci/registry_access.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oci/fake_registry.h"

namespace windlass {
namespace {

using RegistryAccessTest = HttpRegistryTest;

// reliability/F53: who has a public name is never asked in plain HTTP (oci 3.1), and what is wrong is told
TEST_F(RegistryAccessTest, NeverFallsBackToPlainHttpWhereTlsFails) {
  const Error faults[] = {
      {Kind::denied, "SSL certificate problem: certificate has expired"},
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

// Decision 178: and nobody asks again what no patience mends
TEST_F(RegistryAccessTest, NamesTheSettingThatMendsATlsFault) {
  const std::string plain = "; if it speaks plain HTTP, list it in OCI_INSECURE_REGISTRIES",
                    ca = "; its CA: ca_file in OCI_REGISTRIES_FILE, or SSL_CERT_DIR";
  const struct {
    Error fault;
    std::string kind, advice;
  } rows[] = {
      {{Kind::unavailable, "TLS handshake: OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number"},
       "invalid: ",
       plain},
      {{Kind::unavailable, "TLS handshake: TLS connect error: error:0A0000C6:SSL routines::packet length too long"},
       "invalid: ",
       plain},
      {{Kind::denied, "SSL certificate problem: self-signed certificate"}, "denied: ", ca},
      {{Kind::denied, "SSL certificate problem: self-signed certificate in certificate chain"}, "denied: ", ca},
      {{Kind::denied, "SSL certificate problem: unable to get local issuer certificate"}, "denied: ", ca},
  };
  for (const std::string host : {"r.example", "nas.lan:5000", "registry:5000"})
    for (const auto& row : rows) {
      SCOPED_TRACE(host + ": " + row.fault.message);
      answers.clear();
      transport.asked.clear();
      make();
      const auto look = fmt::format("HEAD https://{}/v2/app/manifests/1", host);
      on(look, [&](const HttpRequest&) -> Result<HttpResponse> { return tl::unexpected(row.fault); });
      EXPECT_EQ(resolve(host + "/app:1"), row.kind + row.fault.message + row.advice);
      EXPECT_EQ(asked(), std::vector<std::string>{look});
    }
}

TEST_F(RegistryAccessTest, NamesTheCaWherePlainHttpIsTriedToo) {
  const std::string fault = "SSL certificate problem: unable to get local issuer certificate";
  on("GET https://10.0.0.1:5000/v2/",
     [&](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::denied, fault); });
  on("GET http://10.0.0.1:5000/v2/", HttpResponse{.status = 400});
  EXPECT_EQ(resolve("10.0.0.1:5000/app:1"),
            "denied: " + fault + "; its CA: ca_file in OCI_REGISTRIES_FILE, or SSL_CERT_DIR");
}

TEST_F(RegistryAccessTest, AdvisesNoPlainHttpForStorage) {
  const auto digest = serve("abc");
  on("GET " + blob_url("abc"), HttpResponse{.status = 307, .headers = {{"Location", "https://cdn.example/abc"}}});
  on("GET https://cdn.example/abc", [](const HttpRequest&) -> Result<HttpResponse> {
    return fail(Kind::unavailable, "TLS handshake: error:0A00010B:SSL routines::wrong version number");
  });
  const auto told = fetch(digest);
  EXPECT_TRUE(told.starts_with("unavailable: layer 1: ")) << told;
  EXPECT_EQ(told.find("OCI_INSECURE_REGISTRIES"), told.npos) << told;
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
  EXPECT_EQ(
      resolve(),
      "denied: GET https://auth.example/token: 403 DENIED: because; no credentials for r.example are known: docker "
      "login r.example, or DOCKER_AUTH_CONFIG");
  make();
  const auto digest = serve("abc");
  on("GET " + blob_url("abc"),
     HttpResponse{.status = 307, .headers = {{"Location", "https://cdn.example/abc?sig=secret"}}});
  on("GET https://cdn.example/abc?sig=secret",
     HttpResponse{.status = 302, .headers = {{"Location", "http://cdn.example/abc?sig=secret"}}});
  EXPECT_EQ(fetch(digest), "denied: layer 1: GET https://cdn.example/abc: 302: redirect to plain HTTP refused");
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
  on("GET http://10.0.0.2:5000/v2/", HttpResponse{.status = 200});
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
  on("GET http://127.0.0.1/v2/", HttpResponse{.status = 404, .body = "internal page"});
  EXPECT_EQ(resolve("127.0.0.1:80/app:1"), "invalid: GET http://127.0.0.1/v2/: 404: not an OCI registry");
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
