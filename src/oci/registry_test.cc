#include "oci/registry.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "oci/content_store.h"
#include "oci/credentials.h"
#include "sys/crypto.h"
#include "sys/fake_http.h"
#include "sys/files.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const std::string kType = "application/vnd.oci.image.manifest.v1+json";
const std::string kIndexType = "application/vnd.oci.image.index.v1+json";

struct FakeCredentials final : CredentialSource {
  Credential credential;
  Status check() override { return {}; }
  Result<Credential> find(const Reference&, const Deadline&) override { return credential; }
};

Digest digest_of(std::string_view bytes) { return Digest::of_sha256_hex(sha256_hex(bytes)); }

std::string descriptor(std::string_view bytes, const std::string& type = "t") {
  return fmt::format(R"({{"mediaType":"{}","digest":"{}","size":{}}})", type, digest_of(bytes).str(), bytes.size());
}

std::string manifest_of(std::string_view layer) {
  return fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","layers":[{}]}})", kType, descriptor(layer));
}

std::string header_of(const HttpRequest& request, std::string_view name) {
  return std::string(HttpResponse{.headers = request.headers}.header(name));
}

HttpResponse error(int status, const std::string& code) {
  return {.status = status, .body = fmt::format(R"({{"errors":[{{"code":"{}","message":"because"}}]}})", code)};
}

// r.example is public; the answers are a table of "METHOD URL", each line used in turn, the last one again and again.
class HttpRegistryTest : public testing::Test {
 protected:
  HttpRegistryTest() {
    auto name = (fs::temp_directory_path() / "windlass-registry-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    store = std::move(*ContentStore::open({.folder = folder}));
    transport.answer = [this](const HttpRequest& request) -> Result<HttpResponse> {
      const auto row = answers.find(request.method + " " + request.url);
      if (row == answers.end()) return HttpResponse{.status = 404};
      auto& list = row->second;
      auto answer = list.front();
      if (list.size() > 1) list.erase(list.begin());
      return answer(request);
    };
    make();
  }
  ~HttpRegistryTest() override { fs::remove_all(folder); }

  using Answer = std::function<Result<HttpResponse>(const HttpRequest&)>;
  void on(const std::string& asked, Answer answer) { answers[asked].push_back(std::move(answer)); }
  void on(const std::string& asked, HttpResponse response) {
    on(asked, [response](const HttpRequest&) { return response; });
  }
  void make(std::vector<std::string> insecure = {}) {
    registry = Registry::make({.insecure_registries = std::move(insecure), .backoff_base = 1ms, .backoff_max = 2ms},
                              transport, credentials, *store, Log(Log::Options{.level = LogLevel::critical}));
  }
  std::string resolve(const std::string& reference = "r.example/app:1") {
    const auto digest = registry->tag_digest(*Reference::parse(reference), Deadline::in(5s));
    if (!digest) return fmt::format("{}: {}", to_string(digest.error().kind), digest.error().message);
    return *digest ? (*digest)->str() : "absent";
  }
  std::string fetch(const Digest& digest) {
    const auto artifact = registry->fetch(*Reference::parse("r.example/app:1"), digest, Deadline::in(5s));
    if (!artifact) return fmt::format("{}: {}", to_string(artifact.error().kind), artifact.error().message);
    return *read_file(artifact->layers.at(0).file, 1 << 20);
  }
  // An artifact of one layer at r.example/app.
  Digest serve(const std::string& layer) {
    const auto manifest = manifest_of(layer);
    on("GET " + kManifests + digest_of(manifest).str(),
       HttpResponse{.status = 200, .headers = {{"Content-Type", kType}}, .body = manifest});
    return digest_of(manifest);
  }
  std::string blob_url(const std::string& layer) const {
    return "https://r.example/v2/app/blobs/" + digest_of(layer).str();
  }
  std::vector<std::string> asked() const {
    std::vector<std::string> list;
    for (const auto& request : transport.asked) list.push_back(request.method + " " + request.url);
    return list;
  }

  const std::string kManifests = "https://r.example/v2/app/manifests/";
  const std::string kTag = kManifests + "1";
  const std::string kDigest = "sha256:" + std::string(64, 'd');
  const HttpResponse kFound{.status = 200, .headers = {{"Docker-Content-Digest", kDigest}}};

  fs::path folder;
  std::map<std::string, std::vector<Answer>> answers;
  FakeTransport transport;
  FakeCredentials credentials;
  std::unique_ptr<ContentStore> store;
  std::unique_ptr<Registry> registry;
};

HttpResponse challenge(const std::string& value) {
  auto response = error(401, "UNAUTHORIZED");
  response.headers.push_back({"WWW-Authenticate", value});
  return response;
}

TEST_F(HttpRegistryTest, ResolvesATagWithOneRequest) {
  on("HEAD " + kTag, kFound);
  EXPECT_EQ(resolve(), kDigest);
  ASSERT_EQ(transport.asked.size(), 1u);
  EXPECT_EQ(header_of(transport.asked[0], "Accept"),
            "application/vnd.docker.distribution.manifest.v2+json,application/vnd.oci.image.manifest.v1+json,"
            "application/vnd.docker.distribution.manifest.list.v2+json,application/vnd.oci.image.index.v1+json");
  EXPECT_EQ(header_of(transport.asked[0], "Authorization"), "");
}

TEST_F(HttpRegistryTest, GetsTheManifestWhereHeadDoesNotDo) {
  const auto manifest = manifest_of("abc");
  const HttpResponse heads[] = {
      {.status = 200}, {.status = 405}, {.status = 404}, {.status = 200, .headers = {{"Docker-Content-Digest", "x"}}}};
  for (const auto& head : heads) {
    answers.clear();
    on("HEAD " + kTag, head);
    on("GET " + kTag, HttpResponse{.status = 200, .headers = {{"Docker-Content-Digest", kDigest}}, .body = manifest});
    EXPECT_EQ(resolve(), digest_of(manifest).str()) << "the header of a GET is not trusted (F46)";
  }
  EXPECT_EQ(resolve("r.example/other:1"), "absent");
}

// reliability/F41
TEST_F(HttpRegistryTest, AsksAgainWhatPassesAndGivesUpAfterFive) {
  on("HEAD " + kTag, HttpResponse{.status = 503});
  on("HEAD " + kTag, HttpResponse{.status = 429, .headers = {{"Retry-After", "nonsense"}}});
  on("HEAD " + kTag, [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "reset"); });
  on("HEAD " + kTag, kFound);
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_EQ(transport.asked.size(), 4u);

  answers.clear();
  transport.asked.clear();
  on("HEAD " + kTag, HttpResponse{.status = 502});
  EXPECT_EQ(resolve(), "unavailable: HEAD https://r.example/v2/app/manifests/1: 502");
  EXPECT_EQ(transport.asked.size(), 5u);

  answers.clear();
  transport.asked.clear();
  on("HEAD " + kTag, HttpResponse{.status = 429, .headers = {{"Retry-After", "86400"}}});
  EXPECT_EQ(resolve(), "unavailable: HEAD https://r.example/v2/app/manifests/1: 429, to be asked again in 86400 s");
  EXPECT_EQ(transport.asked.size(), 1u);
}

// reliability/F43; the peer's own words only if it speaks as a registry does (T6)
TEST_F(HttpRegistryTest, TellsWhyItIsRefused) {
  on("HEAD " + kTag, HttpResponse{.status = 403});
  on("GET " + kTag, error(403, "DENIED"));
  EXPECT_EQ(resolve(), "denied: GET https://r.example/v2/app/manifests/1: 403 DENIED: because");
  EXPECT_EQ(transport.asked.size(), 2u);
  answers.clear();
  on("GET " + kTag, HttpResponse{.status = 400, .body = "<html>secret page</html>"});
  EXPECT_EQ(resolve(), "invalid: GET https://r.example/v2/app/manifests/1: 400");
}

TEST_F(HttpRegistryTest, SendsAPasswordWhenAskedAndRemembersToDoSo) {
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

TEST_F(HttpRegistryTest, GetsATokenAndKeepsIt) {
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
TEST_F(HttpRegistryTest, GetsOneNewTokenWithTheScopesOfALater401) {
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\",scope=\"extra:x:pull\""));
  on("GET " + kTag, challenge("Bearer realm=\"https://auth.example/token\",scope=\"extra:x:pull\""));
  const auto token_url = std::string("https://auth.example/token?scope=extra%3Ax%3Apull&scope=repository%3Aapp%3Apull");
  on("GET " + token_url, HttpResponse{.status = 200, .body = R"({"token":"T","expires_in":300})"});
  EXPECT_EQ(resolve(), "denied: GET https://r.example/v2/app/manifests/1: 401 UNAUTHORIZED: because");
  // the second token is the first one again: asking with it once more would tell nothing new
  EXPECT_EQ(asked(), (std::vector<std::string>{"HEAD " + kTag, "GET " + token_url, "HEAD " + kTag, "GET " + kTag,
                                               "GET " + token_url}));
}

TEST_F(HttpRegistryTest, PostsAnIdentityTokenAndFallsBackToGet) {
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

TEST_F(HttpRegistryTest, SendsARegistryTokenAsItIs) {
  credentials.credential = RegistryToken{Secret("R")};
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("HEAD " + kTag, kFound);
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_EQ(header_of(transport.asked[1], "Authorization"), "Bearer R");
}

// reliability/F52, T8
TEST_F(HttpRegistryTest, NeverContactsAnUnsafeTokenService) {
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

TEST_F(HttpRegistryTest, JudgesTheRedirectsOfATokenService) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const auto query = std::string("?scope=repository%3Aapp%3Apull");
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("GET https://auth.example/token" + query,
     HttpResponse{.status = 302, .headers = {{"Location", "https://169.254.169.254/x"}}});
  EXPECT_EQ(resolve(), "denied: token service https://169.254.169.254/x is at a link-local address");
  EXPECT_EQ(transport.asked.size(), 2u);
}

TEST_F(HttpRegistryTest, SpeaksHttpsOnlyToPublicHosts) {
  transport.answer = [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "refused"); };
  EXPECT_EQ(resolve(), "unavailable: refused");
  for (const auto& request : transport.asked) EXPECT_TRUE(request.url.starts_with("https://")) << request.url;
}

TEST_F(HttpRegistryTest, LearnsThatALocalRegistrySpeaksPlainHttp) {
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

TEST_F(HttpRegistryTest, NamesALocalHostThatIsNoRegistry) {
  on("GET https://127.0.0.1:80/v2/",
     [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "wrong version number"); });
  on("GET http://127.0.0.1:80/v2/", HttpResponse{.status = 404, .body = "internal page"});
  EXPECT_EQ(resolve("127.0.0.1:80/app:1"), "invalid: GET http://127.0.0.1:80/v2/: 404: not an OCI registry");
}

// reliability/P20
TEST_F(HttpRegistryTest, SendsCredentialsOverPlainHttpToLoopbackAndListedHostsOnly) {
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

TEST_F(HttpRegistryTest, FetchesAnArtifactAndNothingTwice) {
  const auto digest = serve("layer bytes");
  on("GET " + blob_url("layer bytes"), HttpResponse{.status = 200, .body = "layer bytes"});
  EXPECT_EQ(fetch(digest), "layer bytes");
  EXPECT_EQ(transport.asked.size(), 2u);
  EXPECT_EQ(fetch(digest), "layer bytes");
  EXPECT_EQ(transport.asked.size(), 2u);
}

TEST_F(HttpRegistryTest, TakesInlineDataAfterChecking) {
  for (const auto& [data, message] :
       {std::pair<std::string, std::string>{"abc", "abc"},
        {"abd", "invalid: layer 1: blob digest mismatch: expected " + digest_of("abc").str()}}) {
    const auto manifest =
        fmt::format(R"({{"schemaVersion":2,"layers":[{{"mediaType":"t","digest":"{}","size":3,"data":"{}"}}]}})",
                    digest_of("abc").str(), base64_encode(data));
    on("GET " + kManifests + digest_of(manifest).str(), HttpResponse{.status = 200, .body = manifest});
    fs::remove(store->find(digest_of("abc")));
    EXPECT_EQ(fetch(digest_of(manifest)), message);
  }
}

// reliability/F45, F46
TEST_F(HttpRegistryTest, RefusesBytesThatAreNotTheDigest) {
  const auto manifest = manifest_of("abc");
  on("GET " + kManifests + kDigest, HttpResponse{.status = 200, .body = manifest});
  EXPECT_EQ(fetch(*Digest::parse(kDigest)), "invalid: GET r.example/v2/app/manifests/" + kDigest +
                                                ": manifest digest mismatch: got " + digest_of(manifest).str());
  const auto digest = serve("abc");
  on("GET " + blob_url("abc"), HttpResponse{.status = 200, .body = "abd"});
  EXPECT_EQ(fetch(digest), "invalid: layer 1: blob digest mismatch: expected " + digest_of("abc").str());
}

TEST_F(HttpRegistryTest, RefusesIndexesThatAreTooDeep) {
  auto document = manifest_of("abc");
  auto type = kType;
  on("GET " + blob_url("abc"), HttpResponse{.status = 200, .body = "abc"});
  for (int depth = 0; depth <= 3; ++depth) {
    on("GET " + kManifests + digest_of(document).str(),
       HttpResponse{.status = 200, .headers = {{"Content-Type", type}}, .body = document});
    const auto want = depth <= 2 ? "abc" : "invalid: index " + digest_of(document).str() + " is nested deeper than 2";
    EXPECT_EQ(fetch(digest_of(document)), want);
    document = fmt::format(R"({{"schemaVersion":2,"manifests":[{}]}})", descriptor(document, type));
    type = kIndexType;
  }
}

TEST_F(HttpRegistryTest, RefusesAChildOfAnotherSize) {
  const auto digest = serve("abc");
  const auto index = fmt::format(R"({{"schemaVersion":2,"manifests":[{{"digest":"{}","size":1}}]}})", digest.str());
  on("GET " + kManifests + digest_of(index).str(), HttpResponse{.status = 200, .body = index});
  EXPECT_EQ(fetch(digest_of(index)), fmt::format("invalid: manifest {} has {} bytes, its descriptor says 1",
                                                 digest.str(), manifest_of("abc").size()));
}

// reliability/F51, P20
TEST_F(HttpRegistryTest, FollowsARedirectWithoutCredentials) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  on("HEAD " + kTag, challenge("Basic realm=\"x\""));
  on("HEAD " + kTag, kFound);
  resolve();
  transport.asked.clear();
  const auto digest = serve("abc");
  on("GET " + blob_url("abc"),
     HttpResponse{.status = 307, .headers = {{"Location", "https://cdn.example/abc?sig=secret"}}});
  on("GET https://cdn.example/abc?sig=secret", HttpResponse{.status = 200, .body = "abc"});
  EXPECT_EQ(fetch(digest), "abc");
  ASSERT_EQ(transport.asked.size(), 3u);
  EXPECT_NE(header_of(transport.asked[1], "Authorization"), "");
  EXPECT_EQ(header_of(transport.asked[2], "Authorization"), "");
  EXPECT_FALSE(transport.asked[1].refuse_private_addresses);
  EXPECT_TRUE(transport.asked[2].refuse_private_addresses);
}

TEST_F(HttpRegistryTest, RefusesUnsafeAndEndlessRedirects) {
  const auto digest = serve("abc");
  const auto url = blob_url("abc");
  const std::pair<std::string, std::string> rows[] = {
      {"http://cdn.example/x", "denied: layer 1: GET " + url + ": 302: redirect to plain HTTP refused"},
      {"file:///etc/passwd", "invalid: layer 1: GET " + url + ": 302: redirect without a usable location"},
      {url, "invalid: layer 1: GET " + url + ": 302: more than 10 redirects"},
  };
  for (const auto& [location, message] : rows) {
    SCOPED_TRACE(location);
    answers.erase("GET " + url);
    transport.asked.clear();
    on("GET " + url, HttpResponse{.status = 302, .headers = {{"Location", location}}});
    EXPECT_EQ(fetch(digest), message);
  }
  EXPECT_EQ(transport.asked.size(), 11u);
}

TEST_F(HttpRegistryTest, LetsAPrivateRegistryRedirectToAPrivateAddress) {
  const auto digest = serve("abc");
  const auto refuse_private = [](HttpResponse answer) {
    return [answer](const HttpRequest& request) -> Result<HttpResponse> {
      if (request.refuse_private_addresses) return fail(Kind::denied, "private address refused");
      return answer;
    };
  };
  on("GET " + blob_url("abc"), HttpResponse{.status = 307, .headers = {{"Location", "https://10.0.0.9/abc"}}});
  on("GET https://10.0.0.9/abc", refuse_private({.status = 200, .body = "abc"}));
  on("GET https://r.example/v2/", HttpResponse{.status = 401});  // reached at a public address
  EXPECT_EQ(fetch(digest), "denied: layer 1: private address refused");
  answers.erase("GET https://r.example/v2/");
  on("GET https://r.example/v2/", refuse_private({.status = 401}));
  make();
  EXPECT_EQ(fetch(digest), "abc");
}

// reliability/F54
TEST_F(HttpRegistryTest, ResumesABlobByRange) {
  const std::string layer = "0123456789";
  struct CutTransport final : HttpTransport {
    std::string layer;
    int mode = 206;
    std::vector<std::string> ranges;
    FakeTransport* rest = nullptr;
    Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline) override {
      return rest->send(request, deadline);
    }
    Result<HttpResponse> stream(const HttpRequest& request, const HeadCheck& wants, const BodySink& sink,
                                const Deadline&) override {
      const auto range = header_of(request, "Range");
      ranges.push_back(range);
      HttpResponse head{.status = 200};
      if (!range.empty()) {
        head.status = mode;
        if (mode == 206) head.headers.push_back({"Content-Range", "bytes 4-9/10"});
        if (mode == 1) head = {.status = 206, .headers = {{"Content-Range", "bytes 0-9/10"}}};
      }
      if (!wants(head)) return head;
      const bool is_first = ranges.size() == 1;
      if (auto taken = sink(head.status == 206 ? layer.substr(4) : is_first ? layer.substr(0, 4) : layer); !taken)
        return tl::unexpected(taken.error());
      return is_first ? Result<HttpResponse>(fail(Kind::unavailable, "reset")) : head;
    }
  };
  const auto digest = serve(layer);
  for (const int mode : {206, 200, 416, 1}) {
    SCOPED_TRACE(mode);
    CutTransport cut;
    cut.layer = layer;
    cut.mode = mode;
    cut.rest = &transport;
    registry = Registry::make({.backoff_base = 1ms}, cut, credentials, *store, Log());
    fs::remove(store->find(digest_of(layer)));
    EXPECT_EQ(fetch(digest), layer);
    auto want = std::vector<std::string>{"", "bytes=4-"};
    if (mode == 416 || mode == 1) want.push_back("");
    EXPECT_EQ(cut.ranges, want);
  }
}

TEST_F(HttpRegistryTest, LimitsTheBytesOfAllLayers) {
  const auto manifest = fmt::format(
      R"({{"schemaVersion":2,"layers":[{{"digest":"{}","size":1000000000}},{{"digest":"{}","size":1000000000}}]}})",
      kDigest, kDigest);
  on("GET " + kManifests + digest_of(manifest).str(), HttpResponse{.status = 200, .body = manifest});
  EXPECT_EQ(fetch(digest_of(manifest)), "invalid: layers are over 1073741824 bytes");
  EXPECT_EQ(transport.asked.size(), 1u);
}

}  // namespace
}  // namespace windlass
