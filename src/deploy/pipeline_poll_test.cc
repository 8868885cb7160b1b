// What polls need of the pipeline: is there anything to do, and deployments that come with the request.
#include <future>

#include "deploy/pipeline_fixture.h"
#include "sys/files.h"

namespace windlass {
namespace {

class PipelinePollTest : public PipelineTest {
 protected:
  JobRequest poll(std::string deployments = "") {
    auto polled = request();
    polled.trigger = Trigger::poll;
    polled.digest.reset();
    polled.deployments = std::move(deployments);
    return polled;
  }
  // Runs the order that follows a change of page's container, which it gives.
  JobRequest expect_new_page_only() {
    const auto page = id_of("page"), db = id_of("db");
    auto order = request();
    order.cause = kReconcileCause;
    order.service = "web page";
    const auto outcome = run(order);
    EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
    EXPECT_NE(id_of("page"), page);
    EXPECT_EQ(id_of("db"), db);
    return order;
  }
  bool is_settled(const JobRequest& request, const Digest& digest = kDigest1) {
    return !settled_because(request, digest).empty();
  }
  std::string settled_because(const JobRequest& request, const Digest& digest = kDigest1) {
    const auto because = settled->because(request, digest, Deadline::in(20s));
    if (!because) return because.error().message;
    return because->value_or("");
  }
};

// oci 13: the skip rule
TEST_F(PipelinePollTest, SettlesWhatIsDeployedAndThere) {
  EXPECT_FALSE(is_settled(poll()));
  EXPECT_EQ(run(poll()).status, RunStatus::succeeded);
  EXPECT_EQ(settled_because(poll()), "no changes");
  EXPECT_TRUE(is_settled(request())) << "whoever asked";
  EXPECT_FALSE(is_settled(poll(), kDigest2)) << "the source has moved";
  EXPECT_FALSE(is_settled(poll(R"([{"name":"web"}])"))) << "another configuration";
  start();
  EXPECT_TRUE(is_settled(poll())) << "in a new process too";
  engine.projects["web"].erase("db");
  EXPECT_FALSE(is_settled(poll())) << "a service is gone";
  EXPECT_EQ(source.fetched, 1) << "nothing is read to find that out";
  EXPECT_EQ(driver.resolved, 1);
}

// webhook/C8: nothing newer was announced, so the digest of the webhook may come again
TEST_F(PipelinePollTest, DoesNotCountWhatItReplacedAsSeen) {
  const auto seen_after = [&](const JobRequest& request) {
    const Job job{.id = new_uuid_v7(), .request = request, .replaced_digests = {kDigest2}};
    (void)pipeline->run(
        job, [](const std::string&) {}, Deadline::in(20s));
    return releases->history(lane_of(request)).value_or(LaneHistory{}).has_seen(kDigest2);
  };
  EXPECT_FALSE(seen_after(poll()));
  EXPECT_TRUE(seen_after(request())) << "a newer webhook supersedes it";
}

TEST_F(PipelinePollTest, NeverSettlesWhatAsksToBeForced) {  // as for Git: deploy/N4
  for (const auto* force : {"force_recreate: true", "force_image_pull: true"}) {
    source.files[".doco-cd.yaml"] = fmt::format("name: web\n{}\n", force);
    run(poll());
    EXPECT_FALSE(is_settled(poll())) << force;
    release_2();
    run(poll());
    EXPECT_FALSE(is_settled(poll(), kDigest2)) << force;
    source.settled = Settled{.deploy = kDigest1, .reason = {}};
  }
}

TEST_F(PipelinePollTest, DoesNotTryAFailedReleaseAgain) {  // deploy/V6
  engine.state = "exited";
  engine.exit_code = 3;
  EXPECT_EQ(run(poll()).status, RunStatus::failed);
  EXPECT_EQ(settled_because(poll()), "no changes since this release failed");
  start();
  EXPECT_TRUE(is_settled(poll())) << "in a new process too";
  EXPECT_FALSE(is_settled(poll(), kDigest2)) << "a new digest";
  EXPECT_FALSE(is_settled(poll(R"([{"name":"web"}])"))) << "a new configuration";

  engine.state = "running";
  for (auto& [service, container] : engine.projects["web"]) container.state = "running";
  EXPECT_EQ(run(request()).status, RunStatus::succeeded) << "an operator may";
  EXPECT_TRUE(is_settled(poll()));
  engine.projects["web"].erase("db");
  EXPECT_FALSE(is_settled(poll())) << "it is not a failed release any more";
}

// deploy/V6, oci 13: a fault before that says nothing against the release
TEST_F(PipelinePollTest, TriesWhatFailedBeforeItWasDeployed) {
  source.fetch_error = Error{Kind::invalid, "blob digest mismatch"};
  EXPECT_EQ(run(poll()).failed_step, FailedStep::pull);
  EXPECT_FALSE(is_settled(poll()));
  source.fetch_error.reset();
  driver.resolve_error = Error{Kind::invalid, "no such service"};
  EXPECT_EQ(run(poll()).status, RunStatus::failed);
  EXPECT_FALSE(is_settled(poll()));
  driver.resolve_error.reset();
  driver.up_error = Error{Kind::unavailable, "engine away"};
  EXPECT_EQ(run(poll()).status, RunStatus::failed);
  EXPECT_FALSE(is_settled(poll())) << "nor does one that passes";
}

TEST_F(PipelinePollTest, DeploysWhatAWebhookFilterHasHeldBack) {  // webhook/F6
  source.files[".doco-cd.yaml"] = "name: web\nwebhook_filter: ^v[0-9]\n";
  EXPECT_EQ(run(request()).status, RunStatus::skipped);
  EXPECT_FALSE(is_settled(poll()));
  EXPECT_EQ(run(poll()).status, RunStatus::succeeded);
  EXPECT_TRUE(is_settled(poll()));
}

// config 5, oci 7: the artifact needs no configuration of its own then
TEST_F(PipelinePollTest, DeploysInlineDeploymentsInPlaceOfTheFile) {
  driver.models["inlined"] = driver.models["web"];
  source.files[".doco-cd.yaml"] = "not: [valid";
  const auto inlined = poll(R"([{"name":"inlined"}])");
  const auto outcome = run(inlined);
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(outcome.stacks.at(0).name, "inlined");
  EXPECT_EQ(engine.projects["inlined"]["db"].label("cd.doco.deployment.target.ref"), "main");
  EXPECT_TRUE(is_settled(inlined));
  source.files.erase(".doco-cd.yaml");
  release_2();
  EXPECT_NE(run(inlined).status, RunStatus::failed);
  EXPECT_EQ(run(poll()).failed_step, FailedStep::config) << "without them it does";
  EXPECT_TRUE(is_settled(inlined, kDigest2)) << "each configuration has a state of its own";
}

// decision 5: whoever holds the state file cannot try values until the hash of one fits
TEST_F(PipelinePollTest, KeepsNoHashOfInlineDeploymentsThatCanBeGuessed) {
  driver.models["inlined"] = driver.models["web"];
  const auto inlined = poll(R"([{"environment":{"TOKEN":"swordfish"},"name":"inlined"}])");
  ASSERT_EQ(run(inlined).status, RunStatus::succeeded);
  for (const auto* name : {"state.db", "state.db-wal"}) {
    const auto bytes = read_file(folder / name, 64 << 20);
    ASSERT_TRUE(bytes) << name;
    EXPECT_EQ(bytes->find("swordfish"), bytes->npos) << name;
    EXPECT_EQ(bytes->find(sha256_hex(inlined.deployments)), bytes->npos) << name;
  }
}

TEST_F(PipelinePollTest, PublishesNothingUnlessEveryDeploymentIsTrusted) {  // oci 11.3
  const auto both = poll(R"([{"name":"web"},{"name":"api","oci":{"verify":true}}])");
  driver.models["api"] = R"({"name":"api","services":{}})";
  source.distrusted.emplace(R"({"verify":true})", Error{Kind::denied, "unsigned"});
  const auto outcome = run(both);
  EXPECT_EQ(outcome.failed_step, FailedStep::trust);
  EXPECT_EQ(outcome.message, "failed to deploy stack api: unsigned");
  ASSERT_EQ(outcome.stacks.size(), 2u);
  EXPECT_EQ(outcome.stacks[0].message, "not deployed, because another stack of the run failed");
  EXPECT_TRUE(live.synced.empty());
  EXPECT_EQ(engine.made, 0);
  source.distrusted.clear();
  EXPECT_EQ(run(both).status, RunStatus::succeeded);
}

TEST_F(PipelinePollTest, SettlesNothingUnderAnotherPolicy) {  // oci 13
  run(poll());
  EXPECT_TRUE(is_settled(poll()));
  source.stamp = "another policy";
  EXPECT_FALSE(is_settled(poll()));
}

TEST_F(PipelinePollTest, KeepsNoPlainTextOfInlineDeployments) {
  driver.models["inlined"] = R"({"name":"inlined","services":{"db":{"image":"db:1","pull_policy":"never",
      "restart":"always","command":["serve","--pw=tell nobody"]}}})";
  ASSERT_EQ(run(poll(R"([{"environment":{"PASSWORD":"tell nobody"},"name":"inlined"}])")).status, RunStatus::succeeded);
  for (const auto* name : {"state.db", "state.db-wal"}) {
    const auto bytes = read_file(folder / name, 64 << 20);
    ASSERT_TRUE(bytes) << name;
    EXPECT_EQ(bytes->find("tell nobody"), bytes->npos) << name;
  }
  releases.reset();
  std::ifstream file(folder / "state.db", std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  ASSERT_NE(bytes.find("settled_runs"), std::string::npos);
  EXPECT_EQ(bytes.find("tell nobody"), std::string::npos);
}

TEST_F(PipelinePollTest, ShowsNoVariablesOfInlineDeploymentsInPlans) {
  const auto change = [this](const std::string& password, std::string deployments) {
    driver.models["web"] = R"({"name":"web","services":{"db":{"image":"db:)" + password +
                           R"(","pull_policy":"never","restart":"always","command":["serve","--pw=)" + password +
                           R"("]}}})";
    const Job job{.id = "look", .request = poll(std::move(deployments))};
    const auto report = pipeline->look(job, "", Deadline::in(20s));
    EXPECT_TRUE(report) << report.error().message;
    std::string text;
    for (const auto& one : report->stacks.at(0).changes) text += one.path + ": " + one.after + "\n";
    return text;
  };
  run();
  const auto hidden = change("swordfish", R"([{"environment":{"PASSWORD":"swordfish"},"name":"web"}])");
  EXPECT_NE(hidden.find("services.db.command: [\"serve\",\"(hidden "), hidden.npos) << hidden;
  EXPECT_NE(hidden.find("services.db.image: \"db:swordfish\""), hidden.npos) << hidden;
  source.files[".doco-cd.yaml"] = "name: web\nenvironment: {PASSWORD: swordfish}\n";
  const auto shown = change("swordfish", "");
  EXPECT_NE(shown.find("--pw=swordfish"), shown.npos) << "everybody reads it in the artifact: " << shown;
}

// The caller decides what that means: not that there is something to do.
TEST_F(PipelinePollTest, TellsWhenTheEngineDoesNot) {
  run(poll());
  engine.fault = "connection refused";
  const auto because = settled->because(poll(), kDigest1, Deadline::in(20s));
  ASSERT_FALSE(because);
  EXPECT_EQ(because.error().message, "connection refused");
}

// reliability/P11: from the content store, while the registry is away
TEST_F(PipelinePollTest, RepairsWhatWasChangedByHand) {
  const auto to_repair = [&] { return *settled->to_repair(poll(), Deadline::in(5s)); };
  EXPECT_EQ(to_repair(), std::nullopt) << "nothing was deployed yet";
  run(poll());
  EXPECT_EQ(to_repair(), std::nullopt) << "all is well";
  engine.projects["web"].erase("db");
  ASSERT_EQ(to_repair(), kDigest1);
  release_2();  // nobody asks: the registry is away
  auto order = poll();
  order.digest = kDigest1;
  order.cause = kRepairCause;
  const auto outcome = run(order);
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(engine.projects["web"].size(), 2u);
  EXPECT_EQ(live.synced.back(), kDigest1.str());
  EXPECT_EQ(releases->releases({"web"}, 1)->front().request.cause, "repair");
  EXPECT_EQ(to_repair(), std::nullopt);
  EXPECT_EQ(settled_because(poll()), "no changes");

  engine.projects["web"].erase("db");
  order.digest = kDigest2;
  EXPECT_EQ(run(order).status, RunStatus::skipped) << "that one was never good";
}

// deploy/E4: the service gets a new container whatever became of the old one, its neighbours keep theirs.
TEST_F(PipelinePollTest, RedeploysTheServiceWhoseContainerChanged) {
  run();
  auto order = expect_new_page_only();
  EXPECT_EQ(releases->releases({"web"}, 1)->front().request.cause, "reconcile");
  order.service = "web ";
  EXPECT_EQ(run(order).message, "web: no changes") << "the stack as a whole is well";

  // what waited too long must not bring the old one back
  release_2();
  source.files["www/index.html"] = "v2";
  ASSERT_EQ(run().status, RunStatus::succeeded);
  order.service = "web page";
  EXPECT_EQ(run(order).message, "another release was deployed meanwhile");
  EXPECT_EQ(live.synced.back(), kDigest2.str());
  order.cause = kRepairCause;
  order.service = "";
  EXPECT_EQ(run(order).message, "another release was deployed meanwhile");
}

const Digest kDigest3 = Digest::of_sha256_hex(std::string(64, '3'));

class TwoStacksTest : public PipelinePollTest {
 protected:
  // Version 1 deploys both, version 2 changes `web` only.
  TwoStacksTest() {
    source.files[".doco-cd.yaml"] = "name: web\n---\nname: shop\n";
    driver.models["shop"] = R"({"name":"shop","services":{
      "till":{"image":"till:1","pull_policy":"never","restart":"always"}}})";
    EXPECT_EQ(run().status, RunStatus::succeeded);
    release_2();
    source.files["www/index.html"] = "v2";
    EXPECT_EQ(run().status, RunStatus::succeeded);
  }
  JobOutcome repair_shop() {
    auto order = releases->good_release({"shop"}).value()->request;
    EXPECT_EQ(order.digest, kDigest1) << "version 2 has left no release of it";
    order.cause = kReconcileCause;
    order.service = "shop till";
    return run(order);
  }
};

// Whatever has been forgotten of the lane meanwhile: a stack comes back to what it was last brought to.
TEST_F(TwoStacksTest, ComesBackAloneAndNeverToAnOlderDigest) {
  const auto page = id_of("page");
  source.settled = Settled{.deploy = kDigest3, .reason = {}};
  driver.resolve_error = Error{Kind::invalid, "services.page.image must be a string"};
  ASSERT_EQ(run().status, RunStatus::failed);
  driver.resolve_error.reset();
  surroundings = "others";
  start();
  engine.projects["shop"].erase("till");
  const auto outcome = repair_shop();
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(live.synced.back(), kDigest2.str());
  EXPECT_EQ(engine.projects["shop"].size(), 1u);
  EXPECT_EQ(id_of("page"), page);
  for (const auto& stack : outcome.stacks)
    EXPECT_EQ(stack.status, stack.name == "shop" ? RunStatus::succeeded : RunStatus::skipped) << stack.name;
  EXPECT_EQ((*releases->stack({"shop"}))->brought, kDigest2.str());
}

TEST_F(TwoStacksTest, LeavesWhatIsKnownOfTheOthers) {
  engine.projects["shop"].erase("till");
  ASSERT_EQ(repair_shop().status, RunStatus::succeeded);
  EXPECT_EQ(*settled->because(request(), kDigest2, Deadline::in(5s)), "no changes");
}

// The release of the first version was trusted; the second, which changed nothing here, perhaps while nothing had to
// be.
TEST_F(TwoStacksTest, AskAgainWhetherTheLastDigestIsTrusted) {
  engine.projects["shop"].erase("till");
  source.distrust = Error{Kind::denied, "unsigned"};
  EXPECT_EQ(repair_shop().failed_step, FailedStep::trust);
  EXPECT_TRUE(engine.projects["shop"].empty());
}

// A poll repairs all stacks of a source, also when its last digest has left no release of some.
TEST_F(TwoStacksTest, ComeBackTogetherInAnOutage) {
  engine.projects["shop"].erase("till");
  auto order = poll();
  order.digest = kDigest2;
  order.cause = kRepairCause;
  EXPECT_EQ(run(order).status, RunStatus::succeeded);
  EXPECT_EQ(engine.projects["shop"].size(), 1u);
}

// Its neighbour has the files of the release that failed.
TEST_F(TwoStacksTest, DoesNotComeBackUnderANeighbourLeftForInspection) {
  source.settled = Settled{.deploy = kDigest3, .reason = {}};
  source.files["www/index.html"] = "v3";
  engine.exit_code = 3;
  driver.before_up = [this](const std::string&) { engine.state = "exited"; };
  ASSERT_EQ(run().status, RunStatus::failed);
  engine.projects["shop"].erase("till");
  const auto synced = live.synced.size();
  EXPECT_EQ(repair_shop().message, "the last release of stack web failed and is left for inspection");
  EXPECT_EQ(live.synced.size(), synced);
}

// From another ref, say, while the repair waited for the stack.
TEST_F(TwoStacksTest, GivesWayToWhatWasDeployedBeforeItHadTheLock) {
  engine.projects["shop"].erase("till");
  Release newer{.id = "newer", .stack = {"shop"}, .request = request(), .digest = kDigest2.str()};
  ASSERT_TRUE(releases->begin(newer, {}));  // under way when the repair is decided
  auto lock = std::make_optional(locks.take({{"shop"}}, Deadline::in(1s)).value());
  JobOutcome outcome;
  std::promise<void> is_under_way;
  source.on_fetch = [&](const Digest&) { is_under_way.set_value(); };
  std::jthread repair([&] { outcome = repair_shop(); });
  const bool has_begun = is_under_way.get_future().wait_for(60s) == std::future_status::ready;
  if (!has_begun) lock.reset();
  ASSERT_TRUE(has_begun);
  newer.state = ReleaseState::succeeded;
  ASSERT_TRUE(releases->finish(newer, {}));
  lock.reset();
  repair.join();
  EXPECT_EQ(outcome.message, "another release was deployed meanwhile");
  EXPECT_TRUE(engine.projects["shop"].empty());
}

TEST_F(PipelinePollTest, ForcesNoNeighbourOfAServiceWhoseContainerChanged) {  // deploy/E4, N21
  source.files[".doco-cd.yaml"] = "name: web\nforce_recreate: true\n";
  run();
  expect_new_page_only();
}

// A digest that changed no service has left no release; what comes back is still that one, rules and all.
TEST_F(PipelinePollTest, RedeploysFromTheDigestThatChangedNoService) {
  run();
  source.files[".doco-cd.yaml"] = "name: web\nreconciliation: {events: [die]}\n";
  release_2();
  ASSERT_EQ(run().status, RunStatus::skipped);
  auto order = releases->good_release({"web"}).value()->request;
  ASSERT_EQ(order.digest, kDigest1);
  order.cause = kReconcileCause;
  order.service = "web page";
  const auto outcome = run(order);
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(live.synced.back(), kDigest2.str());
  EXPECT_EQ(releases->good_release({"web"}).value()->digest, kDigest2.str());
  EXPECT_TRUE((*releases->reconciliation({"web"}))->answers("die"));
}

TEST_F(PipelinePollTest, KeepsTheRuleOfAStackThatIsLeftAsItIs) {
  run();
  EXPECT_TRUE((*releases->reconciliation({"web"}))->enabled);
  source.files[".doco-cd.yaml"] = "name: web\nreconciliation: false\n";
  release_2();
  EXPECT_EQ(run().status, RunStatus::skipped);
  EXPECT_FALSE((*releases->reconciliation({"web"}))->enabled);
  EXPECT_EQ(releases->reconciliations("")->size(), 1u);
  EXPECT_EQ(*releases->reconciliation({"other"}), std::nullopt);
}

}  // namespace
}  // namespace windlass
