#include "oci/referrers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oci/fake_registry.h"
#include "oci/link_header.h"

namespace windlass {
namespace {

const std::string kSignature = "application/vnd.dev.cosign.artifact.sig.v1+json";

std::string referrer(char digit, const std::string& type = kSignature) {
  return fmt::format(R"({{"mediaType":"{}","digest":"sha256:{}","size":3,"artifactType":"{}"}})", kType,
                     std::string(64, digit), type);
}
std::string index_of(const std::string& children) {
  return fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{}]}})", kIndexType, children);
}

class ReferrersTest : public HttpRegistryTest {
 protected:
  void page(const std::string& query, const std::string& children, const std::string& link = "",
            const std::string& type = kIndexType) {
    page_at(kApi + query, children, link, type);
  }
  void page_at(const std::string& url, const std::string& children, const std::string& link = "",
               const std::string& type = kIndexType) {
    HttpResponse answer{.status = 200, .headers = {{"Content-Type", type}}, .body = index_of(children)};
    if (!link.empty()) answer.headers.push_back({"Link", link});
    on("GET " + url, std::move(answer));
  }
  // The first digits of the digests of that type ("": of any), or the error.
  std::string list(const std::string& type = kSignature) {
    told.clear();
    const auto see = [&](const Descriptor& each) {
      if (type.empty() || each.artifact_type == type) told += each.digest.hex().front();
    };
    const auto listed =
        registry->referrers(*Reference::parse("r.example/app"), *Digest::parse(kDigest), see, Deadline::in(5s));
    return listed ? told : fmt::format("{}: {}", to_string(listed.error().kind), listed.error().message);
  }

  std::string told;

  const std::string kApi = "https://r.example/v2/app/referrers/" + kDigest;
  const std::string kFallback = kManifests + "sha256-" + std::string(64, 'd');
};

TEST_F(ReferrersTest, AreToldWithTheirTypes) {
  page("", referrer('a') + "," + referrer('b', "sbom/x") + "," + referrer('c'), "",
       std::string(kIndexType) + "; charset=utf-8");
  EXPECT_EQ(list(), "ac");
  EXPECT_EQ(list(""), "abc");
  EXPECT_EQ(header_of(transport.asked.at(0), "Accept"), kIndexType);
  EXPECT_EQ(transport.asked.size(), 2u);
}

TEST_F(ReferrersTest, ComeFromAllPages) {
  page("", referrer('a'), fmt::format("</v2/app/referrers/{}?n=1>; rel=\"next\"", kDigest));
  page("?n=1", referrer('b'), fmt::format("<https://r.example/v2/app/referrers/{}?n=2>; title=x; REL=next", kDigest));
  page("?n=2", referrer('c'), "</elsewhere>; rel=\"prev\"");
  EXPECT_EQ(list(), "abc");
}

// oci 6: links are written in the name that the repository has where it is asked for
TEST_F(ReferrersTest, ComeFromAllPagesOfALocation) {
  registry->use({{.prefix = "r.example", .location = "other.example/x"}});
  const std::string path = "/v2/x/app/referrers/" + kDigest, there = "https://other.example" + path;
  page_at(there, referrer('a'), "<" + path + "?n=1>; rel=next");
  page_at(there + "?n=1", referrer('b'), "<" + there + "?n=2>; rel=next");
  page_at(there + "?n=2", referrer('c'), "<?n=3>; rel=next");
  page_at(there + "?n=3", referrer('d'));
  EXPECT_EQ(list(), "abcd");
  EXPECT_EQ(asked(), (std::vector<std::string>{"GET " + there, "GET " + there + "?n=1", "GET " + there + "?n=2",
                                               "GET " + there + "?n=3"}));
}

TEST_F(ReferrersTest, ComeFromAllPagesOfAMirrorThatMayTell) {
  registry->use(
      {{.prefix = "r.example", .location = "r.example", .mirrors = {"m.example/cache"}, .mirror_tags = true}});
  const std::string path = "/v2/cache/app/referrers/" + kDigest;
  page_at("https://m.example" + path, referrer('a'), "<" + path + "?n=1>; rel=next");
  page_at("https://m.example" + path + "?n=1", referrer('b'));
  EXPECT_EQ(list(), "ab");
  page("", referrer('c'), fmt::format("</v2/app/referrers/{}?n=1>; rel=next", kDigest));
  page("?n=1", referrer('d'));
  std::erase_if(answers, [](const auto& row) { return row.first.starts_with("GET https://m.example/"); });
  EXPECT_EQ(list(), "cd") << "the mirror has none";
}

// reliability/F48
TEST_F(ReferrersTest, EndSomewhere) {
  page("", "", fmt::format("</v2/app/referrers/{}>; rel=next", kDigest));
  EXPECT_EQ(list(), "invalid: referrers of " + kDigest + " fill more than 100 pages");
  EXPECT_EQ(transport.asked.size(), 100u);
  answers.clear();
  std::string many = referrer('a');
  for (int i = 0; i < 2000; ++i) many += "," + referrer('b', "sbom/x");
  page("", many + "," + referrer('c'));
  EXPECT_EQ(list(), "ac") << "any number of other things";
}

TEST_F(ReferrersTest, AreNotAskedForElsewhere) {
  for (const std::string link :
       {"https://evil.example/v2/app/referrers/x", "/v2/other/referrers/x", "/v2/app/blobs/x", "file:///etc/passwd"}) {
    SCOPED_TRACE(link);
    answers.clear();
    page("", referrer('a'), "<" + link + ">; rel=\"next\"");
    EXPECT_EQ(list(), "invalid: " + kApi + ": next page is elsewhere");
  }
}

TEST_F(ReferrersTest, AreNotAskedForElsewhereThanAtTheLocation) {
  registry->use({{.prefix = "r.example", .location = "other.example/x"}});
  const std::string there = "https://other.example/v2/x/app/referrers/" + kDigest;
  for (const std::string link :
       {"https://third.example/v2/x/app/referrers/x", "https://r.example/v2/app/referrers/x", "/v2/app/referrers/x",
        "/v2/x/other/referrers/x", "/v2/x/app/referrers/../../other/referrers/x", "/v2/x/app/blobs/x"}) {
    SCOPED_TRACE(link);
    answers.clear();
    page_at(there, referrer('a'), "<" + link + ">; rel=next");
    EXPECT_EQ(list(), "invalid: " + there + ": next page is elsewhere");
  }
}

// oci 12: a registry without the API keeps them in an index at a tag
TEST_F(ReferrersTest, AreAtATagWhereTheRegistryHasNoApi) {
  const HttpResponse without[] = {{.status = 404},
                                  {.status = 400},
                                  {.status = 406},
                                  {.status = 200, .headers = {{"Content-Type", "text/html"}}, .body = "<html>"},
                                  {.status = 200, .body = "{}"}};
  for (const auto& answer : without) {
    SCOPED_TRACE(answer.status);
    answers.clear();
    on("GET " + kApi, answer);
    EXPECT_EQ(list(), "") << "no such tag: nothing refers to it";
    on("GET " + kFallback, HttpResponse{.status = 200,
                                        .headers = {{"Content-Type", kIndexType}},
                                        .body = index_of(referrer('a') + "," + referrer('b', "sbom/x"))});
    EXPECT_EQ(list(), "a");
  }
  answers.erase("GET " + kFallback);
  on("GET " + kFallback, HttpResponse{.status = 200, .headers = {{"Content-Type", kType}}, .body = manifest_of("x")});
  EXPECT_EQ(list(), "invalid: referrers at tag sha256-" + std::string(64, 'd') + " are not an index");
}

// As GHCR answers at times, where what the redirect leads to has given 429 for hours.
TEST_F(ReferrersTest, AreAtATagWhereARedirectLeadsOutOfTheApi) {
  const std::string pages = "https://pages.example/-/v2/packages/app%2Freferrers%2Fsha256";
  const HttpResponse redirect{.status = 303, .headers = {{"Location", pages}}};
  on("GET " + kApi, redirect);
  on("GET " + pages, HttpResponse{.status = 429, .headers = {{"Retry-After", "3600"}}});
  EXPECT_EQ(list(), "") << "no such tag: nothing refers to it";
  on("GET " + kFallback, HttpResponse{.status = 200,
                                      .headers = {{"Content-Type", kIndexType}},
                                      .body = index_of(referrer('a') + "," + referrer('b', "sbom/x"))});
  transport.asked.clear();
  EXPECT_EQ(list(), "a");
  EXPECT_EQ(asked(), (std::vector<std::string>{"GET " + kApi, "GET " + kFallback}));
  EXPECT_FALSE(registry->left_alone_for(*Reference::parse("r.example/app:1"))) << "polls go on";
  answers.clear();
  page("", referrer('a'), fmt::format("</v2/app/referrers/{}?n=1>; rel=\"next\"", kDigest));
  on("GET " + kApi + "?n=1", redirect);
  EXPECT_EQ(list(), "invalid: GET " + kApi + ": 303") << "half a list is no list";
}

TEST_F(ReferrersTest, AreAtTheRegistryThatAnotherOneSendsEverythingTo) {
  const std::string there = "https://other.example/v2/x/app/referrers/" + kDigest;
  on("GET " + kApi, HttpResponse{.status = 307, .headers = {{"Location", there}}});
  page_at(there, referrer('a'));
  EXPECT_EQ(list(), "a");
  EXPECT_EQ(asked(), (std::vector<std::string>{"GET " + kApi, "GET " + there}));
  answers.erase("GET " + there);
  on("GET " + there, HttpResponse{.status = 503});
  EXPECT_TRUE(list().starts_with("unavailable: ")) << "it has the API, and does not tell";
}

TEST_F(ReferrersTest, AreFoundByARedirectWithinTheRegistry) {
  on("GET " + kApi, HttpResponse{.status = 302, .headers = {{"Location", "/api/referrers"}}});
  page_at("https://r.example/api/referrers", referrer('a'));
  EXPECT_EQ(list(), "a");
}

// reliability/P10: no answer is never "none"
TEST_F(ReferrersTest, AreAnErrorWhereTheRegistryDoesNotTell) {
  on("GET " + kApi, error(403, "DENIED"));
  EXPECT_TRUE(list().starts_with("denied: GET " + kApi + ": 403 DENIED: because; no credentials for r.example"));
  answers.clear();
  on("GET " + kApi, HttpResponse{.status = 503});
  EXPECT_EQ(list(), "unavailable: GET " + kApi + ": 503");
  answers.clear();
  page("", referrer('a'), fmt::format("</v2/app/referrers/{}?n=1>; rel=\"next\"", kDigest));
  EXPECT_EQ(list(), "not_found: GET " + kApi + ": 404") << "half a list is no list";
  EXPECT_EQ(told, "a") << "but it may hold what is looked for";
  answers.clear();
  on("GET " + kApi, HttpResponse{.status = 200, .headers = {{"Content-Type", kIndexType}}, .body = "{"});
  EXPECT_TRUE(list().starts_with("invalid: referrers of " + kDigest + ": reading the manifest: ")) << list();
  answers.clear();
  on("GET " + kApi, HttpResponse{.status = 404});
  on("GET " + kFallback, error(401, "UNAUTHORIZED"));
  EXPECT_TRUE(list().starts_with("denied: GET " + kFallback + ": 401 UNAUTHORIZED: because; no credentials"));
}

TEST(NextPage, IsTheLinkThatSaysSo) {
  const std::pair<std::string, std::string> rows[] = {
      {R"(</a?n=1>; rel="next")", "/a?n=1"},
      {"</a>;rel=next", "/a"},
      {R"(</p>; rel="prev", </n>; rel="next")", "/n"},
      {R"(</n>; rel="last next"; title="x", </p>; rel=prev)", "/n"},
      {R"(</p>; rel="prev")", ""},
      {"</a>", ""},
      {"/a; rel=next", ""},
      {"</a; rel=next", ""},
      {"", ""},
  };
  for (const auto& [value, target] : rows) {
    SCOPED_TRACE(value);
    EXPECT_EQ(next_page_of({.headers = {{"link", value}}}).value_or(""), target);
  }
  EXPECT_EQ(next_page_of({.headers = {{"Link", "</p>; rel=prev"}, {"Link", "</n>; rel=next"}}}), "/n");
}

}  // namespace
}  // namespace windlass
