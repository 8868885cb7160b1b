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

Labels of_shop() {
  return {{"com.docker.compose.project", "shop"},
          {"com.docker.compose.service", "web"},
          {"cd.doco.metadata.manager", "doco-cd"}};
}

// An engine that tells what a test makes happen.
struct TellingEngine final : IdleEngine {
  std::mutex mutex;
  std::deque<EngineEvent> told;
  bool is_away = false, cuts = false;
  int streams = 0;
  Lines restarted;  // "id timeout signal"
  std::optional<Error> restart_error;
  std::vector<ContainerSummary> unhealthy;
  std::vector<ContainerSummary> all = {{.id = "c0", .state = "running", .labels = of_shop()}};
  int removing_for = 0;  // inspections that find the container being removed

  void tell(const std::string& action, Labels labels = {}) {
    labels.merge(of_shop());
    labels.insert({"name", "shop-web-1"});
    const std::lock_guard lock(mutex);
    told.push_back({.action = action, .container_id = "c1", .attributes = std::move(labels)});
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
  Status restart(const std::string& id, int timeout_seconds, const std::string& signal, const Deadline&) override {
    const std::lock_guard lock(mutex);
    restarted.push_back(fmt::format("{} {} {}", id, timeout_seconds, signal));
    if (restart_error) return tl::unexpected(*restart_error);
    return {};
  }
  Result<std::vector<ContainerSummary>> unhealthy_containers(const std::string&, const Deadline&) override {
    const std::lock_guard lock(mutex);
    return unhealthy;
  }
  Result<std::vector<ContainerSummary>> containers(const std::vector<std::string>&, const Deadline&) override {
    const std::lock_guard lock(mutex);
    return all;
  }
  Result<ContainerDetail> inspect(const std::string&, const Deadline&) override {
    const std::lock_guard lock(mutex);
    return ContainerDetail{.state = removing_for-- > 0 ? "removing" : "exited"};
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

  void deploy(const ReconciliationRule& rule) {
    Release release{.id = "r1",
                    .stack = "shop",
                    .request = {.artifact = "r.example/shop:main", .source_id = "r.example/shop", .ref = "main"},
                    .digest = digest_.str(),
                    .job_id = "j",
                    .started_at = clock_.now()};
    ASSERT_TRUE(releases_->begin(release, {}, {.discovery = {}, .reconciliation = rule}));
    release.state = ReleaseState::succeeded;
    ASSERT_TRUE(releases_->finish(release, {}));
  }
  void start() {
    reconciler_ = std::make_unique<Reconciler>(
        Reconciler::Options{.backoff_min = 1ms, .backoff_max = 5ms, .removal_wait = 2s}, engine_, *releases_, locks_,
        *restarts_, queue_, clock_, Log({.level = LogLevel::critical}));
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
  void end_jobs() {
    std::map<std::string, JobQueue::OnFinished> ended;
    {
      const std::lock_guard lock(queue_.mutex);
      ended = std::exchange(queue_.waiting, {});
    }
    for (auto& [id, finished] : ended) finished({}, {});
  }

  const Digest digest_ = Digest::of_sha256_hex(std::string(64, 'a'));
  const std::string redeployment_ = "reconcile as it was: shop web of r.example/shop:main";
  std::filesystem::path folder_;
  FakeClock clock_;
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
    engine_.tell(other);
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
  engine_.tell("destroy");
  engine_.tell("die");  // of the same stack, while something is done about it
  settle();
  until([&] { return !jobs().empty(); });
  EXPECT_EQ(jobs(), Lines{redeployment_});
  EXPECT_LT(engine_.removing_for, 1);
  end_jobs();
  engine_.tell("update");
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

TEST_F(ReconcilerTest, HearsNothingOfAStackThatIsBeingDeployed) {  // deploy/E6
  deploy({});
  start();
  {
    const auto held = locks_.take({"shop"}, Deadline::in(1s));
    engine_.tell("health_status: unhealthy");
    settle();
  }
  EXPECT_EQ(restarted(), Lines{});
  engine_.tell("health_status: unhealthy");
  until([&] { return has_restarted(1); });
}

TEST_F(ReconcilerTest, IsNotMisledByItsOwnRestarts) {  // deploy/E6
  deploy({.events = {"unhealthy", "stop", "kill", "die"}});
  start();
  engine_.tell("health_status: unhealthy");
  until([&] { return has_restarted(1); });
  settle();
  for (const auto* echo : {"kill", "die", "stop"}) engine_.tell(echo);
  settle();
  EXPECT_EQ(restarted().size(), 1u);
  EXPECT_EQ(jobs(), Lines{});
  clock_.advance(21s);
  engine_.tell("stop");
  until([&] { return has_restarted(2); });
}

TEST_F(ReconcilerTest, GivesUpOnWhatNeverGetsWell) {  // deploy/E9
  deploy({.restart_limit = 2});
  start();
  for (int i = 0; i < 4; ++i) {
    engine_.tell("health_status: unhealthy");
    settle();
  }
  EXPECT_EQ(restarted().size(), 2u);
}

TEST_F(ReconcilerTest, GivesUpOnWhatEndsAgainAndAgain) {  // deploy/E9
  deploy({.events = {"die"}, .restart_limit = 2});
  start();
  for (int i = 0; i < 4; ++i) {
    engine_.tell("die");
    settle();
    end_jobs();
  }
  EXPECT_EQ(jobs().size(), 2u);
}

TEST_F(ReconcilerTest, LooksAtWhatItCouldNotHearOf) {  // deploy/E2, E11
  deploy({.events = {"unhealthy", "destroy"}});
  engine_.unhealthy = {{.id = "c9", .name = "shop-web-1", .labels = of_shop()}};
  engine_.all = engine_.unhealthy;
  engine_.all[0].state = "running";
  start();
  until([&] { return restarted() == Lines{"c9 10 "}; });
  settle();
  {
    const std::lock_guard lock(engine_.mutex);
    engine_.cuts = engine_.is_away = true;
    engine_.unhealthy.clear();
    engine_.all.clear();
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

TEST_F(ReconcilerTest, HearsAgainAfterAJobWasRefused) {
  deploy({.events = {"die"}});
  queue_.refusal = JobQueue::Refusal::full;
  start();
  engine_.tell("die");
  settle();
  EXPECT_EQ(jobs(), Lines{});
  queue_.refusal.reset();
  engine_.tell("die");
  until([&] { return !jobs().empty(); });
}

}  // namespace
}  // namespace windlass
