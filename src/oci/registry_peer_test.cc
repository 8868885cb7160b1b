// In which scheme a registry is asked: what GET /v2/ and its redirects say (oci 3.1).
#include "oci/registry_peer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oci/fake_registry.h"

namespace windlass {
namespace {

using RegistryPeerTest = HttpRegistryTest;

HttpResponse redirect(const std::string& location) { return {.status = 308, .headers = {{"Location", location}}}; }

Result<HttpResponse> refused(const HttpRequest&) { return fail(Kind::unavailable, "refused"); }

// The final scheme counts, and nothing else of where a ping ends: the registry that was named is what is asked.
TEST_F(RegistryPeerTest, IsAskedInTheSchemeInWhichItsPingEnds) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const std::string https = "https://10.0.0.1/v2/", http = "http://10.0.0.1/v2/", proxy = "https://proxy.example/v2/";
  const std::string at_https = https + "app/manifests/1", at_http = http + "app/manifests/1";
  const std::string looping = "invalid: GET " + http + ": 308: more than 10 redirects";
  const HttpResponse good{.status = 200}, asks_who{.status = 401}, none{.status = 404};
  const Result<HttpResponse> expired = fail(Kind::denied, "certificate expired");
  const struct {
    std::string what;
    std::map<std::string, Result<HttpResponse>> pings;  // what is not among them refuses connections
    bool is_slow;                                       // TLS, at the first contact
    std::string ended;                                  // where the manifest was found, or why it was not
  } rows[] = {
      {"to HTTPS of the same name", {{http, redirect(https)}, {https, asks_who}}, true, at_https},
      {"in steps", {{http, redirect("/x")}, {"http://10.0.0.1/x", redirect(https)}, {https, good}}, true, at_https},
      {"to HTTPS that says nothing good", {{http, redirect(https)}, {https, none}}, true, at_https},
      {"to HTTPS that is not there", {{http, redirect(https)}}, true, "unavailable: refused"},
      {"to another path", {{http, redirect("/x")}, {"http://10.0.0.1/x", asks_who}}, false, at_http},
      {"to another host", {{http, redirect("http://10.0.0.2/")}, {"http://10.0.0.2/", good}}, false, at_http},
      {"to another port",
       {{http, redirect("https://10.0.0.1:8443/")}, {"https://10.0.0.1:8443/", good}},
       false,
       at_http},
      {"to HTTPS elsewhere", {{http, redirect(proxy)}, {proxy, asks_who}}, false, at_http},
      {"there, with HTTPS of its own", {{http, redirect(proxy)}, {proxy, good}, {https, good}}, true, at_https},
      {"there, with nobody", {{http, redirect(proxy)}}, false, "unavailable: refused"},
      {"there, with no registry", {{http, redirect(proxy)}, {proxy, none}}, false, "unavailable: refused"},
      {"to a host that is away", {{http, redirect("http://10.0.0.2/")}}, false, "unavailable: refused"},
      {"to no registry",
       {{http, redirect("http://10.0.0.2/")}, {"http://10.0.0.2/", none}},
       false,
       "invalid: GET http://10.0.0.2/: 404: not an OCI registry"},
      {"to no place",
       {{http, redirect("file:///etc/passwd")}},
       false,
       "invalid: GET http://10.0.0.1/v2/: 308: redirect without a usable location"},
      {"to itself", {{http, redirect(http)}}, false, looping},
      {"with a bad certificate",
       {{https, expired}, {http, redirect(proxy)}, {proxy, good}},
       false,
       "denied: certificate expired"},
      {"from HTTPS to plain HTTP", {{https, redirect(http)}, {http, asks_who}}, false, at_https},
      {"from HTTPS to plain HTTP elsewhere",
       {{https, redirect("http://10.0.0.2/")}, {"http://10.0.0.2/", good}, {http, good}},
       false,
       at_https},
      {"from HTTPS to HTTPS", {{https, redirect(proxy)}, {proxy, none}}, false, at_https},
      {"from HTTPS to nobody", {{https, redirect(proxy)}}, false, at_https},
      {"from HTTPS in circles", {{https, redirect(https)}}, false, at_https},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    transport.asked.clear();
    make();
    transport.answer = [&](const HttpRequest& request) -> Result<HttpResponse> {
      if (request.url.ends_with("/app/manifests/1")) return kFound;
      const bool is_late = row.is_slow && request.connect_timeout < 1s;
      const auto ping = row.pings.find(request.url);
      return ping == row.pings.end() || is_late ? refused(request) : ping->second;
    };
    const auto found = resolve("10.0.0.1/app:1");
    EXPECT_EQ(found == kDigest ? transport.asked.back().url : found, row.ended);
    for (const auto& request : transport.asked) EXPECT_EQ(header_of(request, "Authorization"), "") << request.url;
    if (row.ended == looping) {
      EXPECT_EQ(transport.asked.size(), 12u) << "HTTPS, HTTP and ten redirects";
    }
  }
}

// reliability/P20, T7: a hop of a ping is treated as one of any other request
TEST_F(RegistryPeerTest, ShowsNothingOfTheRegistrysToWhoeverAPingIsSentTo) {
  const RegistryRule rule{
      .prefix = "r.example", .location = "r.example", .insecure = true, .client_cert_file = "/client.pem"};
  registry = Registry::make({.rules = {rule}}, transport, credentials, *store, clock, Log());
  on("GET https://r.example/v2/", refused);
  on("GET https://r.example/v2/", HttpResponse{.status = 401});
  on("GET http://r.example/v2/", redirect("https://cdn.example/v2/"));
  on("GET https://cdn.example/v2/", redirect("https://r.example/v2/"));
  on("HEAD " + kTag, kFound);
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_EQ(asked(),
            (std::vector<std::string>{"GET https://r.example/v2/", "GET http://r.example/v2/",
                                      "GET https://cdn.example/v2/", "GET https://r.example/v2/", "HEAD " + kTag}));
  for (const auto& request : transport.asked) {
    SCOPED_TRACE(request.url);
    const bool is_foreign = request.url.starts_with("https://cdn.example/");
    EXPECT_EQ(request.tls.verify, is_foreign);
    EXPECT_EQ(request.tls.client_cert_file, is_foreign ? "" : "/client.pem");
    EXPECT_EQ(request.refuse_private_addresses, is_foreign);
    EXPECT_EQ(header_of(request, "User-Agent"), "windlass");
  }
}

TEST_F(RegistryPeerTest, LetsNoPublicRegistrySendAPingToAPrivateAddress) {
  make({"r.example"});
  on("GET https://r.example/v2/", refused);
  on("GET http://r.example/v2/", redirect("http://10.0.0.9/v2/"));
  on("GET http://10.0.0.9/v2/", refuse_private({.status = 200}));
  EXPECT_EQ(resolve(), "denied: private address refused");
  answers.erase("GET http://r.example/v2/");
  auto private_redirect = redirect("http://10.0.0.9/v2/");
  private_redirect.peer = AddressScope::rfc1918;
  on("GET http://r.example/v2/", private_redirect);
  on("HEAD http://r.example/v2/app/manifests/1", kFound);
  EXPECT_EQ(resolve(), kDigest);
}

// reliability/P20, T8: whoever a ping is sent to may name any token service
TEST_F(RegistryPeerTest, KeepsCredentialsFromWhoeverAPingIsSentTo) {
  const Credential kCredentials[] = {BasicCredential{"user", Secret("pass")}, IdentityToken{Secret("secret-id")},
                                     RegistryToken{Secret("secret-token")}};
  const struct {
    std::string host;
    bool is_listed;
    std::string elsewhere;
  } rows[] = {{"10.0.0.1:5000", false, "https://evil.example"},
              {"10.0.0.1:5000", true, "https://evil.example"},
              {"10.0.0.1:5000", true, "https://10.0.0.1:8443"},
              {"127.0.0.1:5000", false, "https://evil.example"},
              {"127.0.0.1:5000", false, "http://127.0.0.1:5001"}};
  const std::string realm = "https://auth.evil.example/token", query = "?scope=repository%3Aapp%3Apull";
  const auto wants_token = challenge(fmt::format("Bearer realm=\"{}\",scope=\"repository:app:pull\"", realm));
  for (const auto& row : rows)
    for (const auto& credential : kCredentials) {
      SCOPED_TRACE(row.host + " " + row.elsewhere);
      credentials.credential = credential;
      answers.clear();
      transport.asked.clear();
      make(row.is_listed ? std::vector{row.host} : std::vector<std::string>{});
      const std::string tag = "/v2/app/manifests/1", own = "http://" + row.host;
      on("GET https://" + row.host + "/v2/", refused);
      on("GET " + own + "/v2/", redirect(row.elsewhere + "/v2/"));
      on("GET " + row.elsewhere + "/v2/", wants_token);
      on("HEAD " + own + tag, redirect(row.elsewhere + tag));
      on("HEAD " + row.elsewhere + tag, wants_token);
      on("HEAD " + row.elsewhere + tag, kFound);
      on("GET " + realm + query, HttpResponse{.status = 200, .body = R"({"token":"anonymous"})"});
      EXPECT_EQ(resolve(row.host + "/app:1"), kDigest);
      int tokens = 0;
      for (const auto& request : transport.asked) {
        tokens += request.url.starts_with(realm);
        EXPECT_EQ(request.body, "") << request.url;
        const bool shows_token = request.method == "HEAD" && tokens > 0 && request.url == row.elsewhere + tag;
        EXPECT_EQ(header_of(request, "Authorization"), shows_token ? "Bearer anonymous" : "") << request.url;
      }
      EXPECT_EQ(tokens, 1) << "the challenge of a ping is nobody's";
    }
}

// Decision 179: with no query, which may be a signature
TEST_F(RegistryPeerTest, IsNotBlamedForWhatStorageRefuses) {
  const auto digest = serve("abc");
  const std::string cdn = "https://cdn.example/abc?X-Amz-Signature=secret", token = "https://auth.example/token";
  for (const bool wants_token : {false, true})
    for (const int status : {401, 403}) {
      SCOPED_TRACE(status);
      make();
      answers.erase("GET " + blob_url("abc"));
      answers.erase("GET " + cdn);
      if (wants_token) on("GET " + blob_url("abc"), challenge(fmt::format("Bearer realm=\"{}\"", token)));
      on("GET " + blob_url("abc"), HttpResponse{.status = 307, .headers = {{"Location", cdn}}});
      on("GET " + token + "?scope=repository%3Aapp%3Apull",
         HttpResponse{.status = 200, .body = R"({"token":"T","expires_in":300})"});
      on("GET " + cdn, HttpResponse{.status = status, .body = "<Error><Code>RequestTimeTooSkewed</Code></Error>"});
      EXPECT_EQ(fetch(digest), fmt::format("denied: layer 1: GET https://cdn.example/abc: {}", status));
    }
}

// As where a URL is signed for GET alone.
TEST_F(RegistryPeerTest, AsksByGetWhereStorageRefusesAHead) {
  const std::string cdn = "https://cdn.example/1?sig=secret", manifest = manifest_of("abc");
  for (const std::string method : {"HEAD ", "GET "}) on(method + kTag, redirect(cdn));
  on("HEAD " + cdn, HttpResponse{.status = 403});
  on("GET " + cdn, HttpResponse{.status = 200, .headers = {{"Content-Type", kType}}, .body = manifest});
  EXPECT_EQ(resolve(), digest_of(manifest).str());
  answers["GET " + cdn].clear();
  on("GET " + cdn, HttpResponse{.status = 403});
  EXPECT_EQ(resolve(), "denied: GET https://cdn.example/1: 403");
}

TEST_F(RegistryPeerTest, IsAskedOverItsOwnHttpsAgainWhenThatIsBack) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const std::string tag = "/v2/app/manifests/1";
  for (int i = 0; i < 4; ++i) on("GET https://10.0.0.1/v2/", refused);  // two for HEAD, two for GET
  on("GET https://10.0.0.1/v2/", HttpResponse{.status = 401});
  on("GET http://10.0.0.1/v2/", redirect("https://proxy.example/v2/"));
  on("GET https://proxy.example/v2/", HttpResponse{.status = 401});
  for (const std::string method : {"HEAD ", "GET "}) {
    on(method + "http://10.0.0.1" + tag, redirect("https://proxy.example" + tag));
    on(method + "https://proxy.example" + tag, challenge("Basic realm=\"x\""));
    on(method + "https://10.0.0.1" + tag, challenge("Basic realm=\"x\""));
    on(method + "https://10.0.0.1" + tag, kFound);
  }
  EXPECT_TRUE(resolve("10.0.0.1/app:1").starts_with("denied: "));
  EXPECT_EQ(resolve("10.0.0.1/app:1"), kDigest);
  EXPECT_EQ(transport.asked.back().url, "https://10.0.0.1" + tag);
  EXPECT_NE(header_of(transport.asked.back(), "Authorization"), "");
}

}  // namespace
}  // namespace windlass
