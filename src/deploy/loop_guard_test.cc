#include "deploy/loop_guard.h"

#include "deploy/pipeline_fixture.h"

namespace windlass {
namespace {

TEST(JudgeLoop, CountsDeploymentsOfOneRelease) {
  const auto before = [](unsigned deployments, bool recreated = false) {
    return std::optional(StackLoop{.key = "k", .deployments = deployments, .recreated = recreated});
  };
  auto looping = before(3, true);
  looping->looping_since = WallTime();
  const struct {
    std::optional<StackLoop> before;
    std::string key;
    std::vector<std::string> differences;
    unsigned limit;
    LoopVerdict verdict;
    unsigned deployments;
    bool recreated;
  } rows[] = {
      {std::nullopt, "k", {"a: x"}, 2, LoopVerdict::deploy, 1, false},
      {before(1), "k", {"a: x"}, 2, LoopVerdict::deploy, 2, false},
      {before(1), "k", {}, 2, LoopVerdict::deploy, 1, false},  // nothing that an earlier one should have done
      {before(1), "other", {"a: x"}, 2, LoopVerdict::deploy, 1, false},
      {before(2), "k", {"a: x"}, 2, LoopVerdict::recreate, 3, true},
      {before(2), "k", {"a: x"}, 3, LoopVerdict::deploy, 3, false},
      {before(1), "k", {"a: x"}, 1, LoopVerdict::recreate, 2, true},
      {before(3, true), "k", {"a: x"}, 2, LoopVerdict::stop, 3, true},
      {before(3, true), "k", {}, 2, LoopVerdict::deploy, 3, true},
      {before(3, true), "other", {"a: x"}, 2, LoopVerdict::deploy, 1, false},
      {looping, "k", {"a: x"}, 2, LoopVerdict::leave_alone, 3, true},
      {looping, "k", {}, 2, LoopVerdict::leave_alone, 3, true},
      {looping, "other", {"a: x"}, 2, LoopVerdict::deploy, 1, false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(&row - rows);
    const auto decision = judge_loop(row.before, {.key = row.key, .differences = row.differences}, row.limit);
    EXPECT_EQ(decision.verdict, row.verdict);
    EXPECT_EQ(decision.loop.deployments, row.deployments);
    EXPECT_EQ(decision.loop.recreated, row.recreated);
  }
}

// A stack whose service db gets another value of a secret whenever that is asked for.
class LoopGuardTest : public PipelineTest {
 protected:
  LoopGuardTest() {
    source.files[".doco-cd.yaml"] = "name: web\nexternal_secrets: {PASSWORD: ref-a}\n";
    driver.models["web"] = R"({"name":"web","services":{
      "page":{"image":"nginx:1","pull_policy":"never","restart":"always"},
      "db":{"image":"db:1","pull_policy":"never","restart":"always","secrets":[{"source":"pass"}]}},
      "secrets":{"pass":{"name":"web_pass","environment":"PASSWORD"}}})";
    loop_limit = 2;
    start();
  }
  JobOutcome next() {
    another_value();
    return run(poll());
  }
  void another_value() { store.values["ref-a"] = fmt::format("password-{}", ++values); }
  JobRequest poll() {
    auto request = this->request();
    request.trigger = Trigger::poll;
    return request;
  }
  std::string settled_because() {
    const auto because = settled->because(poll(), kDigest1, Deadline::in(5s));
    return because && *because ? **because : because ? "" : "error: " + because.error().message;
  }
  std::optional<StackLoop> loop() { return *releases->loop({.name = "web", .context = ""}); }
  // Until the stack is looping.
  void go_round() {
    for (int i = 0; i < 3; ++i) ASSERT_EQ(next().status, RunStatus::succeeded);
    ASSERT_EQ(next().status, RunStatus::failed);
  }
  int values = 0;
};

TEST_F(LoopGuardTest, StopsAStackThatNeverSettles) {
  EXPECT_EQ(next().stacks.at(0).message, "create db (service not deployed); create page (service not deployed)");
  const auto page = id_of("page");
  EXPECT_EQ(next().stacks.at(0).message, "recreate db (content of secret pass changed); keep page");
  EXPECT_EQ(loop()->deployments, 2u);
  EXPECT_EQ(id_of("page"), page);
  start();  // the count is on disk
  EXPECT_EQ(next().stacks.at(0).message,
            "recreate db (content of secret pass changed, deployment 3 of this release in a row that changes "
            "something); recreate page (deployment 3 of this release in a row that changes something)");
  EXPECT_NE(id_of("page"), page) << "everything is made anew once";

  const int upped = driver.upped;
  const auto stopped = next();
  EXPECT_EQ(stopped.status, RunStatus::failed);
  EXPECT_FALSE(stopped.passing_fault);
  EXPECT_EQ(stopped.message,
            "failed to deploy stack web: it is looping: 3 deployments of this release in a row changed something, and "
            "so would the next (db: content of secret pass changed); it stays as it is until the artifact or its "
            "configuration changes, or a release is brought back");
  EXPECT_EQ(driver.upped, upped);
  ASSERT_TRUE(loop() && loop()->looping_since);

  const auto later = next();  // nobody is told again
  EXPECT_EQ(later.status, RunStatus::skipped);
  EXPECT_EQ(later.message.substr(0, 21), "web: looping since 20") << later.message;
  EXPECT_TRUE(
      later.message.ends_with(" and left alone (db: content of secret pass changed) until the artifact or its "
                              "configuration changes, or a release is brought back"))
      << later.message;
  EXPECT_EQ(driver.upped, upped);
  another_value();
  EXPECT_EQ(settled_because(), later.message) << "polls make no jobs of it, and say so";
}

TEST_F(LoopGuardTest, StartsAnewWithAnotherRelease) {
  go_round();
  release_2();
  EXPECT_EQ(next().status, RunStatus::succeeded);
  EXPECT_EQ(loop()->deployments, 1u);
  EXPECT_FALSE(loop()->looping_since);
}

TEST_F(LoopGuardTest, StartsAnewWithAnotherConfiguration) {
  go_round();
  auto request = poll();
  request.deployments = R"([{"name":"web","timeout":20,"external_secrets":{"PASSWORD":"ref-a"}}])";
  another_value();
  EXPECT_EQ(run(request).status, RunStatus::succeeded);
  EXPECT_EQ(loop()->deployments, 1u);
}

TEST_F(LoopGuardTest, StartsAnewWithARollback) {
  go_round();
  auto back = request();
  back.cause = kRollbackCause;
  another_value();
  EXPECT_EQ(run(back).status, RunStatus::succeeded);
  EXPECT_FALSE(loop());
}

TEST_F(LoopGuardTest, EndsTheCountWithALookThatFindsNothingToDo) {
  for (int i = 0; i < 6; ++i) {
    ASSERT_EQ(next().status, RunStatus::succeeded) << i;
    EXPECT_EQ(loop()->deployments, 1u) << i;
    EXPECT_EQ(settled_because(), "no changes") << i;
  }
  ASSERT_EQ(next().status, RunStatus::succeeded);
  ASSERT_EQ(next().status, RunStatus::succeeded);
  EXPECT_EQ(loop()->deployments, 2u);
  EXPECT_EQ(settled_because(), "no changes");
  EXPECT_FALSE(loop());
}

TEST_F(LoopGuardTest, DoesNotTakeAnOldValueForALook) {
  refresh_interval = 1h;
  start();
  ASSERT_EQ(next().status, RunStatus::succeeded);
  EXPECT_EQ(settled_because(), "no changes") << "the store was not asked";
  ASSERT_TRUE(releases->unsettle(lane_of(poll()), ""));  // so that a run looks at everything
  ASSERT_EQ(next().status, RunStatus::succeeded);
  EXPECT_EQ(loop()->deployments, 2u);
}

TEST_F(LoopGuardTest, DoesNotCountRepairs) {
  ASSERT_EQ(next().status, RunStatus::succeeded);
  auto repair = request();
  repair.cause = kRepairCause;
  for (int i = 0; i < 5; ++i) {
    engine.projects["web"].erase("page");
    another_value();
    ASSERT_EQ(run(repair).status, RunStatus::succeeded);
    EXPECT_EQ(loop()->deployments, 1u);
  }
  for (int i = 0; i < 5; ++i) {  // what somebody removed
    engine.projects["web"].erase("page");
    ASSERT_EQ(run(poll()).status, RunStatus::succeeded);
    EXPECT_LE(loop()->deployments, 2u);
  }
}

TEST_F(LoopGuardTest, DoesNotCountWhatIsAskedForAtEveryRun) {
  source.files[".doco-cd.yaml"] += "force_recreate: true\n";
  for (int i = 0; i < 6; ++i) ASSERT_EQ(next().status, RunStatus::succeeded) << i;
  EXPECT_FALSE(loop());
}

TEST_F(LoopGuardTest, CountsAnImageThatMovesToTheSameOneAgain) {
  source.files[".doco-cd.yaml"] = "name: web\nforce_image_pull: true\n";
  driver.models["web"] = R"({"name":"web","services":{"page":{"image":"nginx:1","restart":"always"}}})";
  ASSERT_EQ(run(poll()).status, RunStatus::succeeded);
  for (int i = 0; i < 6; ++i) {  // a newer one every time
    engine.images["nginx:1"] = fmt::format("sha256:{}", i);
    ASSERT_EQ(run(poll()).status, RunStatus::succeeded) << i;
    engine.projects["web"]["page"].image_id = engine.images["nginx:1"];
  }
  EXPECT_EQ(loop()->deployments, 1u);
  engine.projects["web"]["page"].image_id = "sha256:never";  // an engine that names it otherwise
  ASSERT_EQ(run(poll()).status, RunStatus::succeeded);
  EXPECT_EQ(loop()->deployments, 2u);
}

TEST_F(LoopGuardTest, IsSwitchedOffByNone) {
  loop_limit = 0;
  start();
  for (int i = 0; i < 6; ++i) ASSERT_EQ(next().status, RunStatus::succeeded) << i;
  EXPECT_FALSE(loop());
}

TEST_F(LoopGuardTest, IsForgottenWhenItIsSwitchedOff) {
  go_round();
  loop_limit = 0;
  start();
  EXPECT_EQ(next().status, RunStatus::succeeded);
  EXPECT_FALSE(loop()) << "nobody would say any more that the stack is left alone";
}

TEST_F(LoopGuardTest, LeavesNeighboursAlone) {
  source.files[".doco-cd.yaml"] += "---\nname: two\nexternal_secrets: {WORD: ref-b}\n";
  driver.models["two"] = R"({"name":"two","services":{
      "x":{"image":"x","pull_policy":"never","restart":"always","secrets":[{"source":"word"}]}},
      "secrets":{"word":{"name":"word","environment":"WORD"}}})";
  store.values["ref-b"] = "word-one";
  go_round();
  EXPECT_EQ(settled_because(), "") << "a loop says nothing against the release";
  const auto before = engine.projects["two"]["x"].id;
  store.values["ref-b"] = "word-two";
  const auto outcome = next();
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.message;
  EXPECT_NE(engine.projects["two"]["x"].id, before);
  EXPECT_TRUE(settled_because().ends_with("; two: no changes")) << settled_because();
  store.values["ref-b"] = "word-three";
  EXPECT_EQ(settled_because(), "") << "the neighbour has changed";
}

TEST_F(LoopGuardTest, IsSeenByPlans) {
  go_round();
  another_value();
  const auto report = pipeline->look({.id = "look", .request = poll()}, "", Deadline::in(20s));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->stacks.at(0).decision, "skipped");
  EXPECT_EQ(report->stacks.at(0).reason.find("looping since "), 0u) << report->stacks.at(0).reason;
}

TEST_F(LoopGuardTest, ForgetsAStackThatIsTakenDown) {
  go_round();
  source.files[".doco-cd.yaml"] = "name: web\ndestroy: true\n";
  release_2();
  ASSERT_EQ(run().status, RunStatus::succeeded);
  EXPECT_FALSE(loop());
}

}  // namespace
}  // namespace windlass
