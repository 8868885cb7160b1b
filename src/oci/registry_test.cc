#include "oci/registry.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "oci/fake_registry.h"

namespace windlass {
namespace {

std::string told(const Result<TagLook>& look) {
  if (!look) return fmt::format("{}: {}", to_string(look.error().kind), look.error().message);
  if (look->come_again) return fmt::format("come again in {} s: {}", look->come_again->count(), look->reason);
  return look->view ? look->view->digest.str() + " " + look->view->etag : "absent";
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
      {.status = 200},
      {.status = 405},
      {.status = 404},
      {.status = 200, .headers = {{"Docker-Content-Digest", "x"}}},
      {.status = 200,
       .headers = {{"Docker-Content-Digest", kDigest}, {"docker-content-digest", digest_of("other").str()}}},
  };
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

// oci 3.4: up to five minutes are waited for, here until the deadline comes first
TEST_F(HttpRegistryTest, WaitsFiveMinutesAtMostWhereTheRegistryWantsIt) {
  const auto reference = *Reference::parse("r.example/app:1");
  const std::string busy = "HEAD https://r.example/v2/app/manifests/1: 503";
  for (const auto& [wait, message] :
       {std::pair<std::string, std::string>{"300", busy}, {"301", busy + ", to be asked again in 301 s"}}) {
    answers.clear();
    transport.asked.clear();
    on("HEAD " + kTag, HttpResponse{.status = 503, .headers = {{"Retry-After", wait}}});
    const auto digest = registry->tag_digest(reference, Deadline::in(20ms));
    ASSERT_FALSE(digest);
    EXPECT_EQ(digest.error().message, message);
    EXPECT_EQ(transport.asked.size(), 1u);
  }
}

// oci 3.4: where signatures are looked for, both mean that there is none
TEST_F(HttpRegistryTest, TellsAnUnknownRepositoryFromAnAbsentManifest) {
  const auto app = *Reference::parse("r.example/app:1");
  const auto digest = *Digest::parse(kDigest);
  const auto serve_404 = [&](const std::string& code) {
    answers.clear();
    for (const auto& name : {std::string("1"), std::string("x.sig"), kDigest})
      on("GET " + kManifests + name, error(404, code));
  };
  serve_404("NAME_UNKNOWN");
  EXPECT_EQ(resolve(), "not_found: GET " + kTag + ": 404 NAME_UNKNOWN: because");
  EXPECT_EQ(told(registry->look_at_tag(app, std::nullopt, Deadline::in(5s))), resolve());
  EXPECT_EQ(fetch(digest), "not_found: GET " + kManifests + kDigest + ": 404 NAME_UNKNOWN: because");
  EXPECT_FALSE(registry->manifest_at_tag(app, "x.sig", Deadline::in(5s)).value());
  serve_404("MANIFEST_UNKNOWN");
  EXPECT_EQ(resolve(), "absent");
  EXPECT_EQ(told(registry->look_at_tag(app, std::nullopt, Deadline::in(5s))), "absent");
  EXPECT_EQ(fetch(digest), "not_found: manifest " + kDigest + " not found in r.example/app");
  EXPECT_FALSE(registry->manifest_at_tag(app, "x.sig", Deadline::in(5s)).value());
}

TEST_F(HttpRegistryTest, HasItsLimitsByDefault) {  // oci 3.2, 3.4
  const RegistryOptions options;
  EXPECT_EQ(options.attempts_max, 5);
  EXPECT_EQ(options.backoff_base, 500ms);
  EXPECT_EQ(options.backoff_max, 30s);
  on("HEAD " + kTag, HttpResponse{.status = 404});
  EXPECT_EQ(resolve(), "absent");
  ASSERT_EQ(transport.asked.size(), 2u);
  EXPECT_EQ(transport.asked[1].body_bytes_max, 4u << 20) << "a manifest";
  for (const auto& request : transport.asked) {
    EXPECT_EQ(request.error_body_bytes_max, 64u << 10);
    EXPECT_EQ(request.connect_timeout, 10s);
    EXPECT_EQ(request.header_timeout, 30s);
    EXPECT_EQ(request.idle_timeout, 30s);
  }
}

// oci 13: one conditional HEAD per unchanged tick
TEST_F(HttpRegistryTest, AsksForAMovedTagOnCondition) {
  const auto reference = *Reference::parse("r.example/app:1");
  const auto ask = [&](const std::optional<TagView>& last) {
    transport.asked.clear();
    return registry->look_at_tag(reference, last, Deadline::in(5s));
  };
  auto found = kFound;
  found.headers.push_back({"ETag", "\"e1\""});
  on("HEAD " + kTag, found);
  const auto first = ask(std::nullopt);
  EXPECT_EQ(told(first), kDigest + " \"e1\"");
  EXPECT_EQ(header_of(transport.asked[0], "If-None-Match"), "");
  EXPECT_EQ(header_of(transport.asked[0], "Accept"), kManifestAccept);

  answers.clear();
  on("HEAD " + kTag, HttpResponse{.status = 304});
  EXPECT_EQ(told(ask(first->view)), kDigest + " \"e1\"");
  ASSERT_EQ(transport.asked.size(), 1u);
  EXPECT_EQ(header_of(transport.asked[0], "If-None-Match"), "\"e1\"");

  answers.clear();
  const auto manifest = manifest_of("abc");
  on("HEAD " + kTag, HttpResponse{.status = 405});
  on("GET " + kTag, HttpResponse{.status = 200, .body = manifest});
  EXPECT_EQ(told(ask(first->view)), digest_of(manifest).str() + " ");
  EXPECT_EQ(header_of(transport.asked[1], "If-None-Match"), "");
  answers.clear();
  EXPECT_EQ(told(ask(first->view)), "absent");
}

// oci 3.4, 13: who polls waits by himself, as long as the registry wants
TEST_F(HttpRegistryTest, AsksForAMovedTagOnceAndTellsWhenToComeAgain) {
  const auto reference = *Reference::parse("r.example/app:1");
  const std::string head = "HEAD https://r.example/v2/app/manifests/1";
  const std::pair<HttpResponse, std::string> rows[] = {
      {{.status = 429, .headers = {{"Retry-After", "7"}}}, "come again in 7 s: " + head + ": 429"},
      {{.status = 503, .headers = {{"Retry-After", "86400"}}}, "come again in 86400 s: " + head + ": 503"},
      {{.status = 429, .headers = {{"Retry-After", "nonsense"}}}, "unavailable: " + head + ": 429"},
      {{.status = 502}, "unavailable: " + head + ": 502"},
  };
  for (const auto& [answer, want] : rows) {
    answers.clear();
    transport.asked.clear();
    make();
    on("HEAD " + kTag, answer);
    EXPECT_EQ(told(registry->look_at_tag(reference, std::nullopt, Deadline::in(5s))), want);
    EXPECT_EQ(transport.asked.size(), 1u);
  }
}

// reliability/F43; the peer's own words only if it speaks as a registry does (T6)
TEST_F(HttpRegistryTest, TellsWhyItIsRefused) {
  on("HEAD " + kTag, HttpResponse{.status = 403});
  on("GET " + kTag, error(403, "DENIED"));
  EXPECT_EQ(resolve(),
            "denied: GET https://r.example/v2/app/manifests/1: 403 DENIED: because; no credentials for r.example are "
            "known: docker login r.example, or DOCKER_AUTH_CONFIG");
  EXPECT_EQ(transport.asked.size(), 2u);
  answers.clear();
  on("GET " + kTag, HttpResponse{.status = 400, .body = "<html>secret page</html>"});
  EXPECT_EQ(resolve(), "invalid: GET https://r.example/v2/app/manifests/1: 400");
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

// Who may push to one repository could have it deployed as another's, by its digest.
TEST_F(HttpRegistryTest, AsksTheNamedRepositoryForWhatIsKnownAlready) {
  const auto digest = serve("abc");
  const auto app = *Reference::parse("r.example/app:1"), other = *Reference::parse("r.example/other:1");
  const auto url = "https://r.example/v2/other/manifests/" + digest.str();
  ASSERT_TRUE(registry->manifest(app, digest, Deadline::in(5s))->has_value());
  const auto bytes = manifest_of("abc");
  for (const auto& [head, get, is_there] :
       {std::tuple{404, 200, false}, {200, 404, true}, {405, 200, true}, {405, 404, false}}) {
    answers.clear();
    on("HEAD " + url, HttpResponse{.status = head});
    on("GET " + url, HttpResponse{.status = get, .body = bytes});
    const auto found = registry->present_manifest(other, digest, Deadline::in(5s));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->has_value(), is_there) << head << " " << get;
  }
}

// reliability/F45, F46, T11
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

// reliability/F51, P20; oci 3.1: another port is another server
TEST_F(HttpRegistryTest, FollowsARedirectWithoutCredentials) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  on("HEAD " + kTag, challenge("Basic realm=\"x\""));
  on("HEAD " + kTag, kFound);
  resolve();
  const auto digest = serve("abc");
  for (const std::string storage : {"https://cdn.example/abc?sig=secret", "https://r.example:444/abc"}) {
    SCOPED_TRACE(storage);
    transport.asked.clear();
    for (const auto& kept : {digest, digest_of("abc")}) fs::remove(store->find(kept));
    answers.erase("GET " + blob_url("abc"));
    on("GET " + blob_url("abc"), HttpResponse{.status = 307, .headers = {{"Location", storage}}});
    on("GET " + storage, HttpResponse{.status = 200, .body = "abc"});
    EXPECT_EQ(fetch(digest), "abc");
    ASSERT_EQ(transport.asked.size(), 3u);
    EXPECT_NE(header_of(transport.asked[1], "Authorization"), "");
    EXPECT_EQ(header_of(transport.asked[2], "Authorization"), "");
    EXPECT_FALSE(transport.asked[1].refuse_private_addresses);
    EXPECT_TRUE(transport.asked[2].refuse_private_addresses);
  }
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

// oci 3.3: the connection that brought the redirect counts. What a request for the purpose meets would be up to the
// registry: a bad certificate, or another address of its name.
TEST_F(HttpRegistryTest, LetsAPrivateRegistryRedirectToAPrivateAddress) {
  const auto digest = serve("abc");
  const std::string refused = "denied: layer 1: private address refused";
  const std::pair<std::optional<AddressScope>, std::string> rows[] = {
      {AddressScope::open, refused},   {std::nullopt, refused},      {AddressScope::rfc1918, "abc"},
      {AddressScope::loopback, "abc"}, {AddressScope::other, "abc"},
  };
  on("GET https://r.example/v2/", [](const HttpRequest&) { return fail(Kind::denied, "certificate has expired"); });
  on("GET https://intern.example/abc", refuse_private({.status = 200, .body = "abc"}));
  for (const auto& [peer, ended] : rows) {
    SCOPED_TRACE(peer ? static_cast<int>(*peer) : -1);
    for (const auto& kept : {digest, digest_of("abc")}) fs::remove(store->find(kept));
    answers.erase("GET " + blob_url("abc"));
    on("GET " + blob_url("abc"),
       HttpResponse{.status = 307, .headers = {{"Location", "https://intern.example/abc"}}, .peer = peer});
    EXPECT_EQ(fetch(digest), ended);
  }
}

// Storage on the Internet may not name a private address either, whoever named it.
TEST_F(HttpRegistryTest, JudgesEachRedirectByWhoeverSentIt) {
  const auto digest = serve("abc");
  on("GET " + blob_url("abc"),
     HttpResponse{.status = 307, .headers = {{"Location", "https://cdn.example/abc"}}, .peer = AddressScope::rfc1918});
  on("GET https://cdn.example/abc",
     HttpResponse{.status = 307, .headers = {{"Location", "https://intern.example/abc"}}, .peer = AddressScope::open});
  on("GET https://intern.example/abc", refuse_private({.status = 200, .body = "abc"}));
  EXPECT_EQ(fetch(digest), "denied: layer 1: private address refused");
}

// A proxy hides where an answer comes from: a name that may be anywhere names no private address, whoever named it.
TEST_F(HttpRegistryTest, LetsNoPublicNameBehindAProxyNameAPrivateAddress) {
  const auto digest = serve("abc");
  on("GET " + blob_url("abc"),
     HttpResponse{.status = 307, .headers = {{"Location", "https://cdn.example/abc"}}, .peer = AddressScope::rfc1918});
  on("GET https://cdn.example/abc",
     HttpResponse{.status = 307, .headers = {{"Location", "https://10.0.0.9/abc"}}, .peer = {}});
  on("GET https://10.0.0.9/abc", refuse_private({.status = 200, .body = "abc"}));
  EXPECT_EQ(fetch(digest), "denied: layer 1: private address refused");
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
      if (!wants(head)) {
        head.body = layer;
        return head;
      }
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
    registry = Registry::make({.backoff_base = 1ms}, cut, credentials, *store, clock, Log());
    fs::remove(store->find(digest_of(layer)));
    EXPECT_EQ(fetch(digest), layer);
    auto want = std::vector<std::string>{"", "bytes=4-"};
    if (mode == 416 || mode == 1) want.push_back("");
    EXPECT_EQ(cut.ranges, want);
  }
}

// oci 3.3: whatever the number of jobs
TEST_F(HttpRegistryTest, DownloadsFourBlobsAtOnce) {
  struct SlowTransport final : HttpTransport {
    FakeTransport* rest = nullptr;
    std::atomic<int> running = 0, most = 0;
    Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline) override {
      return rest->send(request, deadline);
    }
    Result<HttpResponse> stream(const HttpRequest& request, const HeadCheck& wants, const BodySink& sink,
                                const Deadline& deadline) override {
      const int now = ++running;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) continue;
      for (int i = 0; i < 200 && most < 4; ++i) std::this_thread::sleep_for(10ms);
      std::this_thread::sleep_for(20ms);  // for a fifth one to come
      auto answer = rest->stream(request, wants, sink, deadline);
      --running;
      return answer;
    }
  } slow;
  slow.rest = &transport;
  registry = Registry::make({}, slow, credentials, *store, clock, Log());
  std::vector<Digest> artifacts;
  for (const std::string name : {"a", "b"}) {
    std::string layers;
    for (int i = 0; i < 4; ++i) {
      const auto layer = name + std::to_string(i);
      layers += (i ? "," : "") + descriptor(layer);
      on("GET " + blob_url(layer), HttpResponse{.status = 200, .body = layer});
    }
    const auto manifest = fmt::format(R"({{"schemaVersion":2,"layers":[{}]}})", layers);
    artifacts.push_back(digest_of(manifest));
    on("GET " + kManifests + artifacts.back().str(), HttpResponse{.status = 200, .body = manifest});
  }
  {
    std::vector<std::jthread> jobs;
    for (const auto& artifact : artifacts) jobs.emplace_back([&] { EXPECT_TRUE(fetch(artifact).ends_with("0")); });
  }
  EXPECT_EQ(slow.most, 4);
}

TEST_F(HttpRegistryTest, GivesASmallBlobInMemoryAfterChecking) {
  const auto repository = *Reference::parse("r.example/app");
  const auto ask = [&](const std::string& bytes, std::uint64_t bytes_max) {
    const Descriptor blob{.media_type = "t", .digest = digest_of(bytes), .size_bytes = bytes.size()};
    const auto got = registry->blob(repository, blob, bytes_max, Deadline::in(5s));
    return got ? *got : fmt::format("{}: {}", to_string(got.error().kind), got.error().message);
  };
  on("GET " + blob_url("abc"), HttpResponse{.status = 200, .body = "abc"});
  EXPECT_EQ(ask("abc", 3), "abc");
  EXPECT_EQ(ask("abc", 2), "invalid: blob " + digest_of("abc").str() + " has 3 bytes, limit 2");
  EXPECT_EQ(transport.asked.size(), 1u) << "what is too large is not asked for";
  on("GET " + blob_url("def"), HttpResponse{.status = 200, .body = "dxf"});
  EXPECT_EQ(ask("def", 3), "invalid: blob digest mismatch: expected " + digest_of("def").str());
  EXPECT_EQ(ask("ghi", 3), "not_found: GET " + blob_url("ghi") + ": 404");
}

// oci 12, C classic: one layer for each signature
TEST_F(HttpRegistryTest, ReadsASignatureManifestAtItsTag) {
  std::string layers = descriptor("s0");
  for (int i = 1; i < 1000; ++i) layers += "," + descriptor("s" + std::to_string(i));
  const auto ask = [&] {
    return registry->manifest_at_tag(*Reference::parse("r.example/app"), "x.sig", Deadline::in(5s));
  };
  EXPECT_FALSE(*ask());
  const auto serve_layers = [&] {
    answers.clear();
    on("GET " + kManifests + "x.sig",
       HttpResponse{.status = 200, .body = fmt::format(R"({{"schemaVersion":2,"layers":[{}]}})", layers)});
  };
  serve_layers();
  auto found = ask();
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->digest, digest_of((*found)->bytes));
  EXPECT_EQ((*found)->media_type, kType);
  layers += "," + descriptor("one more");
  serve_layers();
  found = ask();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message,
            "GET r.example/v2/app/manifests/x.sig: manifest has 1001 layers, at most 1000 are taken");
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
