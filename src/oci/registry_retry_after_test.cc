// A registry that wants to be left alone for longer than a job may wait (oci 3.4).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oci/fake_registry.h"

namespace windlass {
namespace {

class RegistryRetryAfter : public HttpRegistryTest {
 protected:
  using Asked = std::vector<std::string>;

  static HttpResponse busy(const std::string& wait, int status = 429) {
    return {.status = status, .headers = {{"Retry-After", wait}}};
  }
  std::string look(const std::string& reference = "r.example/app:1") {
    const auto look = registry->look_at_tag(*Reference::parse(reference), std::nullopt, Deadline::in(5s));
    if (!look) return fmt::format("{}: {}", to_string(look.error().kind), look.error().message);
    if (look->come_again) return fmt::format("come again in {} s: {}", look->come_again->count(), look->reason);
    return look->view ? look->view->digest.str() : "absent";
  }
  Digest serve_anew(const std::string& layer) {
    answers.clear();
    transport.asked.clear();
    make();
    return serve(layer);
  }

  // Whoever asks by himself waits so long at most for what another was told.
  static std::string left_alone(int seconds) {
    return fmt::format("come again in {0} s: r.example wants to be left alone for {0} s more", seconds);
  }
};

TEST_F(RegistryRetryAfter, CountsWhoeverMeetsIt) {
  const std::string storage = "https://cdn.example/abc", wait = ", to be asked again in 3600 s";
  const std::string service = "https://auth.example/token", token = service + "?scope=repository%3Aapp%3Apull";
  const auto blob = blob_url("abc");
  const struct {
    std::string name;
    std::vector<std::pair<std::string, HttpResponse>> answers;
    std::string message;
  } rows[] = {
      {"manifest",
       {{"GET " + kManifests + digest_of(manifest_of("abc")).str(), busy("3600")}},
       "unavailable: GET " + kManifests + digest_of(manifest_of("abc")).str() + ": 429" + wait},
      {"blob", {{"GET " + blob, busy("3600", 503)}}, "unavailable: layer 1: GET " + blob + ": 503" + wait},
      {"storage",
       {{"GET " + blob, {.status = 307, .headers = {{"Location", storage}}}}, {"GET " + storage, busy("3600", 503)}},
       "unavailable: layer 1: GET " + blob + ": 503" + wait},
      {"token",
       {{"GET " + blob, challenge("Bearer realm=\"" + service + "\"")},
        {"GET " + token, busy("3600")},
        {"GET " + token, {.status = 200, .body = R"({"token":"T"})"}}},
       "unavailable: layer 1: GET " + service + ": 429, to be asked again in 900 s"},
      {"date",
       {{"GET " + blob, busy("Fri, 02 Jan 2026 04:04:05 GMT")}},
       "unavailable: layer 1: GET " + blob + ": 429" + wait},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto digest = serve_anew("abc");
    fs::remove(store->find(digest));
    for (const auto& [asked, answer] : row.answers) answers.erase(asked);
    for (const auto& [asked, answer] : row.answers) on(asked, answer);
    on("HEAD " + kTag, kFound);
    EXPECT_EQ(fetch(digest), row.message);
    transport.asked.clear();
    clock.advance(600s);
    EXPECT_EQ(look(), left_alone(300));
    clock.advance(300s - 1ms);
    EXPECT_EQ(look(), left_alone(1));
    EXPECT_EQ(asked(), Asked{});
    clock.advance(1ms);
    EXPECT_EQ(look(), kDigest);
    clock.wall -= 900s;  // what the date was counted from
  }
}

TEST_F(RegistryRetryAfter, IsOfOneRegistryOnly) {
  on("HEAD " + kTag, busy("3600"));
  on("HEAD https://other.example/v2/app/manifests/1", kFound);
  EXPECT_EQ(look(), "come again in 3600 s: HEAD " + kTag + ": 429");
  EXPECT_EQ(look("r.example/other:1"), left_alone(900));
  EXPECT_EQ(look("other.example/app:1"), kDigest);
}

TEST_F(RegistryRetryAfter, IsWaitedForWhereItIsShort) {
  const auto digest = serve_anew("abc");
  on("GET " + blob_url("abc"), busy("0"));
  on("GET " + blob_url("abc"), HttpResponse{.status = 200, .body = "abc"});
  EXPECT_EQ(fetch(digest), "abc");
  on("HEAD " + kTag, busy("300"));
  on("HEAD " + kTag, kFound);
  EXPECT_EQ(look(), "come again in 300 s: HEAD " + kTag + ": 429");
  EXPECT_EQ(look(), kDigest) << "it is only the poll that waits";
}

// Who was told to ask may know that the registry is well again.
TEST_F(RegistryRetryAfter, HoldsBackOnlyWhoAsksByHimself) {
  on("HEAD " + kTag, busy("86400"));
  on("HEAD " + kTag, kFound);
  EXPECT_EQ(resolve(), "unavailable: HEAD " + kTag + ": 429, to be asked again in 86400 s");
  EXPECT_EQ(registry->left_alone_for(*Reference::parse("r.example/app:1")), 900s);
  EXPECT_EQ(look(), left_alone(900));
  EXPECT_EQ(resolve(), kDigest);
}

TEST_F(RegistryRetryAfter, OfAMirrorLeavesItOut) {
  registry = Registry::make(
      {.rules = {{.prefix = "r.example", .location = "r.example", .mirrors = {"m.example"}}}, .backoff_base = 1ms},
      transport, credentials, *store, clock, Log());
  const auto path = "/v2/app/manifests/" + kDigest;
  on("GET https://m.example" + path, busy("3600"));
  const auto ask_after = [&](std::chrono::seconds span) {
    clock.advance(span);
    transport.asked.clear();
    fetch(*Digest::parse(kDigest));
    return asked();
  };
  const Asked both{"GET https://m.example" + path, "GET https://r.example" + path};
  EXPECT_EQ(ask_after(0s), both);
  EXPECT_EQ(ask_after(899s), Asked{both[1]});
  EXPECT_EQ(ask_after(1s), both);
}

}  // namespace
}  // namespace windlass
