#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oci/fake_registry.h"
#include "oci/registry_place.h"
#include "sys/url.h"

namespace windlass {
namespace {

const std::vector<RegistryRule> kRules = {
    {.prefix = "r.example", .location = "r.example", .mirrors = {"m.example", "n.example/cache"}},
    {.prefix = "r.example/team", .location = "other.example/x", .ca_file = "/ca.pem"},
    {.prefix = "m.example", .location = "m.example", .insecure = true},
    {.prefix = "whole.example/team/app", .location = "bare.example"},
    {.prefix = "tags.example", .location = "tags.example", .mirrors = {"m.example/tags"}, .mirror_tags = true},
};

TEST(RegistryPlaces, PutsTheLocationInThePlaceOfTheLongestPrefix) {
  const RegistryPlaces places({.insecure_registries = {"listed.example"}, .rules = kRules});
  const std::string digest = "sha256:" + std::string(64, 'a');
  const struct {
    std::string reference;
    bool is_immutable;
    std::string places;  // each with '!' if insecure
  } rows[] = {
      {"none.example/app:1", true, "none.example/app:1"},
      {"listed.example/app:1", true, "listed.example/app:1!"},
      {"r.example/app:1", false, "r.example/app:1"},
      {"r.example/app@" + digest, true,
       "m.example/app@" + digest + "! n.example/cache/app@" + digest + " r.example/app@" + digest},
      {"r.example/team/app:1", true, "other.example/x/app:1"},
      {"r.example/teams/app:1", false, "r.example/teams/app:1"},
      {"tags.example/app:1", false, "m.example/tags/app:1! tags.example/app:1"},
      {"whole.example/team/app:1", true, "refused: whole.example/team/app has no repository left at bare.example"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reference);
    const auto found = places.of(*Reference::parse(row.reference), row.is_immutable);
    std::string all;
    if (!found) all = "refused: " + found.error().message;
    for (std::size_t i = 0; found && i < found->size(); ++i)
      all += (i ? " " : "") + (*found)[i].reference.str() + ((*found)[i].is_insecure ? "!" : "");
    EXPECT_EQ(all, row.places);
  }
  EXPECT_EQ(places.primary(*Reference::parse("r.example/team/app"))->tls.ca_file, "/ca.pem");
}

class RegistryMirrors : public HttpRegistryTest {
 protected:
  RegistryMirrors() { make_with({kRules[0], kRules[1]}); }
  void make_with(std::vector<RegistryRule> rules) {
    registry = Registry::make({.rules = std::move(rules), .backoff_base = 1ms, .backoff_max = 2ms}, transport,
                              credentials, *store, clock, Log());
  }
  void on_blob(const std::string& root, HttpResponse answer) {
    on("GET https://" + root + "/blobs/" + digest_of("abc").str(), std::move(answer));
  }
  std::vector<std::string> hosts_asked() const {
    std::vector<std::string> hosts;
    for (const auto& request : transport.asked) hosts.push_back(request.method + " " + parse_url(request.url)->host);
    return hosts;
  }
  using Hosts = std::vector<std::string>;
  const HttpResponse kBlob{.status = 200, .body = "abc"};
};

TEST_F(RegistryMirrors, AreAskedFirstAndInOrder) {
  const auto digest = serve("abc");
  on_blob("m.example/v2/app", HttpResponse{.status = 404});
  on_blob("n.example/v2/cache/app", kBlob);
  EXPECT_EQ(fetch(digest), "abc");
  EXPECT_EQ(hosts_asked(),
            (Hosts{"GET m.example", "GET n.example", "GET r.example", "GET m.example", "GET n.example"}));
}

TEST_F(RegistryMirrors, MayChangeBetweenTwoRequests) {
  const auto digest = serve("abc");
  on_blob("r.example/v2/app", kBlob);
  registry->use({});
  EXPECT_EQ(fetch(digest), "abc");
  EXPECT_EQ(hosts_asked(), (Hosts{"GET r.example", "GET r.example"}));
}

// oci 6: 404, 5xx, connect errors, and whatever else keeps a mirror from serving
TEST_F(RegistryMirrors, NeverDecide) {
  const std::vector<Answer> faults = {
      [](const auto&) { return HttpResponse{.status = 404}; },
      [](const auto&) { return HttpResponse{.status = 503}; },
      [](const auto&) { return error(401, "UNAUTHORIZED"); },
      [](const auto&) { return error(403, "DENIED"); },
      [](const auto&) {
        return HttpResponse{.status = 302, .headers = {{"Location", "http://x.example/"}}};
      },
      [](const auto&) -> Result<HttpResponse> { return fail(Kind::unavailable, "connection refused"); },
      [](const auto&) -> Result<HttpResponse> { return fail(Kind::denied, "certificate not trusted"); },
  };
  for (const auto& fault : faults) {
    answers.clear();
    transport.asked.clear();
    make_with({kRules[0]});
    const auto digest = serve("abc");
    for (const auto& kept : {digest, digest_of("abc")}) fs::remove(store->find(kept));
    for (const std::string root : {"m.example/v2/app", "n.example/v2/cache/app"})
      for (const auto& path : {"/blobs/" + digest_of("abc").str(), "/manifests/" + digest.str()})
        on("GET https://" + root + path, fault);
    on_blob("r.example/v2/app", kBlob);
    EXPECT_EQ(fetch(digest), "abc");
  }
  answers.clear();
  EXPECT_EQ(fetch(digest_of("gone")), "not_found: manifest " + digest_of("gone").str() + " not found in r.example/app");
}

TEST_F(RegistryMirrors, AreLeftAloneForAWhileWhenTheyDoNotAnswer) {
  for (const std::string host : {"m.example/v2/app", "n.example/v2/cache/app"})
    on("GET https://" + host + "/manifests/" + kDigest,
       [](const auto&) -> Result<HttpResponse> { return fail(Kind::unavailable, "connection refused"); });
  const auto digest = serve("abc");
  fetch(*Digest::parse(kDigest));
  EXPECT_EQ(hosts_asked(), (Hosts{"GET m.example", "GET n.example", "GET r.example"}));
  on_blob("r.example/v2/app", kBlob);
  transport.asked.clear();
  EXPECT_EQ(fetch(digest), "abc");
  EXPECT_EQ(hosts_asked(), (Hosts{"GET r.example", "GET r.example"}));
  clock.advance(1min);
  transport.asked.clear();
  fetch(*Digest::parse(kDigest));
  EXPECT_EQ(hosts_asked(), (Hosts{"GET m.example", "GET n.example", "GET r.example"}));
}

// A cut or a silence within a body is as good a reason as any (decision 36).
TEST_F(RegistryMirrors, AreNotAskedForTheRestOfWhatTheyCut) {
  struct CutTransport final : HttpTransport {
    FakeTransport* rest = nullptr;
    std::string layer;
    std::vector<std::string> asked;  // for blobs: host and range
    Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline) override {
      return rest->send(request, deadline);
    }
    Result<HttpResponse> stream(const HttpRequest& request, const HeadCheck& wants, const BodySink& sink,
                                const Deadline&) override {
      const auto host = parse_url(request.url)->host, range = header_of(request, "Range");
      asked.push_back(host + " " + range);
      const auto from = range.empty() ? 0 : std::stoul(range.substr(std::string("bytes=").size()));
      HttpResponse head{.status = 200};
      if (!range.empty()) head = {.status = 206, .headers = {{"Content-Range", fmt::format("bytes {}-5/6", from)}}};
      if (!wants(head)) return head;
      const bool is_mirror = host != "r.example";
      if (auto taken = sink(layer.substr(from, is_mirror ? 1 : layer.npos)); !taken)
        return tl::unexpected(taken.error());
      return is_mirror ? Result<HttpResponse>(fail(Kind::unavailable, "no data for 30 s")) : head;
    }
  } cut;
  cut.rest = &transport;
  registry = Registry::make({.rules = {kRules[0]}}, cut, credentials, *store, clock, Log());
  for (const std::string layer : {"abcdef", "ghijkl"}) {
    cut.layer = layer;
    EXPECT_EQ(fetch(serve(layer)), layer);
  }
  EXPECT_EQ(cut.asked, (Hosts{"m.example ", "n.example bytes=1-", "r.example bytes=2-", "r.example "}));
}

TEST_F(RegistryMirrors, DoNotSayWhatATagPointsTo) {
  on("HEAD " + kTag, kFound);
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_EQ(hosts_asked(), Hosts{"HEAD r.example"});
  make_with({kRules[4]});
  transport.asked.clear();
  on("HEAD https://m.example/v2/tags/app/manifests/1", kFound);
  EXPECT_EQ(resolve("tags.example/app:1"), kDigest);
  EXPECT_EQ(hosts_asked(), Hosts{"HEAD m.example"});
}

TEST_F(RegistryMirrors, ServeBytesThatAreCheckedLikeAllOthers) {
  const auto digest = serve("abc");
  on_blob("m.example/v2/app", HttpResponse{.status = 200, .body = "abd"});
  EXPECT_EQ(fetch(digest), "invalid: layer 1: blob digest mismatch: expected " + digest_of("abc").str());
}

// reliability/P20
TEST_F(RegistryMirrors, GetCredentialsOfTheirOwnNameOnly) {
  struct ByHost final : CredentialSource {
    Status check() override { return {}; }
    Result<Credential> find(const Reference& reference, const Deadline&) override {
      return BasicCredential{reference.source_id(), Secret("pass")};
    }
  } by_host;
  registry = Registry::make({.rules = {kRules[0]}}, transport, by_host, *store, clock, Log());
  const auto digest = serve("abc");
  on_blob("m.example/v2/app", challenge("Basic realm=\"x\""));
  on_blob("m.example/v2/app", kBlob);
  EXPECT_EQ(fetch(digest), "abc");
  EXPECT_EQ(header_of(transport.asked.back(), "Authorization"), "Basic " + base64_encode("m.example/app:pass"));
}

TEST_F(RegistryMirrors, LocationsHaveTlsOfTheirOwn) {
  on("HEAD https://other.example/v2/x/app/manifests/1", kFound);
  EXPECT_EQ(resolve("r.example/team/app:1"), kDigest);
  EXPECT_EQ(transport.asked.at(0).tls.ca_file, "/ca.pem");
  EXPECT_TRUE(transport.asked.at(0).tls.verify);
}

// The client certificate stays with the registry; its CA may be that of its storage too.
TEST_F(RegistryMirrors, RedirectsSeeNoClientCertificate) {
  make_with({{.prefix = "r.example",
              .location = "r.example",
              .ca_file = "/ca.pem",
              .client_cert_file = "/c.pem",
              .client_key_file = "/k.pem"}});
  const auto digest = serve("abc");
  on_blob("r.example/v2/app", HttpResponse{.status = 307, .headers = {{"Location", "https://cdn.example/abc"}}});
  on("GET https://cdn.example/abc", [&](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.tls.ca_file.empty()) return fail(Kind::denied, "certificate not trusted");
    return kBlob;
  });
  EXPECT_EQ(fetch(digest), "abc");
  EXPECT_EQ(transport.asked.at(1).tls.client_cert_file, "/c.pem");
  EXPECT_EQ(transport.asked.at(2).tls.ca_file, "");
  EXPECT_EQ(transport.asked.back().tls.ca_file, "/ca.pem");
  for (const auto& request : transport.asked) {
    if (request.url != "https://cdn.example/abc") continue;
    EXPECT_EQ(request.tls.client_cert_file, "");
    EXPECT_EQ(request.tls.client_key_file, "");
  }
}

}  // namespace
}  // namespace windlass
