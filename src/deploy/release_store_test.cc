#include "deploy/release_store.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <set>

#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

Digest digest(int number) { return Digest::of_sha256_hex(sha256_hex(fmt::format("{}", number))); }

class ReleaseStoreTest : public ::testing::Test {
 protected:
  ReleaseStoreTest() : folder(std::filesystem::temp_directory_path() / ("windlass-" + new_uuid_v7())) {
    std::filesystem::create_directories(folder);
    reopen();
  }
  ~ReleaseStoreTest() override {
    store.reset();
    std::filesystem::remove_all(folder);
  }
  void reopen() {
    store.reset();
    auto db = Db::open(folder / "state.db");
    ASSERT_TRUE(db) << db.error().message;
    auto opened = ReleaseStore::open(std::move(*db), Secret("key"));
    ASSERT_TRUE(opened) << opened.error().message;
    store = std::move(*opened);
  }
  Release release(const std::string& id, const std::string& stack = "web") {
    return {.id = id,
            .stack = {stack},
            .request = {.artifact = "ghcr.io/my/app:main", .source_id = "ghcr.io/my/app", .ref = "main"},
            .digest = digest(1).str(),
            .started_at = clock.now()};
  }
  void finish(Release release, ReleaseState state, const std::map<std::string, std::string>& release_of) {
    release.state = state;
    release.finished_at = clock.now();
    ASSERT_TRUE(store->finish(release, release_of));
  }

  std::filesystem::path folder;
  FakeClock clock;
  std::unique_ptr<ReleaseStore> store;
};

TEST_F(ReleaseStoreTest, RemembersTheLast64DigestsOfALane) {  // oci 2
  for (int i = 0; i < 70; ++i) ASSERT_TRUE(store->remember("lane", digest(i), i == 65));
  ASSERT_TRUE(store->remember("lane", digest(10), false));  // tried again: the latest one now
  reopen();
  const auto history = store->history("lane");
  ASSERT_TRUE(history);
  EXPECT_EQ(history->seen.size(), 64u);
  EXPECT_EQ(history->seen.back(), digest(10));
  EXPECT_EQ(history->last, digest(65));
  EXPECT_FALSE(history->has_seen(digest(0)));
  EXPECT_TRUE(store->history("other")->seen.empty());
}

// A captured webhook of a reference by digest has no tag that contradicts it: only memory does (reliability/P6).
TEST_F(ReleaseStoreTest, RemembersDigestsGivenByDigestForLong) {
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(store->remember("ghcr.io/my/app @", digest(i), true));
  const auto history = store->history("ghcr.io/my/app @");
  ASSERT_TRUE(history);
  EXPECT_EQ(history->seen.size(), 200u);
  EXPECT_TRUE(history->has_seen(digest(0)));
}

TEST_F(ReleaseStoreTest, KnowsAReleaseFromItsBeginning) {
  ASSERT_TRUE(store->begin(release("r1"), {{"web", {{"image", "h1"}}}}));
  reopen();  // the process died before the release ended
  const auto stack = store->stack({"web"});
  ASSERT_TRUE(stack && *stack);
  EXPECT_EQ((*stack)->source_id, "ghcr.io/my/app");
  EXPECT_EQ((*stack)->last_state, ReleaseState::failed);
  EXPECT_EQ(*store->inputs("r1", "web"), (ServiceInputs{{"image", "h1"}}));
  EXPECT_EQ(*store->inputs("r1", "db"), std::nullopt);
  EXPECT_EQ(*store->inputs("", "web"), std::nullopt);
}

TEST_F(ReleaseStoreTest, KeepsWhichReleaseMadeEachService) {
  ASSERT_TRUE(store->begin(release("r1"), {}));
  finish(release("r1"), ReleaseState::succeeded, {{"web", "r1"}, {"db", "r0"}});
  const auto stack = store->stack({"web"});
  EXPECT_EQ((*stack)->last_state, ReleaseState::succeeded);
  EXPECT_EQ((*stack)->release_of, (std::map<std::string, std::string>{{"web", "r1"}, {"db", "r0"}}));
  EXPECT_EQ(*store->stack({"unknown"}), std::nullopt);
}

TEST_F(ReleaseStoreTest, DropsOldRowsButNotThoseThatContainersCarry) {  // deploy/V1
  for (int i = 0; i < 120; ++i) {
    const auto id = fmt::format("r{}", i);
    ASSERT_TRUE(store->begin(release(id), {{"web", {{"image", id}}}}));
    finish(release(id), ReleaseState::succeeded, {{"web", "r3"}});
  }
  EXPECT_NE(*store->inputs("r3", "web"), std::nullopt);
  EXPECT_EQ(*store->inputs("r4", "web"), std::nullopt);
  EXPECT_NE(*store->inputs("r119", "web"), std::nullopt);
}

// A repair fetches the digest that the stack was last brought to, perhaps without the registry.
TEST_F(ReleaseStoreTest, KeepsTheContentOfADigestThatChangedNothing) {
  ASSERT_TRUE(store->begin(release("r1"), {}));
  EXPECT_TRUE(store->kept_digests()->empty()) << "not good yet";
  finish(release("r1"), ReleaseState::succeeded, {});
  ASSERT_TRUE(store->keep_as_it_is({"web"}, digest(2), {}));
  ASSERT_TRUE(store->keep_as_it_is({"web"}, digest(3), {}));
  const auto kept = store->kept_digests();
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(std::set(kept->begin(), kept->end()), (std::set{digest(1), digest(3)}));
  auto removal = release("r2");
  removal.state = ReleaseState::removed;
  ASSERT_TRUE(store->close(removal));
  EXPECT_TRUE(store->kept_digests()->empty()) << "the stack is gone";
}

// reliability/P6: a reference by digest that comes again after a tag of its source has brought something newer.
TEST_F(ReleaseStoreTest, KnowsWhatATagHasBroughtToAStackOfADigest) {
  const auto digest = Digest::of_sha256_hex(std::string(64, 'a'));
  const auto deploy = [&](const std::string& id, const std::string& stack, bool is_by_digest) {
    auto one = release(id);
    one.stack = {stack};
    one.digest = is_by_digest ? digest.str() : "sha256:" + std::string(64, 'b');
    one.request.source_id = "r.example/shop";
    one.request.ref = is_by_digest ? digest.str() : "main";
    one.request.ref_is_digest = is_by_digest;
    ASSERT_TRUE(store->begin(one, {}));
    one.state = ReleaseState::succeeded;
    ASSERT_TRUE(store->finish(one, {}));
    if (!is_by_digest) return;
    ASSERT_TRUE(store->remember("r.example/shop @", digest, true));
  };
  const auto overtaken_by = [&] { return store->history("r.example/shop @")->overtaken_by; };
  EXPECT_EQ(overtaken_by(), "");
  deploy("r1", "web", true);
  deploy("r2", "db", false);
  EXPECT_EQ(overtaken_by(), "") << "another stack";
  deploy("r3", "web", false);
  EXPECT_EQ(overtaken_by(), "main (sha256:" + std::string(64, 'b') + ")");
  EXPECT_EQ(store->history("r.example/shop main")->overtaken_by, "");
  deploy("r4", "web", true);  // an operator brought it back
  EXPECT_EQ(overtaken_by(), "");
}

TEST_F(ReleaseStoreTest, KeepsABoundedNumberOfPlacesPerLane) {
  for (int i = 0; i <= ReleaseStore::kPlacesPerLane; ++i) {
    const auto place = fmt::format("place {}", i);
    ASSERT_TRUE(store->settle("lane", place, {.key = "k", .stacks = {}}));
    ASSERT_TRUE(store->remember_bad("lane", place, "k"));
  }
  EXPECT_FALSE(*store->settled("lane", "place 0"));
  EXPECT_EQ(*store->bad_key("lane", "place 0"), "");
  for (const int i : {1, ReleaseStore::kPlacesPerLane}) {
    const auto place = fmt::format("place {}", i);
    EXPECT_TRUE(*store->settled("lane", place)) << place;
    EXPECT_EQ(*store->bad_key("lane", place), "k") << place;
  }
}

TEST_F(ReleaseStoreTest, KeepsHowARunWasSettled) {  // deploy/N2b
  const SettledRun run{.key = "key",
                       .stacks = {{.id = {"web"},
                                   .services = {{.name = "a", .replicas = 2, .restart = "always"}},
                                   .release_of = {{"a", "r1"}},
                                   .keeps_orphans = true},
                                  {.id = {"other", "edge"}, .skipped_because = "filtered"}}};
  ASSERT_TRUE(store->settle("lane", "prod", run));
  reopen();
  const auto kept = store->settled("lane", "prod");
  ASSERT_TRUE(kept && *kept);
  EXPECT_EQ((*kept)->key, "key");
  ASSERT_EQ((*kept)->stacks.size(), 2u);
  EXPECT_EQ((*kept)->stacks[0].services[0].replicas, 2);
  EXPECT_TRUE((*kept)->stacks[0].services[0].must_run());
  EXPECT_EQ((*kept)->stacks[0].release_of.at("a"), "r1");
  EXPECT_TRUE((*kept)->stacks[0].keeps_orphans);
  EXPECT_EQ((*kept)->stacks[1].skipped_because, "filtered");
  EXPECT_EQ((*kept)->stacks[0].id, StackId{"web"});
  EXPECT_EQ((*kept)->stacks[1].id, (StackId{"other", "edge"}));
  EXPECT_FALSE((*kept)->stacks[1].keeps_orphans);
  ASSERT_TRUE(store->unsettle("lane", "prod"));
  EXPECT_EQ(*store->settled("lane", "prod") != std::nullopt, false);
}

TEST_F(ReleaseStoreTest, TellsStacksOfOneNameByTheirEngines) {  // deploy/N1
  auto on_edge = release("r2");
  on_edge.stack.context = "edge";
  on_edge.request.source_id = "ghcr.io/my/other";
  ASSERT_TRUE(store->begin(release("r1"), {}, {.discovery = {}, .reconciliation = {.events = {"die"}}}));
  finish(release("r1"), ReleaseState::succeeded, {{"web", "r1"}});
  ASSERT_TRUE(store->begin(on_edge, {}, {.discovery = AutoDiscovery{.enabled = true}, .reconciliation = {}}));
  finish(on_edge, ReleaseState::failed, {{"web", "r2"}});
  reopen();

  EXPECT_EQ((*store->stack({"web"}))->source_id, "ghcr.io/my/app");
  EXPECT_EQ((*store->stack({"web", "edge"}))->source_id, "ghcr.io/my/other");
  EXPECT_EQ((*store->stack({"web", "edge"}))->last_state, ReleaseState::failed);
  EXPECT_EQ(store->good_release({"web"}).value()->id, "r1");
  EXPECT_EQ(*store->good_release({"web", "edge"}), std::nullopt);
  EXPECT_TRUE((*store->reconciliation({"web"}))->answers("die"));
  EXPECT_FALSE((*store->reconciliation({"web", "edge"}))->answers("die"));
  EXPECT_EQ(store->reconciliations("edge")->begin()->first, (StackId{"web", "edge"}));
  EXPECT_EQ(*store->stacks_of("ghcr.io/my/app", ""), std::vector<std::string>{"web"});
  EXPECT_EQ(*store->stacks_of("ghcr.io/my/app", "edge"), std::vector<std::string>{});
  EXPECT_EQ(*store->contexts(), std::vector<std::string>{"edge"});
  EXPECT_EQ(store->newest()->size(), 2u);
  EXPECT_EQ(store->discovered(on_edge.request)->front().id, (StackId{"web", "edge"}));
  EXPECT_EQ(*store->failed_stack(on_edge.request, "edge", digest(2).str()), "edge/web");
  EXPECT_EQ(*store->failed_stack(on_edge.request, "", digest(2).str()), "") << "they share no files";
  EXPECT_EQ((*store->last_good(release("").request, {{"web"}, {"web", "edge"}}, {}, "j"))->id, "r1");
  EXPECT_EQ(*store->last_good(release("").request, {{"web", "edge"}}, {}, "j"), std::nullopt);

  on_edge.id = "r3";
  ASSERT_TRUE(store->close(on_edge));
  EXPECT_EQ(*store->stack({"web", "edge"}), std::nullopt);
  EXPECT_TRUE(store->stack({"web"})->has_value());
}

TEST_F(ReleaseStoreTest, GoesBackToNoDigestThatLeftAStackBehind) {  // deploy/V2
  int made = 0;
  const auto end = [&](const StackId& stack, int number, ReleaseState state, std::string_view cause = "") {
    auto ended = release(fmt::format("r{}", ++made), stack.name);
    ended.stack = stack;
    ended.request.cause = cause;
    ended.digest = digest(number).str();
    ASSERT_TRUE(store->begin(ended, {}));
    finish(ended, state, {});
  };
  const StackId web{"web"}, side{"side", "edge"}, never{"never"};
  const auto last_good_for = [&](const std::vector<StackId>& stacks, const std::vector<StackId>& going_back) {
    const auto found = store->last_good(release("").request, stacks, going_back, "j");
    return found && *found ? (*found)->id : "";
  };
  const auto last_good = [&](const std::vector<StackId>& stacks) { return last_good_for(stacks, stacks); };
  end(web, 1, ReleaseState::succeeded);   // r1
  end(side, 1, ReleaseState::succeeded);  // r2
  end(web, 2, ReleaseState::succeeded);   // r3
  end(never, 2, ReleaseState::failed);    // r4
  EXPECT_EQ(last_good({web, never}), "r3") << "what was never good has nothing to lose";
  end(side, 2, ReleaseState::failed);  // r5
  EXPECT_EQ(last_good({web, side}), "r2");
  EXPECT_EQ(last_good({web}), "r3") << "no stack of the run";
  EXPECT_EQ(last_good_for({web, side}, {web}), "r3") << "it stays as it is anyway";
  end(side, 1, ReleaseState::failed);  // r6: it had been good with that one
  EXPECT_EQ(last_good({web, side}), "r2");
  end(side, 2, ReleaseState::succeeded);  // r7: the next attempt
  EXPECT_EQ(last_good({web, side}), "r7");
  end(web, 3, ReleaseState::succeeded);                 // r8
  end(side, 3, ReleaseState::failed, kRepairCause);     // r9
  end(side, 3, ReleaseState::failed, kReconcileCause);  // r10
  EXPECT_EQ(last_good({web, side}), "r8") << "no repair tells against what it repairs";
  end(side, 3, ReleaseState::failed);  // r11
  EXPECT_EQ(last_good({web, side}), "r7");
}

// As it was when there was one engine only.
TEST_F(ReleaseStoreTest, KeepsTheStacksOfAnOlderStateFile) {
  ASSERT_TRUE(store->begin(release("r1"), {}, {.discovery = {}, .reconciliation = {.events = {"die"}}}));
  finish(release("r1"), ReleaseState::succeeded, {{"web", "r1"}});
  store.reset();
  auto db = std::move(*Db::open(folder / "state.db"));
  ASSERT_TRUE(
      db->execute("CREATE TABLE old (name TEXT PRIMARY KEY, source_id TEXT NOT NULL, last_state TEXT NOT NULL, "
                  "release_of TEXT NOT NULL, ref TEXT NOT NULL DEFAULT '', target TEXT NOT NULL DEFAULT '', "
                  "discovery TEXT NOT NULL DEFAULT '', reconciliation TEXT NOT NULL DEFAULT '') WITHOUT ROWID; "
                  "INSERT INTO old SELECT name, source_id, last_state, release_of, ref, target, discovery, "
                  "reconciliation FROM stacks; DROP TABLE stacks; ALTER TABLE old RENAME TO stacks; "
                  "ALTER TABLE releases DROP COLUMN context"));
  db.reset();
  for (int times = 0; times < 2; ++times) {
    reopen();
    const auto stack = store->stack({"web"});
    ASSERT_TRUE(stack && *stack);
    EXPECT_EQ((*stack)->source_id, "ghcr.io/my/app");
    EXPECT_EQ((*stack)->release_of, (std::map<std::string, std::string>{{"web", "r1"}}));
    EXPECT_TRUE((*store->reconciliation({"web"}))->answers("die"));
    EXPECT_EQ(store->releases({.stack = "web", .context = ""}, 9)->size(), 1u);
  }
  ASSERT_TRUE(store->begin(release("r2"), {}));
}

// Of before the variables of inline deployments were hidden in models; a plan would show both values.
TEST_F(ReleaseStoreTest, ForgetsTheReadableModelsOfAnOlderStateFileOnce) {
  const auto write_models = [&] {
    for (const auto* stack : {"inline", "own"}) {
      auto ended = release(new_uuid_v7(), stack);
      if (stack == std::string("inline")) ended.request.deployments = "- name: inline";
      ASSERT_TRUE(store->begin(ended, {}));
      ended.state = ReleaseState::succeeded;
      ASSERT_TRUE(store->finish(ended, {}, json::object{{"name", stack}}));
    }
  };
  const auto has_model = [&](const char* stack) { return store->last_model({stack})->has_value(); };
  write_models();
  store.reset();
  ASSERT_TRUE((*Db::open(folder / "state.db"))->execute("ALTER TABLE rollbacks DROP COLUMN ended"));
  reopen();
  EXPECT_FALSE(has_model("inline"));
  EXPECT_TRUE(has_model("own"));
  write_models();
  reopen();
  EXPECT_TRUE(has_model("inline"));
}

}  // namespace
}  // namespace windlass
