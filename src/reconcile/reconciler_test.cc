#include "reconcile/reconciler.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <deque>
#include <filesystem>

#include "docker/idle_engine.h"
#include "jobs/fake_queue.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

constexpr std::int64_t kNow = 1'800'000'000'000'000'000;

Labels of_shop(const std::string& service = "web") {
  return {{"com.docker.compose.project", "shop"},
          {"com.docker.compose.service", service},
          {"cd.doco.metadata.manager", "doco-cd"}};
}

// An engine that tells what a test makes happen, and has the containers to match.
struct TellingEngine final : IdleEngine {
  std::mutex mutex;
  std::deque<EngineEvent> told;
  bool is_away = false, cuts = false;
  int streams = 0;
  Lines restarted;  // "id timeout signal"
  std::optional<Error> restart_error;
  std::map<std::string, ContainerDetail> there = {{"c0", {.state = "running", .labels = of_shop("db")}}};
  std::set<std::string> slow;  // to stop, until they are let go
  int lists_to_refuse = 0;
  int removing_for = 0;  // inspections that find the container being removed

  void set(const std::string& id, ContainerDetail detail) {
    const std::lock_guard lock(mutex);
    if (detail.labels.empty()) detail.labels = of_shop();
    there[id] = std::move(detail);
  }
  void say(const std::string& action, Labels labels = {}, const std::string& id = "c1") {
    labels.merge(of_shop());
    labels.insert({"name", "shop-web-1"});
    const std::lock_guard lock(mutex);
    told.push_back({.action = action, .container_id = id, .attributes = std::move(labels), .time_ns = kNow});
  }
  // It happens to the container, too.
  void tell(const std::string& action, Labels labels = {}, const std::string& id = "c1") {
    {
      const std::lock_guard lock(mutex);
      auto& container = there[id];
      if (container.labels.empty()) container.labels = labels, container.labels.merge(of_shop());
      if (action == "health_status: unhealthy") container.health = Health::unhealthy;
      container.state = action == "die" || action == "stop" || action == "kill" ? "exited" : "running";
      if (action == "destroy") there.erase(id);
    }
    say(action, std::move(labels), id);
  }
  struct Stream final : EventStream {
    explicit Stream(TellingEngine& engine) : engine(engine) {}
    TellingEngine& engine;
    Result<std::optional<EngineEvent>> next(const Deadline& deadline) override {
      while (!deadline.passed()) {
        {
          const std::lock_guard lock(engine.mutex);
          if (std::exchange(engine.cuts, false)) return fail(Kind::unavailable, "the event stream ended");
          if (!engine.told.empty()) {
            auto event = engine.told.front();
            engine.told.pop_front();
            return std::optional(event);
          }
        }
        std::this_thread::sleep_for(1ms);
      }
      return std::optional<EngineEvent>();
    }
  };
  Result<std::unique_ptr<EventStream>> events(const std::string& label, const std::vector<std::string>&,
                                              const Deadline&) override {
    EXPECT_EQ(label, "cd.doco.metadata.manager=doco-cd");
    const std::lock_guard lock(mutex);
    if (is_away) return fail(Kind::unavailable, "connection refused");
    ++streams;
    return std::make_unique<Stream>(*this);
  }
  Status restart(const std::string& id, int timeout_seconds, const std::string& signal,
                 const Deadline& deadline) override {
    for (bool waits = true; waits && !deadline.passed();) {
      const std::lock_guard lock(mutex);
      waits = slow.contains(id);
    }
    const std::lock_guard lock(mutex);
    restarted.push_back(fmt::format("{} {} {}", id, timeout_seconds, signal));
    if (restart_error) return tl::unexpected(*restart_error);
    there[id].state = "running";
    there[id].health = Health::starting;
    return {};
  }
  Result<std::vector<ContainerSummary>> unhealthy_containers(const std::string& label, const Deadline&) override {
    return those_with({label}, [](const ContainerDetail& detail) { return detail.health == Health::unhealthy; });
  }
  Result<std::vector<ContainerSummary>> containers(const std::vector<std::string>& labels, const Deadline&) override {
    return those_with(labels, [](const ContainerDetail&) { return true; });
  }
  Result<std::vector<ContainerSummary>> those_with(const std::vector<std::string>& labels,
                                                   const std::function<bool(const ContainerDetail&)>& is_wanted) {
    const std::lock_guard lock(mutex);
    if (lists_to_refuse > 0 && lists_to_refuse-- > 0) return fail(Kind::unavailable, "too slow");
    std::vector<ContainerSummary> found;
    for (const auto& [id, detail] : there) {
      const auto has = [&, &of = detail.labels](const std::string& label) {
        const auto equals = label.find('=');
        const auto own = of.find(label.substr(0, equals));
        return own != of.end() && own->second == label.substr(equals + 1);
      };
      if (is_wanted(detail) && std::ranges::all_of(labels, has))
        found.push_back({.id = id, .name = "shop-web-1", .state = detail.state, .labels = detail.labels});
    }
    return found;
  }
  Result<ContainerDetail> inspect(const std::string& id, const Deadline&) override {
    const std::lock_guard lock(mutex);
    const auto found = there.find(id);
    if (found != there.end() && found->second.state == "removing" && removing_for-- == 0) {
      there.erase(found);
      return fail(Kind::not_found, "no such container");
    }
    if (found == there.end()) return fail(Kind::not_found, "no such container");
    return found->second;
  }
};

// FakeClock that a test may advance while threads read it.
struct LockedClock final : Clock {
  mutable std::mutex mutex;
  FakeClock clock;
  WallTime now() const override {
    const std::lock_guard lock(mutex);
    return clock.now();
  }
  SteadyTime steady_now() const override {
    const std::lock_guard lock(mutex);
    return clock.steady_now();
  }
  void advance(std::chrono::milliseconds by) {
    const std::lock_guard lock(mutex);
    clock.advance(by);
  }
};

class ReconcilerTest : public ::testing::Test {
 protected:
  ReconcilerTest() {
    std::string name = (std::filesystem::temp_directory_path() / "reconciler_test.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    releases_ = ReleaseStore::open(Db::open(folder_ / "state.db").value(), Secret("key")).value();
    restarts_ = RestartLog::open(Db::open(folder_ / "state.db").value(), clock_.now()).value();
  }
  ~ReconcilerTest() override {
    reconciler_.reset();
    restarts_.reset();
    releases_.reset();
    std::filesystem::remove_all(folder_);
  }

  // `model`: of the good release. `state`: how it ends.
  void deploy(const ReconciliationRule& rule, const std::optional<json::object>& model = std::nullopt,
              ReleaseState state = ReleaseState::succeeded, const std::string& id = "r1") {
    deploy_as("shop", rule, model, state, id);
  }
  void deploy_as(const std::string& stack, const ReconciliationRule& rule,
                 const std::optional<json::object>& model = std::nullopt, ReleaseState state = ReleaseState::succeeded,
                 const std::string& id = "r-other") {
    Release release{.id = id,
                    .stack = stack,
                    .request = {.artifact = "r.example/shop:main", .source_id = "r.example/shop", .ref = "main"},
                    .digest = digest_.str(),
                    .job_id = "j",
                    .started_at = clock_.now()};
    ASSERT_TRUE(releases_->begin(release, {}, {.discovery = {}, .reconciliation = rule}));
    release.state = state;
    ASSERT_TRUE(releases_->finish(release, {}, model));
  }
  void start() {
    reconciler_ = std::make_unique<Reconciler>(
        Reconciler::Options{
            .backoff_min = 1ms, .backoff_max = 5ms, .removal_wait = 2s, .settle = settle_, .look_again_min = 1ms},
        engine_, *releases_, locks_, *restarts_, queue_, clock_, Log({.level = LogLevel::critical}));
    reconciler_->start();
    until([&] {
      const std::lock_guard lock(engine_.mutex);
      return engine_.streams > 0;
    });
  }
  void until(const std::function<bool()>& is_so) {
    for (int i = 0; i < 5000 && !is_so(); ++i) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(is_so()) << "waited in vain";
  }
  bool has_restarted(std::size_t times) { return restarted().size() == times; }
  // Whatever was told before it has been answered when this one is.
  void settle() {
    until([&] {
      const std::lock_guard lock(engine_.mutex);
      return engine_.told.empty();
    });
    std::this_thread::sleep_for(50ms);
  }
  Lines restarted() {
    const std::lock_guard lock(engine_.mutex);
    return engine_.restarted;
  }
  Lines jobs() {
    Lines lines;
    const std::lock_guard lock(queue_.mutex);
    for (const auto& [id, request] : queue_.jobs)
      lines.push_back(fmt::format("{} {}: {} of {}", request.cause,
                                  request.digest->str() == digest_.str() ? "as it was" : "?", request.service,
                                  request.artifact));
    return lines;
  }
  void end_jobs(const JobOutcome& outcome = {}) {
    std::map<std::string, JobQueue::OnFinished> ended;
    {
      const std::lock_guard lock(queue_.mutex);
      ended = std::exchange(queue_.waiting, {});
    }
    for (auto& [id, finished] : ended) finished({}, outcome);
  }

  const Digest digest_ = Digest::of_sha256_hex(std::string(64, 'a'));
  const std::string redeployment_ = "reconcile as it was: shop web of r.example/shop:main";
  std::filesystem::path folder_;
  LockedClock clock_;
  std::chrono::milliseconds settle_{0};
  TellingEngine engine_;
  StackLocks locks_;
  FakeJobQueue queue_;
  std::unique_ptr<ReleaseStore> releases_;
  std::unique_ptr<RestartLog> restarts_;
  std::unique_ptr<Reconciler> reconciler_;
};

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

TEST_F(ReconcilerTest, LeavesOthersAlone) {  // deploy/E3, E6
  deploy({.events = {"die", "unhealthy"}});
  start();
  engine_.tell("health_status: unhealthy", {{"com.docker.compose.project", "shop-two"}});
  engine_.tell("health_status: unhealthy", {{"com.docker.compose.oneoff", "True"}});
  engine_.tell("die", {{"cd.doco.job.ephemeral", "true"}});
  engine_.tell("die", {{"com.docker.compose.project", ""}});
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

TEST_F(ReconcilerTest, DeploysAgainWhatCannotBeRestartedBecauseItIsGone) {
  deploy({});
  engine_.restart_error = Error{Kind::not_found, "no such container"};
  start();
  engine_.tell("health_status: unhealthy");
  until([&] { return !jobs().empty(); });
  EXPECT_EQ(jobs(), Lines{redeployment_});
}

// A new container comes with a deployment: what happened to the old one is over.
TEST_F(ReconcilerTest, AnswersAfterADeploymentWhatIsStillSo) {  // deploy/E6
  deploy({.events = {"unhealthy", "die", "destroy"}});
  start();
  {
    const auto held = locks_.take({"shop"}, Deadline::in(1s));
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

TEST_F(ReconcilerTest, AnswersForEachOfSeveralContainersOfAStack) {
  deploy({.events = {"unhealthy", "stop"}});
  start();
  for (const auto* id : {"c1", "c2", "c3"}) engine_.tell("health_status: unhealthy", {}, id);
  engine_.tell("stop", {{"com.docker.compose.service", "bb"}}, "c4");
  until([&] { return has_restarted(4); });
  settle();
  EXPECT_EQ(restarted(), (Lines{"c1 10 ", "c2 10 ", "c3 10 ", "c4 10 "}));
}

TEST_F(ReconcilerTest, DeploysAgainWhatIsMissingAfterItsOwnRedeployment) {
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

TEST_F(ReconcilerTest, TriesAgainAfterARedeploymentThatFailed) {
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

TEST_F(ReconcilerTest, OneSlowContainerHoldsUpNoOther) {
  deploy({});
  engine_.slow = {"c1"};
  start();
  engine_.tell("health_status: unhealthy");
  Labels other = of_shop();
  other["com.docker.compose.project"] = "other";
  deploy_as("other", {});
  engine_.tell("health_status: unhealthy", other, "c2");
  until([&] { return restarted() == Lines{"c2 10 "}; });
  {
    const std::lock_guard lock(engine_.mutex);
    engine_.slow.clear();
  }
  until([&] { return has_restarted(2); });
}

TEST_F(ReconcilerTest, IsNotMisledByItsOwnRestarts) {  // deploy/E6
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

TEST_F(ReconcilerTest, LeavesAloneWhatSomebodyElseHasStartedAgain) {
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

TEST_F(ReconcilerTest, RestartsWhatASignalEndedInTheEnd) {
  deploy({.events = {"kill"}});
  start();
  engine_.set("c1", {.state = "running"});
  engine_.say("kill");
  settle();
  EXPECT_EQ(restarted(), Lines{});
  engine_.tell("die");
  until([&] { return has_restarted(1); });
}

TEST_F(ReconcilerTest, MissesOnlyWhatTheReleaseWants) {
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

TEST_F(ReconcilerTest, LetsWhatHasFinishedBe) {  // deploy/N17
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

TEST_F(ReconcilerTest, LeavesAFailedReleaseForInspection) {
  deploy({.events = {"die", "unhealthy"}});
  deploy({.events = {"die", "unhealthy"}}, std::nullopt, ReleaseState::failed, "r2");
  start();
  engine_.tell("die");
  settle();
  EXPECT_EQ(jobs(), Lines{});
  engine_.tell("health_status: unhealthy");
  until([&] { return has_restarted(1); });
}

TEST_F(ReconcilerTest, WaitsForWhatIsPaused) {
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

TEST_F(ReconcilerTest, RestartsWhatRanOutOfMemoryAndRunsOn) {
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

// A stack whose services have all finished.
TEST_F(ReconcilerTest, AsksOnceWhetherAStackOfWhichNothingRunsIsWell) {
  deploy({.events = {"destroy"}});
  engine_.there.clear();
  start();
  until([&] { return jobs().size() == 1; });
  end_jobs(JobOutcome::skipped("no changes"));
  clock_.advance(1min);
  settle();
  EXPECT_EQ(jobs().size(), 1u);
}

TEST_F(ReconcilerTest, HearsAgainAfterAJobWasRefused) {
  deploy({.events = {"die"}});
  queue_.refusal = JobQueue::Refusal::full;
  start();
  engine_.tell("die");
  settle();
  EXPECT_EQ(jobs(), Lines{});
  queue_.refusal.reset();
  clock_.advance(1s);
  until([&] { return !jobs().empty(); });
}

}  // namespace
}  // namespace windlass
