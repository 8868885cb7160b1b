// What happened is answered when it can be, if it is still so.

#include "reconcile/reconciler_fixture.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

class StillSoTest : public ReconcilerTest {};

// A new container comes with a deployment: what happened to the old one is over.
TEST_F(StillSoTest, AnswersAfterADeploymentWhatIsStillSo) {  // deploy/E6
  deploy({.events = {"unhealthy", "die", "destroy"}});
  start();
  {
    const auto held = locks_.take({{"shop"}}, Deadline::in(1s));
    for (const auto* event : {"health_status: unhealthy", "die", "destroy"}) engine_.tell(event);
    engine_.set("c2", {.state = "running"});
    engine_.tell("health_status: unhealthy", {}, "c3");
    settle();
    EXPECT_EQ(restarted(), Lines{});
  }
  until([&] { return has_restarted(1); });
  settle();
  EXPECT_EQ(restarted(), Lines{"c3 10 "});
  EXPECT_EQ(jobs(), Lines{});
}

TEST_F(StillSoTest, AnswersForEachOfSeveralContainersOfAStack) {
  deploy({.events = {"unhealthy", "stop"}});
  start();
  for (const auto* id : {"c1", "c2", "c3"}) engine_.tell("health_status: unhealthy", {}, id);
  engine_.tell("stop", {{"com.docker.compose.service", "bb"}}, "c4");
  until([&] { return has_restarted(4); });
  settle();
  EXPECT_EQ(restarted(), (Lines{"c1 10 ", "c2 10 ", "c3 10 ", "c4 10 "}));
}

TEST_F(StillSoTest, DeploysAgainWhatIsMissingAfterItsOwnRedeployment) {
  deploy({.events = {"destroy"}});
  start();
  engine_.tell("destroy");
  until([&] { return jobs().size() == 1; });
  engine_.tell("destroy", {{"com.docker.compose.service", "bb"}}, "c2");
  engine_.set("c3", {.state = "running"});
  end_jobs();
  until([&] { return jobs().size() == 2; });
  EXPECT_EQ(jobs().back(), "reconcile as it was: shop bb of r.example/shop:main");
}

TEST_F(StillSoTest, TriesAgainAfterARedeploymentThatFailed) {
  deploy({.events = {"die"}});
  start();
  engine_.tell("die");
  until([&] { return jobs().size() == 1; });
  end_jobs(JobOutcome::failed(FailedStep::none, "the engine was away"));
  settle();
  EXPECT_EQ(jobs().size(), 1u) << "not at once";
  clock_.advance(1s);
  until([&] { return jobs().size() == 2; });
}

TEST_F(StillSoTest, IsNotMisledByItsOwnRestarts) {  // deploy/E6
  deploy({.events = {"unhealthy", "stop", "kill", "die"}});
  start();
  engine_.tell("health_status: unhealthy");
  until([&] { return has_restarted(1); });
  for (const auto* echo : {"kill", "die", "stop", "start"}) engine_.say(echo);
  settle();
  EXPECT_EQ(restarted().size(), 1u);
  EXPECT_EQ(jobs(), Lines{});
  engine_.tell("die");  // for good, and soon after it
  until([&] { return jobs().size() == 1; });
}

TEST_F(StillSoTest, LeavesAloneWhatSomebodyElseHasStartedAgain) {
  settle_ = 1s;
  deploy({.events = {"die", "stop"}});
  start();
  for (const auto* event : {"kill", "die", "stop", "start"}) engine_.tell(event);
  settle();
  clock_.advance(1s);
  settle();
  EXPECT_EQ(restarted(), Lines{});
  EXPECT_EQ(jobs(), Lines{});
}

TEST_F(StillSoTest, RestartsWhatASignalEndedInTheEnd) {
  deploy({.events = {"kill"}});
  start();
  engine_.set("c1", {.state = "running"});
  engine_.say("kill");
  settle();
  EXPECT_EQ(restarted(), Lines{});
  engine_.tell("die");
  until([&] { return has_restarted(1); });
}

TEST_F(StillSoTest, MissesOnlyWhatTheReleaseWants) {
  deploy({.events = {"destroy"}}, json::object{{"services", {{"web", {{"scale", 2}}}, {"off", {{"scale", 0}}}}}});
  for (const auto* id : {"c2", "c3"}) engine_.set(id, {.state = "running"});
  start();
  engine_.tell("destroy");                                                  // scaled down
  engine_.tell("destroy", {{"com.docker.compose.service", "gone"}}, "c8");  // no longer there
  engine_.tell("destroy", {{"com.docker.compose.service", "off"}}, "c9");
  settle();
  EXPECT_EQ(jobs(), Lines{});
  engine_.tell("destroy", {}, "c2");
  until([&] { return jobs().size() == 1; });
}

TEST_F(StillSoTest, LetsWhatHasFinishedBe) {  // deploy/N17
  deploy({.events = {"die", "destroy"}});
  engine_.set("c2", {.state = "exited"});  // before anybody listened
  start();
  engine_.tell("die", {{"exitCode", "0"}});
  settle();
  engine_.tell("destroy");
  engine_.tell("destroy", {}, "c2");
  settle();
  EXPECT_EQ(jobs(), Lines{});
  engine_.set("c3", {.restart_policy = "always"});
  engine_.tell("die", {{"exitCode", "0"}}, "c3");
  until([&] { return jobs().size() == 1; });
}

TEST_F(StillSoTest, LeavesAFailedReleaseForInspection) {
  deploy({.events = {"die", "unhealthy"}});
  deploy({.events = {"die", "unhealthy"}}, std::nullopt, ReleaseState::failed, "r2");
  start();
  engine_.tell("die");
  settle();
  EXPECT_EQ(jobs(), Lines{});
  engine_.tell("health_status: unhealthy");
  until([&] { return has_restarted(1); });
}

TEST_F(StillSoTest, WaitsForWhatIsPaused) {
  deploy({});
  start();
  engine_.set("c1", {.state = "paused", .health = Health::unhealthy});
  engine_.say("health_status: unhealthy");
  settle();
  EXPECT_EQ(restarted(), Lines{});
  engine_.set("c1", {.state = "running", .health = Health::unhealthy});
  clock_.advance(1min);
  until([&] { return has_restarted(1); });
}

TEST_F(StillSoTest, RestartsWhatRanOutOfMemoryAndRunsOn) {
  deploy({.events = {"oom"}});
  start();
  engine_.set("c1", {.state = "running", .started_at = "2027-01-15T08:00:00.5Z"});  // kNow is half a second before
  engine_.say("oom");
  settle();
  EXPECT_EQ(restarted(), Lines{});
  engine_.set("c1", {.state = "running", .started_at = "2027-01-15T07:00:00Z"});
  engine_.say("oom");
  until([&] { return has_restarted(1); });
}

// A stack whose services have all finished.
TEST_F(StillSoTest, AsksOnceWhetherAStackOfWhichNothingRunsIsWell) {
  deploy({.events = {"destroy"}});
  engine_.there.clear();
  start();
  until([&] { return jobs().size() == 1; });
  end_jobs(JobOutcome::skipped("no changes"));
  clock_.advance(1min);
  settle();
  EXPECT_EQ(jobs().size(), 1u);
}

}  // namespace
}  // namespace windlass
