#include "reconcile/reconciler_fixture.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

TEST_F(ReconcilerTest, RestartsWhatBecomesUnhealthy) {  // deploy/E5
  deploy({.restart_timeout_seconds = 7, .restart_signal = "SIGINT"});
  start();
  for (const auto* other : {"health_status: healthy", "die", "oom", "kill", "stop", "destroy", "update"})
    engine_.tell(other, {}, "c2");
  engine_.tell("health_status: unhealthy");
  until([&] { return has_restarted(1); });
  settle();
  EXPECT_EQ(restarted(), Lines{"c1 7 SIGINT"});
  EXPECT_EQ(jobs(), Lines{});
}

TEST_F(ReconcilerTest, ListensAgainAfterAnException) {  // reliability/F67: no thread to be had for the stream
  deploy({});
  engine_.streams_to_throw = 2;
  start();
  engine_.tell("health_status: unhealthy");
  until([&] { return has_restarted(1); });
}

TEST_F(ReconcilerTest, LeavesOthersAlone) {  // deploy/E3, E6
  deploy({.events = {"die", "unhealthy"}});
  start();
  engine_.tell("health_status: unhealthy", {{"com.docker.compose.project", "shop-two"}});
  engine_.tell("health_status: unhealthy", {{"com.docker.compose.oneoff", "True"}});
  engine_.tell("die", {{"cd.doco.job.ephemeral", "true"}});
  engine_.tell("die", {{"com.docker.compose.project", ""}});
  engine_.tell("die", {{"cd.windlass.instance", "another"}});  // O4
  // of an image that compose built, or somebody's own
  engine_.tell("die", {{"cd.doco.metadata.manager", ""}});
  engine_.tell("health_status: unhealthy", {{"cd.doco.metadata.manager", ""}});
  settle();
  EXPECT_EQ(restarted(), Lines{});
  EXPECT_EQ(jobs(), Lines{});
}

TEST_F(ReconcilerTest, DoesNothingForStacksThatSwitchedItOff) {
  deploy({.enabled = false});
  start();
  engine_.tell("health_status: unhealthy");
  settle();
  EXPECT_EQ(restarted(), Lines{});
}

TEST_F(ReconcilerTest, DeploysAgainWhatIsGone) {  // deploy/E4, E8
  deploy({.events = {"die", "destroy", "update"}});
  engine_.removing_for = 2;
  start();
  engine_.set("c1", {.state = "removing"});
  engine_.say("die");
  until([&] { return !jobs().empty(); });
  engine_.tell("destroy");  // of the same stack, while something is done about it
  settle();
  EXPECT_EQ(jobs(), Lines{redeployment_});
  EXPECT_LT(engine_.removing_for, 1);
  engine_.set("c2", {.state = "running"});
  end_jobs();
  settle();
  EXPECT_EQ(jobs().size(), 1u) << "nothing is missed any more";
  engine_.tell("update", {}, "c2");
  until([&] { return jobs().size() == 2; });
}

// config 9, actions
struct Answer {
  const char *event, *told;  // in the configuration, and by the engine
  bool is_restart;           // else a deployment
};
class ReconcilerEventTest : public ReconcilerTest, public testing::WithParamInterface<Answer> {};

TEST_P(ReconcilerEventTest, IsAnsweredInItsWay) {
  const auto& [event, told, is_restart] = GetParam();
  deploy({.events = {event}});
  start();
  engine_.tell(told);
  until([&] { return !restarted().empty() || !jobs().empty(); });
  EXPECT_EQ(restarted(), is_restart ? Lines{"c1 10 "} : Lines{});
  EXPECT_EQ(jobs(), is_restart ? Lines{} : Lines{redeployment_});
}

INSTANTIATE_TEST_SUITE_P(All, ReconcilerEventTest,
                         testing::Values(Answer{"die", "die", false}, Answer{"destroy", "destroy", false},
                                         Answer{"update", "update", false}, Answer{"stop", "stop", true},
                                         Answer{"kill", "kill", true}, Answer{"oom", "oom", true},
                                         Answer{"unhealthy", "health_status: unhealthy", true}),
                         [](const auto& test) { return test.param.event; });

TEST_F(ReconcilerTest, DeploysAgainWhatCannotBeRestartedBecauseItIsGone) {
  deploy({});
  engine_.restart_error = Error{Kind::not_found, "no such container"};
  start();
  engine_.tell("health_status: unhealthy");
  until([&] { return !jobs().empty(); });
  EXPECT_EQ(jobs(), Lines{redeployment_});
}

TEST_F(ReconcilerTest, OneSlowContainerHoldsUpNoOther) {
  deploy({});
  engine_.slow = {"c1"};
  start();
  engine_.tell("health_status: unhealthy");
  Labels other = of_shop();
  other["com.docker.compose.project"] = "other";
  deploy_as({"other"}, {});
  engine_.tell("health_status: unhealthy", other, "c2");
  until([&] { return restarted() == Lines{"c2 10 "}; });
  {
    const std::lock_guard lock(engine_.mutex);
    engine_.slow.clear();
  }
  until([&] { return has_restarted(2); });
}

TEST_F(ReconcilerTest, GivesUpOnWhatNeverGetsWell) {  // deploy/E9
  deploy({.restart_limit = 2});
  start();
  for (int i = 0; i < 4; ++i) {
    engine_.tell("health_status: unhealthy");
    if (i < 2) until([&] { return has_restarted(i + 1u); });
    settle();
  }
  EXPECT_EQ(restarted().size(), 2u);
  clock_.advance(300s);  // it is unhealthy still, without a further event
  until([&] { return has_restarted(3); });
}

TEST_F(ReconcilerTest, GivesUpOnWhatEndsAgainAndAgain) {  // deploy/E9
  deploy({.events = {"die"}, .restart_limit = 2});
  start();
  for (int i = 0; i < 4; ++i) {
    engine_.tell("die", {}, fmt::format("c{}", i + 1));
    if (i < 2) until([&] { return jobs().size() == i + 1u; });
    settle();
    end_jobs();
  }
  EXPECT_EQ(jobs().size(), 2u);
}

TEST_F(ReconcilerTest, LooksAtWhatItCouldNotHearOf) {  // deploy/E2, E11
  deploy({.events = {"unhealthy", "destroy"}});
  engine_.set("c9", {.state = "running", .health = Health::unhealthy});
  start();
  until([&] { return restarted() == Lines{"c9 10 "}; });
  settle();
  {
    const std::lock_guard lock(engine_.mutex);
    engine_.cuts = engine_.is_away = true;
    engine_.there.clear();
  }
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(jobs(), Lines{});
  {
    const std::lock_guard lock(engine_.mutex);
    engine_.is_away = false;
  }
  until([&] { return !jobs().empty(); });
  EXPECT_EQ(jobs(), Lines{"reconcile as it was: shop  of r.example/shop:main"});
}

TEST_F(ReconcilerTest, LooksAgainWhenItCouldNotLook) {
  deploy({});
  engine_.set("c9", {.state = "running", .health = Health::unhealthy});
  engine_.lists_to_refuse = 2;
  start();
  until([&] { return has_restarted(1); });
}

TEST_F(ReconcilerTest, HearsAgainAfterAJobWasRefused) {
  deploy({.events = {"die"}});
  queue_.refusal = JobQueue::Refusal::full;
  start();
  engine_.tell("die");
  settle();
  EXPECT_EQ(jobs(), Lines{});
  {
    const std::lock_guard lock(queue_.mutex);
    queue_.refusal.reset();
  }
  clock_.advance(1s);
  until([&] { return !jobs().empty(); });
}

class SecondEngineTest : public ReconcilerTest {
 protected:
  SecondEngineTest() { engines_.by_context["edge"] = &edge_; }
  ~SecondEngineTest() override { reconciler_.reset(); }  // which listens to it
  bool hears_edge() {
    const std::lock_guard lock(edge_.mutex);
    return edge_.streams > 0;
  }
  TellingEngine edge_;
};

TEST_F(SecondEngineTest, AnswersOnTheEngineThatTells) {  // deploy/E1
  deploy({});
  deploy_as({"shop", "edge"}, {.events = {"die"}});
  start();
  until([&] { return hears_edge(); });
  edge_.tell("health_status: unhealthy");  // which its own rule does not answer
  edge_.tell("die", {}, "c2");
  until([&] { return jobs().size() == 1; });
  EXPECT_EQ(jobs(), Lines{"reconcile as it was: edge/shop web of r.example/shop:main"});
  engine_.tell("health_status: unhealthy");
  until([&] { return has_restarted(1); });
  EXPECT_EQ(edge_.restarted, Lines{});
}

TEST_F(SecondEngineTest, ListensFromItsFirstStackOn) {
  start();
  EXPECT_FALSE(hears_edge());
  deploy_as({"shop", "edge"}, {});
  for (int times = 0; times < 2; ++times) reconciler_->follow();
  until([&] { return hears_edge(); });
  edge_.tell("health_status: unhealthy");
  until([&] {
    const std::lock_guard lock(edge_.mutex);
    return edge_.restarted == Lines{"c1 10 "};
  });
  EXPECT_EQ(edge_.streams, 1);
}

TEST_F(SecondEngineTest, ListensUntilItsLastStackIsGoneAndFromTheNextOneOn) {
  const auto remove = [&](const std::string& id) {
    ASSERT_TRUE(releases_->close({.id = id,
                                  .stack = {"shop", "edge"},
                                  .request = {},
                                  .state = ReleaseState::removed,
                                  .started_at = clock_.now()}));
    reconciler_->follow();
  };
  const auto open_streams = [&] {
    const std::lock_guard lock(edge_.mutex);
    return edge_.open_streams;
  };
  deploy_as({"shop", "edge"}, {}, std::nullopt, ReleaseState::succeeded, "r2");
  start();
  until([&] { return open_streams() == 1; });
  reconciler_->follow();
  EXPECT_EQ(open_streams(), 1) << "it has a stack still";
  remove("r3");
  until([&] { return open_streams() == 0; });
  deploy_as({"shop", "edge"}, {}, std::nullopt, ReleaseState::succeeded, "r4");
  reconciler_->follow();
  until([&] { return open_streams() == 1; });
  edge_.tell("health_status: unhealthy");
  until([&] {
    const std::lock_guard lock(edge_.mutex);
    return edge_.restarted == Lines{"c1 10 "};
  });
  EXPECT_EQ(edge_.streams, 2);
}

TEST_F(SecondEngineTest, ListensToTheEngineThatTheContextLeadsTo) {
  TellingEngine other;
  deploy_as({"shop", "edge"}, {});
  start();
  until([&] { return hears_edge(); });
  reconciler_->follow();
  EXPECT_EQ(edge_.streams, 1);
  engines_.by_context["edge"] = &other;
  reconciler_->follow();
  until([&] {
    const std::lock_guard lock(edge_.mutex);
    return edge_.open_streams == 0;
  });
  other.tell("health_status: unhealthy");
  until([&] {
    const std::lock_guard lock(other.mutex);
    return other.restarted == Lines{"c1 10 "};
  });
  EXPECT_EQ(edge_.restarted, Lines{});
  reconciler_.reset();  // which listens to it
}

TEST_F(SecondEngineTest, StacksComeAndGoFasterThanItsThreads) {
  start();
  const auto come_and_go = [&](const std::string& name) {
    const Release release{.id = name, .stack = {name, "edge"}, .request = {}, .started_at = clock_.now()};
    for (int times = 0; times < 20; ++times) {
      auto begun = release, gone = release;
      begun.id += fmt::format(" {} begins", times);
      gone.id += fmt::format(" {} ends", times);
      EXPECT_TRUE(releases_->begin(begun, {}));
      reconciler_->follow();
      EXPECT_TRUE(releases_->close(gone));
      reconciler_->follow();
    }
  };
  {
    std::vector<std::jthread> jobs;
    for (const auto* name : {"a", "b", "c"}) jobs.emplace_back([&, name] { come_and_go(name); });
  }
  until([&] {
    const std::lock_guard lock(edge_.mutex);
    return edge_.open_streams == 0;
  });
}

TEST_F(SecondEngineTest, WaitsForAnEngineThatIsAwayAndHearsTheOthers) {  // deploy/E2
  deploy({});
  edge_.is_away = true;
  deploy_as({"shop", "edge"}, {});
  start();
  engine_.tell("health_status: unhealthy");
  until([&] { return has_restarted(1); });
  EXPECT_FALSE(hears_edge());
  edge_.set("c9", {.state = "running", .health = Health::unhealthy});
  {
    const std::lock_guard lock(edge_.mutex);
    edge_.is_away = false;
  }
  until([&] {
    const std::lock_guard lock(edge_.mutex);
    return edge_.restarted == Lines{"c9 10 "};
  });
}

}  // namespace
}  // namespace windlass
