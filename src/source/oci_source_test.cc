#include "source/oci_source.h"

#include <gtest/gtest.h>

#include <map>

#include "sys/crypto.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

// A registry in memory: manifests by digest, one tag that can be scripted to move as it is asked.
struct FakeRegistry final : Registry {
  void use(std::vector<RegistryRule>) override {}
  std::optional<std::chrono::seconds> left_alone;
  std::optional<std::chrono::seconds> left_alone_for(const Reference&) override { return left_alone; }
  std::map<std::string, std::string> manifests;  // digest -> bytes
  std::vector<std::optional<Digest>> tag_views;  // answers in turn, the last one stays
  std::map<std::string, std::string> parent_of;  // child -> index
  std::optional<TagView> looked_from;            // `last` of the last look_at_tag()
  std::optional<std::chrono::seconds> busy;
  int tag_asked = 0;
  int manifest_asked = 0;
  int manifest_appears_after = 0;  // requests that find nothing at first
  int knows_repository_after = 0;  // requests that it knows nothing of the repository at first

  Digest add(const std::string& bytes) {
    const auto digest = Digest::of_sha256_hex(sha256_hex(bytes));
    manifests[digest.str()] = bytes;
    return digest;
  }
  Result<std::optional<Digest>> tag_digest(const Reference&, const Deadline&) override {
    if (knows_repository_after-- > 0) return fail(Kind::not_found, "404 NAME_UNKNOWN");
    const auto index = std::min<std::size_t>(tag_asked++, tag_views.size() - 1);
    return tag_views[index];
  }
  Result<TagLook> look_at_tag(const Reference&, const std::optional<TagView>& last, const Deadline&) override {
    looked_from = last;
    const auto& digest = tag_views[std::min<std::size_t>(tag_asked++, tag_views.size() - 1)];
    if (busy) return TagLook{.come_again = busy, .reason = "429"};
    return digest ? TagLook{.view = TagView{*digest, "etag"}} : TagLook{};
  }
  Result<std::optional<ManifestBytes>> manifest(const Reference&, const Digest&, const Deadline&) override {
    return std::optional<ManifestBytes>();
  }
  Result<std::optional<ManifestBytes>> present_manifest(const Reference&, const Digest& digest,
                                                        const Deadline&) override {
    if (knows_repository_after-- > 0) return fail(Kind::not_found, "404 NAME_UNKNOWN");
    if (manifest_asked++ < manifest_appears_after) return std::optional<ManifestBytes>();
    const auto found = manifests.find(digest.str());
    if (found == manifests.end()) return std::optional<ManifestBytes>();
    return std::optional(ManifestBytes{digest, "application/vnd.oci.image.manifest.v1+json", found->second});
  }
  int signatures_asked = 0;
  Result<std::optional<ManifestBytes>> manifest_at_tag(const Reference&, const std::string&, const Deadline&) override {
    ++signatures_asked;
    return std::optional<ManifestBytes>();
  }
  Status referrers(const Reference&, const Digest&, const SeeReferrer&, const Deadline&) override { return {}; }
  Result<std::string> blob(const Reference&, const Descriptor&, std::uint64_t, const Deadline&) override {
    return fail(Kind::not_found, "nothing here");
  }
  Result<bool> is_child_of(const Reference&, const Digest& child, const Digest& parent, const Deadline&) override {
    const auto found = parent_of.find(child.str());
    return found != parent_of.end() && found->second == parent.str();
  }
  std::chrono::milliseconds time_to_fetch{};
  Result<FetchedArtifact> fetch(const Reference&, const Digest&, const Deadline& deadline) override {
    time_to_fetch = deadline.left();
    return fail(Kind::not_found, "nothing here");
  }
};

constexpr std::string_view kPublicKey =
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4HA0z2lGVU/yqphOqTxjx0WISmuf\n"
    "TGIVgVv+zvpd2IPcM70ClgMHJgZUqXMpmjU1BE3Fa9THBGLEGdHMSyuVxw==\n-----END PUBLIC KEY-----\n";

class OciSourceTest : public ::testing::Test {
 protected:
  Result<Settled> settle(std::optional<Digest> announced, const std::string& artifact = "reg.example/my/app:main") {
    Job job{.id = "j", .request = {.artifact = artifact, .digest = std::move(announced)}};
    job.replaced_digests = replaced;
    OciSource source({.pauses = {1ms, 1ms, 1ms, 1ms}}, registry, trust, Log({.level = LogLevel::error}));
    return source.settle(job, history, Deadline::in(10s));
  }
  void expect_deployed(const Result<Settled>& settled, const Digest& digest) {
    ASSERT_TRUE(settled) << settled.error().message;
    ASSERT_TRUE(settled->deploy) << settled->reason;
    EXPECT_EQ(settled->deploy->str(), digest.str());
  }
  void expect_skipped(const Result<Settled>& settled, const std::string& reason) {
    ASSERT_TRUE(settled) << settled.error().message;
    EXPECT_FALSE(settled->deploy);
    EXPECT_EQ(settled->reason, reason);
  }

  FakeRegistry registry;
  FakeClock clock;
  ArtifactTrust trust{{}, registry, clock, Log({.level = LogLevel::error})};
  LaneHistory history;
  std::vector<Digest> replaced;
  const Digest a = registry.add("a"), b = registry.add("b"), c = registry.add("c");
};

// oci 13
TEST_F(OciSourceTest, LooksAtATagByWhatItSawLast) {
  registry.tag_views = {a, b, std::nullopt};
  OciSource source({}, registry, trust, Log({.level = LogLevel::error}));
  const auto look = [&](const std::optional<Sighting>& last) {
    return source.look({.artifact = "reg.example/my/app:main"}, last, Deadline::in(1s)).value_or(Look{});
  };
  const auto first = look(std::nullopt);
  ASSERT_TRUE(first.seen);
  EXPECT_EQ(first.seen->digest, a);
  EXPECT_FALSE(registry.looked_from);
  const auto second = look(first.seen);
  ASSERT_TRUE(second.seen);
  EXPECT_EQ(second.seen->digest, b);
  EXPECT_EQ(registry.looked_from->digest, a);
  EXPECT_EQ(registry.looked_from->etag, "etag");
  EXPECT_FALSE(look(second.seen).seen) << "the tag is gone";
  registry.busy = 7s;
  EXPECT_EQ(look(second.seen).come_again, 7s);
  EXPECT_EQ(look(second.seen).reason, "429");
}

// oci 3.4: by all but those who were told to ask
TEST_F(OciSourceTest, LeavesARegistryAloneThatWantsIt) {
  registry.tag_views = {a};
  registry.left_alone = 600s;
  OciSource source({}, registry, trust, Log({.level = LogLevel::error}));
  const auto settle_for = [&](std::string_view cause) {
    const Job job{.id = "j", .request = {.artifact = "reg.example/my/app:main", .cause = std::string(cause)}};
    const auto settled = source.settle(job, history, Deadline::in(1s));
    return settled ? "settled" : std::string(to_string(settled.error().kind)) + ": " + settled.error().message;
  };
  EXPECT_EQ(settle_for(kRetryCause),
            "unavailable: resolving reg.example/my/app:main: reg.example wants to be left alone for 600 s more");
  EXPECT_EQ(registry.tag_asked, 0);
  EXPECT_EQ(settle_for(""), "settled");
  EXPECT_EQ(settle_for(kRegistryEventCause), "settled");
  registry.left_alone = std::nullopt;
  EXPECT_EQ(settle_for(kRetryCause), "settled");
}

// oci 13: a digest needs no request; of a sha512 one the sha256 is found out once
TEST_F(OciSourceTest, LooksAtADigestWithoutAsking) {
  OciSource source({}, registry, trust, Log({.level = LogLevel::error}));
  const auto look = [&](const std::string& digest, const std::optional<Sighting>& last = std::nullopt) {
    const auto look = source.look({.artifact = "reg.example/my/app@" + digest}, last, Deadline::in(1s));
    return look ? look->seen : std::nullopt;
  };
  EXPECT_EQ(look(a.str())->digest, a);
  EXPECT_EQ(registry.manifest_asked, 0);

  const auto sha512 = "sha512:" + std::string(128, '5');
  registry.manifests[sha512] = "b";
  const auto seen = look(sha512);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->digest, b);
  EXPECT_EQ(look(sha512, seen)->digest, b);
  EXPECT_EQ(registry.manifest_asked, 1);
}

// webhook/P0: the operator's word counts, whatever this lane has seen
TEST_F(OciSourceTest, DeploysADigestThatIsPolledForAgain) {
  history.seen = {a, b};
  expect_deployed(settle(std::nullopt, "reg.example/my/app@" + a.str()), a);
  expect_skipped(settle(a, "reg.example/my/app@" + a.str()),
                 "superseded: " + a.str() + " came before " + b.str() + ", use rollback");
}

TEST_F(OciSourceTest, WithoutADigestTakesWhatTheTagPointsTo) {  // webhook/P0
  registry.tag_views = {a};
  expect_deployed(settle(std::nullopt), a);
}

// webhook/C8: a poll that took the place of a webhook whose push the registry does not show yet
TEST_F(OciSourceTest, WithoutADigestWaitsForWhatAReplacedJobAnnounced) {
  history.seen = {a};
  history.last = a;
  replaced = {b};
  registry.tag_views = {a, a, a, b};
  expect_deployed(settle(std::nullopt), b);
}

TEST_F(OciSourceTest, WithoutADigestTakesTheTagIfWhatWasAnnouncedNeverComes) {
  history.seen = {a};
  history.last = a;
  registry.tag_views = {a};
  for (const auto& announced : {b, Digest::of_sha256_hex(std::string(64, 'f'))}) {
    replaced = {announced};
    expect_deployed(settle(std::nullopt), a);
  }
}

TEST_F(OciSourceTest, NeedsAReference) {  // oci 1
  const auto settled = settle(std::nullopt, "reg.example/My/app");
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().kind, Kind::invalid);
  EXPECT_TRUE(settled.error().message.starts_with("failed to parse OCI artifact reference: repository 'My/app' "))
      << settled.error().message;
}

TEST_F(OciSourceTest, WithoutADigestNeedsTheTag) {  // webhook/P0
  registry.tag_views = {std::nullopt};
  const auto settled = settle(std::nullopt);
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().kind, Kind::not_found);
  EXPECT_EQ(settled.error().message, "resolving reg.example/my/app:main: tag main not found in my/app");
}

TEST_F(OciSourceTest, DeploysTheTagWhenItIsTheAnnouncedDigest) {  // webhook/P1
  registry.tag_views = {a};
  history = {.last = b, .seen = {a, b}};  // going back by moving the tag back is a wish, not a replay
  expect_deployed(settle(a), a);
  EXPECT_EQ(registry.tag_asked, 1) << "one request must do";
  EXPECT_EQ(registry.manifest_asked, 0);
}

TEST_F(OciSourceTest, DeploysTheTagWhenAReplacedJobAnnouncedIt) {  // webhook/P1, C8
  registry.tag_views = {a};
  replaced = {c, a};
  expect_deployed(settle(b), a);
}

TEST_F(OciSourceTest, TakesASha512OfTheSameManifest) {  // webhook 14, item 3
  const auto announced = *Digest::parse("sha512:" + sha512_hex("a"));
  registry.manifests[announced.str()] = "a";
  registry.tag_views = {a};
  expect_deployed(settle(announced), a);
}

TEST_F(OciSourceTest, WaitsForADigestThatTheRegistryDoesNotShowYet) {  // webhook/P2, reliability/F82
  registry.tag_views = {b, a};
  registry.manifest_appears_after = 3;
  history = {.last = b, .seen = {b}};
  expect_deployed(settle(a), a);
}

TEST_F(OciSourceTest, FailsWhenTheDigestNeverAppears) {  // webhook/P2
  registry.tag_views = {a};
  const auto unknown = Digest::of_sha256_hex(std::string(64, '9'));
  const auto settled = settle(unknown);
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().message,
            "resolving reg.example/my/app:main: digest " + unknown.str() + " not found in my/app");
  EXPECT_EQ(registry.manifest_asked, 5);
}

// oci 3.4: the first push makes the repository; until then the registry knows none
TEST_F(OciSourceTest, WaitsForARepositoryThatTheRegistryDoesNotKnowYet) {
  registry.tag_views = {a};
  registry.knows_repository_after = 3;
  expect_deployed(settle(a), a);
  for (const auto& announced : {std::optional(a), std::optional<Digest>()}) {
    registry.knows_repository_after = 1000;
    const auto settled = settle(announced);
    ASSERT_FALSE(settled);
    EXPECT_EQ(settled.error().kind, Kind::not_found);
    EXPECT_EQ(settled.error().message, "resolving reg.example/my/app:main: 404 NAME_UNKNOWN");
  }
}

TEST_F(OciSourceTest, WaitsForATagViewThatIsBehind) {  // webhook/P3
  registry.tag_views = {b, b, b, a};
  history = {.last = b, .seen = {b}};
  expect_deployed(settle(a), a);
}

TEST_F(OciSourceTest, NeverDeploysWhatTheTagDoesNotPointTo) {  // webhook/P3 then P4
  registry.tag_views = {b};
  expect_skipped(settle(a), "superseded: main now points to " + b.str());
  EXPECT_EQ(registry.tag_asked, 6) << "twice, then after each of four pauses";
}

TEST_F(OciSourceTest, SkipsAnOldWebhookAtOnce) {  // webhook/P3b, reliability/P6
  registry.tag_views = {b};
  history = {.last = b, .seen = {a, b}};
  expect_skipped(settle(a), "superseded: main now points to " + b.str());
  EXPECT_EQ(registry.tag_asked, 2);
}

// reliability/F55: of a registry that comes back with older content the tag has a say, and no delivery of before (P6)
TEST_F(OciSourceTest, FollowsTheTagOfARegistryThatCameBackOlder) {
  registry.tag_views = {a};
  history = {.last = b, .seen = {a, b}};
  expect_deployed(settle(std::nullopt), a);
  expect_skipped(settle(b), "superseded: main now points to " + a.str());
  registry.manifests.erase(b.str());
  const auto lost = settle(b);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind, Kind::not_found);
  EXPECT_EQ(lost.error().message, "resolving reg.example/my/app:main: digest " + b.str() + " not found in my/app");
}

TEST_F(OciSourceTest, SkipsAtOnceWhenTheTagHasMovedOn) {  // webhook/P4
  registry.tag_views = {c};
  history = {.last = b, .seen = {b}};
  expect_skipped(settle(a), "superseded: main now points to " + c.str());
  EXPECT_EQ(registry.tag_asked, 2);
}

TEST_F(OciSourceTest, SaysThatTheIndexIsWanted) {  // webhook/P6
  registry.tag_views = {b};
  registry.parent_of[a.str()] = b.str();
  const auto settled = settle(a);
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().message, "resolving reg.example/my/app:main: digest " + a.str() +
                                         " is a platform manifest below the index " + b.str() +
                                         " that main points to: announce the digest of the index");
}

TEST_F(OciSourceTest, ByDigestDeploysThatDigest) {  // webhook/P5
  history = {.last = a, .seen = {a}};
  const auto artifact = "reg.example/my/app@" + a.str();
  expect_deployed(settle(a, artifact), a);
}

TEST_F(OciSourceTest, ByDigestNeverGoesBackBehindATag) {  // reliability/P6
  const auto artifact = "reg.example/my/app@" + a.str();
  history = {.last = a, .seen = {a}, .overtaken_by = "main (" + b.str() + ")"};
  expect_skipped(settle(a, artifact), "superseded: " + a.str() + " came before main (" + b.str() + "), use rollback");
  history = {.last = b, .seen = {b}, .overtaken_by = "main (" + b.str() + ")"};
  expect_deployed(settle(a, artifact), a);  // news
}

TEST_F(OciSourceTest, ByDigestNeverGoesBack) {  // webhook/P5
  history = {.last = b, .seen = {a, b}};
  expect_skipped(settle(a, "reg.example/my/app@" + a.str()),
                 "superseded: " + a.str() + " came before " + b.str() + ", use rollback");
}

TEST_F(OciSourceTest, StopsWaitingWhenTheJobIsAskedTo) {  // reliability/P12
  registry.tag_views = {b};
  OciSource source({.pauses = {1h}}, registry, trust, Log({.level = LogLevel::error}));
  std::stop_source stop;
  stop.request_stop();
  const Job job{.id = "j", .request = {.artifact = "reg.example/my/app:main", .digest = a}};
  const auto settled = source.settle(job, history, Deadline::in(1h, stop.get_token()));
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().kind, Kind::unavailable);
}

// oci 3.4: however long the job may take
TEST_F(OciSourceTest, PullsForTenMinutesAtMost) {
  OciSource source({}, registry, trust, Log({.level = LogLevel::error}));
  const Job job{.id = "j", .request = {.artifact = "reg.example/my/app:main"}};
  for (const auto& [allowed, most] : {std::pair{60min, 10min}, std::pair{1min, 1min}}) {
    EXPECT_FALSE(source.fetch(job, a, "/nowhere", Deadline::in(allowed)));
    EXPECT_LE(registry.time_to_fetch, most);
    EXPECT_GT(registry.time_to_fetch, most / 2);
  }
}

// registry-events 3.6: the signature may come after the push; the event of it is ignored
TEST_F(OciSourceTest, LooksForSignaturesAgainOfWhatARegistryHasAnnounced) {
  TrustPolicy policy{.enabled = true, .ignore_tlog = true};
  policy.public_keys.push_back(*PublicKey::parse_pem(kPublicKey));
  OciSource source({.signature_pauses = {1ms, 1ms}, .trust = TrustRules(policy)}, registry, trust,
                   Log({.level = LogLevel::error}));
  Job job{.id = "j", .request = {.artifact = "reg.example/my/app:main"}};
  const auto asked = [&] {
    registry.signatures_asked = 0;
    EXPECT_EQ(source.verify(job, a, Deadline::in(10s)).error().kind, Kind::denied);
    return registry.signatures_asked;
  };
  const int once = asked();
  ASSERT_GT(once, 0);
  job.request.cause = kRegistryEventCause;
  EXPECT_EQ(asked(), 3 * once);
  std::stop_source stop;
  stop.request_stop();
  registry.signatures_asked = 0;
  EXPECT_FALSE(source.verify(job, a, Deadline::in(10s, stop.get_token())));
  EXPECT_LE(registry.signatures_asked, once) << "a job that is to stop waits for nothing";
}

// oci 11.3, 13: whatever decides whether an artifact is trusted is in the stamp
TEST_F(OciSourceTest, StampsWhatInlineDeploymentsDemand) {
  const std::string deployments = R"([{"name":"web","oci":{"verify":true,"ignore_tlog":true}}])";
  const auto stamp = [&](std::vector<PublicKey> keys, const std::string& of, bool is_configured) {
    TrustRules rules({.enabled = false, .public_keys = std::move(keys)});
    if (is_configured) rules.add("reg.example/my/app", deployments, {{.verify = true, .ignore_tlog = true}});
    OciSource source({.trust = std::move(rules)}, registry, trust, Log({.level = LogLevel::error}));
    return source.trust_stamp({.artifact = "reg.example/my/app:main", .deployments = of});
  };
  const auto key = *PublicKey::parse_pem(kPublicKey);
  EXPECT_EQ(stamp({}, "", false), stamp({key}, "", false)) << "nobody demands anything";
  EXPECT_NE(stamp({}, deployments, false), stamp({key}, deployments, false));
  EXPECT_NE(stamp({}, "", true), stamp({key}, "", true));
  const std::string former = R"([{"name":"web"}])";
  EXPECT_NE(stamp({key}, former, false), stamp({key}, former, true)) << "a release of before comes back";
}

// A release of deployments that demanded nothing, while another entry of the repository did and does.
TEST_F(OciSourceTest, StampsWhoIsAskedForWhatToo) {  // oci 11.3
  const auto key = *PublicKey::parse_pem(kPublicKey);
  const TrustOverride demand{.verify = true, .public_keys = {key}};
  const std::string former = R"([{"name":"dev"}])", changed = R"([{"name":"dev","oci":{"verify":true}}])";
  const auto stamp = [&](const std::string& dev, const TrustOverride& of_dev) {
    TrustRules rules;
    rules.add("reg.example/my/app", dev, {of_dev});
    rules.add("reg.example/my/app", "main", {demand});
    OciSource source({.trust = std::move(rules)}, registry, trust, Log({.level = LogLevel::error}));
    return source.trust_stamp({.artifact = "reg.example/my/app:dev", .deployments = former});
  };
  EXPECT_NE(stamp(former, {}), stamp(changed, demand));
}

TEST_F(OciSourceTest, DemandsOfOtherDeploymentsWhatThoseOfThePollsDemand) {  // oci 11.3
  const std::string deployments = R"([{"name":"web","oci":{"verify":true}}])";
  TrustRules rules;
  rules.add("reg.example/my/app", deployments,
            {{.verify = true, .public_keys = {*PublicKey::parse_pem(kPublicKey)}, .ignore_tlog = true}});
  OciSource source({.trust = std::move(rules)}, registry, trust, Log({.level = LogLevel::error}));
  for (const auto& [of, is_trusted] : {std::pair<std::string, bool>{deployments, true},  // judged one by one
                                       {R"([{"name":"web"}])", false},
                                       {"", false}}) {
    const Job job{.id = "j", .request = {.artifact = "reg.example/my/app:main", .deployments = of}};
    EXPECT_EQ(source.verify(job, a, Deadline::in(10s)).has_value(), is_trusted) << of;
  }
}

}  // namespace
}  // namespace windlass
