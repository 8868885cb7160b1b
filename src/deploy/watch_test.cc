#include "deploy/watch.h"
#include "docker/idle_engine.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <thread>

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr WatchOptions kQuick{.steady_for = 2s, .reopen_pause = 5ms, .removed_for = 600ms};

std::string minutes_ago(int minutes) { return to_rfc3339(SystemClock().now() - std::chrono::minutes(minutes)); }

// An engine with containers whose life is told step by step: a step runs when the watch has heard all events so far.
struct LivelyEngine final : IdleEngine {
  std::map<std::string, ContainerDetail> containers_by_id;
  std::deque<EngineEvent> heard;
  std::deque<std::function<void()>> life;
  std::string logs = "one\ntwo\n";
  int streams = 0;
  int away_for = 0;  // calls that find no engine
  bool cut = false;  // the stream ends

  void emit(const std::string& id, std::string action, Labels more = {}) {
    more["com.docker.compose.service"] = containers_by_id[id].labels["com.docker.compose.service"];
    heard.push_back({.action = std::move(action), .container_id = id, .attributes = std::move(more)});
  }
  ContainerDetail& make(const std::string& id, const std::string& service, ContainerDetail detail = {}) {
    detail.id = id;
    detail.name = "shop-" + id;
    if (detail.state.empty()) detail.state = "created";
    detail.labels = {{"com.docker.compose.project", "shop"}, {"com.docker.compose.service", service}};
    return containers_by_id[id] = detail;
  }
  void start(const std::string& id, Health health = Health::none) {
    auto& container = containers_by_id[id];
    container.state = "running";
    container.health = health;
    container.started_at = minutes_ago(0);
    emit(id, "start");
  }
  void die(const std::string& id, int code, std::string state = "exited") {
    containers_by_id[id].state = std::move(state);
    containers_by_id[id].exit_code = code;
    emit(id, "die", {{"exitCode", std::to_string(code)}});
  }
  void turn(const std::string& id, Health health) {
    containers_by_id[id].health = health;
    emit(id, health == Health::healthy ? "health_status: healthy" : "health_status: unhealthy");
  }
  void lose(const std::string& id) {
    emit(id, "destroy");
    containers_by_id.erase(id);
  }

  Status answers() {
    if (away_for == 0) return {};
    --away_for;
    return fail(Kind::unavailable, "docker engine at unix:///d.sock: connection refused");
  }
  Status ping() override { return answers(); }
  Result<std::vector<ContainerSummary>> containers(const std::vector<std::string>& labels, const Deadline&) override {
    EXPECT_EQ(labels, std::vector<std::string>{"com.docker.compose.project=shop"});
    if (auto there = answers(); !there) return tl::unexpected(there.error());
    std::vector<ContainerSummary> list;
    for (const auto& [id, detail] : containers_by_id)
      list.push_back({.id = id, .name = detail.name, .state = detail.state, .labels = detail.labels});
    return list;
  }
  Result<ContainerDetail> inspect(const std::string& id, const Deadline&) override {
    if (auto there = answers(); !there) return tl::unexpected(there.error());
    const auto found = containers_by_id.find(id);
    if (found == containers_by_id.end()) return fail(Kind::not_found, "no such container");
    return found->second;
  }
  Result<std::string> last_logs(const std::string&, int lines, const Deadline&) override {
    EXPECT_EQ(lines, 20);
    return logs;
  }
  Result<std::string> image_id(const std::string&, const Deadline&) override { return fail(Kind::not_found, "none"); }

  struct Stream final : EventStream {
    LivelyEngine& engine;
    explicit Stream(LivelyEngine& engine) : engine(engine) {}
    Result<std::optional<EngineEvent>> next(const Deadline& deadline) override {
      if (engine.heard.empty() && !engine.life.empty() && !deadline.passed()) {
        auto step = std::move(engine.life.front());
        engine.life.pop_front();
        step();
      }
      if (std::exchange(engine.cut, false)) {
        engine.heard.clear();
        return fail(Kind::unavailable, "the event stream ended");
      }
      if (engine.heard.empty()) {
        while (!deadline.passed()) std::this_thread::sleep_for(1ms);
        return std::optional<EngineEvent>();
      }
      auto event = engine.heard.front();
      engine.heard.pop_front();
      return std::optional(event);
    }
  };
  Result<std::unique_ptr<EventStream>> events(const std::string& label, const std::vector<std::string>&,
                                              const Deadline&) override {
    EXPECT_EQ(label, "com.docker.compose.project=shop");
    if (auto there = answers(); !there) return tl::unexpected(there.error());
    ++streams;
    return std::make_unique<Stream>(*this);
  }
};

struct HealthWatchTest : testing::Test {
  LivelyEngine engine;
  Log log;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  std::unique_ptr<HealthWatch> watch = std::move(*HealthWatch::open(engine, "shop", log, Deadline::in(30s), kQuick));

  std::string wait(const std::vector<ServiceShape>& services, std::chrono::milliseconds timeout = 10s,
                   std::stop_token stop = {}) {
    const auto waited = watch->wait(services, timeout, Deadline::in(60s, stop));
    return waited ? "ready" : std::string(to_string(waited.error().kind)) + ": " + waited.error().message;
  }
  std::chrono::milliseconds took() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  }
};

TEST_F(HealthWatchTest, TakesTheHealthyEventAtOnce) {
  engine.make("a1", "a");
  engine.start("a1", Health::starting);
  engine.life.push_back([&] { engine.turn("a1", Health::healthy); });
  EXPECT_EQ(wait({{.name = "a"}}), "ready");
  EXPECT_LT(took(), 1500ms);
}

TEST_F(HealthWatchTest, WantsASteadyRunWithoutAHealthCheck) {
  engine.make("a1", "a");
  engine.start("a1");
  EXPECT_EQ(wait({{.name = "a"}}), "ready");
  EXPECT_GE(took(), 1500ms);
  EXPECT_LT(took(), 10s);
}

TEST_F(HealthWatchTest, TakesAnUnchangedContainerAtOnce) {
  engine.make("a1", "a",
              {.state = "running", .restart_count = 4, .restart_policy = "always", .started_at = minutes_ago(5)});
  engine.make("b1", "b", {.state = "running", .health = Health::healthy, .started_at = minutes_ago(5)});
  engine.make("c1", "c", {.state = "exited", .started_at = minutes_ago(5)});
  EXPECT_EQ(wait({{.name = "a"}, {.name = "b"}, {.name = "c"}}), "ready");
  EXPECT_LT(took(), 1500ms);
}

// An engine whose clock is behind: a container that was just started seems to have run for long.
TEST_F(HealthWatchTest, BelievesItsOwnClock) {
  engine.make("a1", "a");
  engine.start("a1");
  engine.containers_by_id["a1"].started_at = minutes_ago(60);
  EXPECT_EQ(wait({{.name = "a"}}), "ready");
  EXPECT_GE(took(), 1500ms);
}

TEST_F(HealthWatchTest, TakesAServiceThatEndedWell) {
  engine.make("a1", "a", {.restart_policy = "on-failure"});
  engine.start("a1");
  engine.die("a1", 0);
  EXPECT_EQ(wait({{.name = "a"}}), "ready");
  EXPECT_LT(took(), 1500ms);
}

TEST_F(HealthWatchTest, WaitsForEveryReplica) {
  engine.make("a1", "a");
  engine.start("a1", Health::healthy);
  EXPECT_EQ(
      wait({{.name = "a", .replicas = 2}}, 400ms),
      "invalid: timed out after 400ms waiting for services to start: a; a: 1 of 2 replicas ready, no container of "
      "the others");
  engine.make("a2", "a");
  engine.life.push_back([&] { engine.start("a2", Health::healthy); });
  EXPECT_EQ(wait({{.name = "a", .replicas = 2}}), "ready");
}

TEST_F(HealthWatchTest, WaitsForNobodyWhereNothingIsWanted) {
  engine.make("x1", "x", {.state = "exited", .exit_code = 9});  // an orphan
  EXPECT_EQ(wait({{.name = "a", .replicas = 0}}), "ready");
}

// deploy/C13
TEST_F(HealthWatchTest, NamesWhoIsLate) {
  for (const char* id : {"a1", "b1", "c1"}) {
    engine.make(id, std::string(id, 1));
    engine.start(id, *id == 'b' ? Health::healthy : Health::starting);
  }
  EXPECT_EQ(wait({{.name = "c"}, {.name = "b"}, {.name = "a"}, {.name = "missing"}}, 30ms),
            "invalid: timed out after 30ms waiting for services to start: a, c, missing; a: still starting, no health "
            "check has ended yet; c: still starting, no health check has ended yet; missing: no container");
}

// A check that fails again, and still may succeed, makes no event.
TEST_F(HealthWatchTest, SaysWhatALateServiceLackedInTheEnd) {
  for (const char* id : {"a1", "b1", "b2"}) engine.make(id, std::string(id, 1));
  engine.start("a1", Health::starting);
  engine.start("b1", Health::healthy);
  engine.life = {[&] {
    engine.containers_by_id["a1"].checks = {
        .exit_code = 1, .output = "connection refused\n", .failures = 3, .retries = 10};
  }};
  EXPECT_EQ(
      wait({{.name = "a"}, {.name = "b", .replicas = 2}}, 300ms),
      "invalid: timed out after 300ms waiting for services to start: a, b; a: health check failing, 3 of 10 tries "
      "(exit 1: \"connection refused\"); b: 1 of 2 replicas ready, not started yet");
  EXPECT_EQ(watch->failure(), StartFailure::timeout);
}

// The first piece of a secret, which nothing would know again.
TEST_F(HealthWatchTest, MasksSecretsBeforeItCutsALongLine) {
  log.mask(Secret("hunter2hunter2"));
  engine.make("a1", "a");
  engine.start("a1", Health::starting);
  engine.life = {[&] {
    engine.containers_by_id["a1"].checks = {
        .exit_code = 1, .output = std::string(250, '.') + "hunter2hunter2\n", .failures = 3, .retries = 10};
  }};
  const auto told = wait({{.name = "a"}}, 300ms);
  EXPECT_NE(told.find("...***"), told.npos) << told;
  EXPECT_EQ(told.find("hunter"), told.npos) << told;
}

TEST_F(HealthWatchTest, SaysMoreOfTenLateServicesAtMost) {
  std::vector<ServiceShape> services;
  for (char name = 'a'; name <= 'm'; ++name) services.push_back({.name = std::string(1, name)});
  const auto told = wait(services, 10ms);
  EXPECT_TRUE(told.ends_with("; j: no container; …")) << told;
  EXPECT_NE(told.find("i, j, k, l, m;"), told.npos) << told;
}

TEST_F(HealthWatchTest, StopsWhenAsked) {
  std::stop_source source;
  engine.life.push_back([&] { source.request_stop(); });
  EXPECT_EQ(wait({{.name = "a"}}, 5s, source.get_token()), "unavailable: stopped waiting for services to start: a");
  EXPECT_LT(took(), 10s);
}

// reliability/F65
TEST_F(HealthWatchTest, FailsAtOnceAndSaysWhy) {
  struct Row {
    std::string policy;
    std::function<void()> step;
    std::string reason;
  };
  const Row rows[] = {
      {"no", [&] { engine.die("a1", 3); }, "exited with code 3"},
      {"always", [&] { engine.die("a1", 1, "restarting"); }, "keeps restarting, exit code 1"},
      {"always", [&] { engine.die("a1", 0, "restarting"); }, "keeps restarting, exit code 0"},
      {"no", [&] { engine.turn("a1", Health::unhealthy); }, "is unhealthy"},
      // by the time we ask it runs again
      {"always",
       [&] {
         engine.die("a1", 5, "running");
         engine.containers_by_id["a1"].restart_count = 1;
         engine.containers_by_id["a1"].exit_code = 0;
       },
       "keeps restarting, exit code 5"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    began = std::chrono::steady_clock::now();
    watch = std::move(*HealthWatch::open(engine, "shop", log, Deadline::in(30s), kQuick));
    engine.containers_by_id.clear();
    engine.make("a1", "a", {.restart_policy = row.policy});
    engine.start("a1");
    engine.life = {row.step};
    EXPECT_EQ(wait({{.name = "a"}}),
              "invalid: service a: container shop-a1 " + row.reason + "; last log lines: one | two");
    EXPECT_LT(took(), 1500ms);
  }
}

TEST_F(HealthWatchTest, HearsOfARestartWhileTheStackWasBroughtUp) {
  engine.make("a1", "a", {.restart_policy = "always"});
  engine.start("a1");
  engine.die("a1", 4, "running");
  engine.start("a1");
  engine.containers_by_id["a1"].restart_count = 1;
  engine.logs = "";
  EXPECT_EQ(wait({{.name = "a"}}),
            "invalid: service a: container shop-a1 keeps restarting, exit code 4; it logged nothing");
}

TEST_F(HealthWatchTest, SeesAReadyServiceFailWhileOthersStart) {
  for (const char* id : {"a1", "b1"}) engine.make(id, std::string(id, 1));
  engine.start("a1", Health::starting);
  engine.start("b1", Health::starting);
  engine.life = {[&] { engine.turn("a1", Health::healthy); }, [&] { engine.turn("a1", Health::unhealthy); }};
  EXPECT_EQ(wait({{.name = "a"}, {.name = "b"}}),
            "invalid: service a: container shop-a1 is unhealthy; last log lines: one | two");
}

// compose stops and removes the old container of a service that it recreates
TEST_F(HealthWatchTest, DoesNotTakeAReplacedContainerForAFailure) {
  engine.make("old", "a");
  engine.die("old", 137);
  engine.lose("old");
  engine.make("new", "a");
  engine.start("new", Health::healthy);
  EXPECT_EQ(wait({{.name = "a"}}), "ready");
}

TEST_F(HealthWatchTest, ForgetsAContainerThatIsRemovedWhileItWaits) {
  engine.make("a1", "a");
  engine.start("a1", Health::starting);
  engine.life = {[&] { engine.lose("a1"); },
                 [&] {
                   engine.make("a2", "a");
                   engine.start("a2", Health::healthy);
                 }};
  EXPECT_EQ(wait({{.name = "a"}}), "ready");
}

TEST_F(HealthWatchTest, WaitsInVainForNoContainerThatSomebodyRemoved) {
  for (const char* id : {"a1", "a2"}) {
    engine.make(id, "a");
    engine.start(id, Health::starting);
  }
  engine.life = {[&] { engine.lose("a1"); }};
  EXPECT_EQ(wait({{.name = "a", .replicas = 2}}, 60s),
            "invalid: service a: 1 of 2 containers are there: somebody removed what the deployment made");
  EXPECT_EQ(watch->failure(), StartFailure::failed);
  EXPECT_GE(took(), 500ms);
  EXPECT_LT(took(), 10s);
}

// reliability/F61, F63: what happens while nobody tells is read afterwards
TEST_F(HealthWatchTest, ReadsTheStateAgainAfterACutStream) {
  engine.make("a1", "a");
  engine.start("a1", Health::starting);
  engine.life = {[&] {
    engine.turn("a1", Health::healthy);  // not heard
    engine.cut = true;
    engine.away_for = 3;
  }};
  EXPECT_EQ(wait({{.name = "a"}}), "ready");
  EXPECT_EQ(engine.streams, 2);
}

TEST_F(HealthWatchTest, TellsThatTheEngineStaysAway) {
  engine.away_for = 1'000'000;
  EXPECT_EQ(wait({{.name = "a"}}, 40ms),
            "unavailable: waiting for services to start: docker engine at unix:///d.sock: connection refused");
}

// The tool is still waiting for a service to end, and has not started those that need it.
TEST_F(HealthWatchTest, KnowsWhoHasNotEnded) {
  engine.make("a1", "a");
  engine.make("j1", "job", {.state = "running", .started_at = minutes_ago(5)});
  EXPECT_EQ(watch->failure_now({{.name = "a"}, {.name = "job", .must_end = true}}, Deadline::in(1s)), "");
  EXPECT_EQ(watch->timed_out(3s),
            "timed out after 3s waiting for services to start: a, job; a: not started yet; job: still running");
  engine.die("j1", 0);
  engine.start("a1", Health::healthy);
  EXPECT_EQ(watch->failure_now({{.name = "a"}, {.name = "job", .must_end = true}}, Deadline::in(1s)), "");
  EXPECT_EQ(watch->timed_out(3s), "");
}

TEST_F(HealthWatchTest, ExplainsAStackThatCouldNotBeBroughtUp) {
  engine.make("a1", "a");
  EXPECT_EQ(watch->failure_now({{.name = "a"}}, Deadline::in(1s)), "");
  engine.start("a1");
  engine.die("a1", 4);
  EXPECT_EQ(watch->failure_now({{.name = "a"}}, Deadline::in(1s)),
            "service a: container shop-a1 exited with code 4; last log lines: one | two");
}

}  // namespace
}  // namespace windlass
