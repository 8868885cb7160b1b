// What the tests of the reconciler share: an engine that tells what a test makes happen, and a reconciler that hears
// it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cerrno>
#include <deque>
#include <filesystem>
#include <system_error>

#include "docker/idle_engine.h"
#include "jobs/fake_queue.h"
#include "reconcile/reconciler.h"

namespace windlass {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

inline constexpr std::int64_t kNow = 1'800'000'000'000'000'000;

inline Labels of_shop(const std::string& service = "web") {
  return {{"com.docker.compose.project", "shop"},
          {"com.docker.compose.service", service},
          {"cd.doco.metadata.manager", "doco-cd"}};
}

// An engine that tells what a test makes happen, and has the containers to match.
struct TellingEngine final : IdleEngine {
  std::mutex mutex;
  std::deque<EngineEvent> told;
  bool is_away = false, cuts = false;
  int streams = 0, open_streams = 0;
  Lines restarted;  // "id timeout signal"
  std::optional<Error> restart_error;
  std::map<std::string, ContainerDetail> there = {{"c0", {.state = "running", .labels = of_shop("db")}}};
  std::set<std::string> slow;  // to stop, until they are let go
  int lists_to_refuse = 0, streams_to_throw = 0;
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
    explicit Stream(TellingEngine& engine) : engine(engine) { ++engine.open_streams; }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() override {
      const std::lock_guard lock(engine.mutex);
      --engine.open_streams;
    }
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
    if (streams_to_throw > 0 && streams_to_throw-- > 0) throw std::system_error(EAGAIN, std::system_category());
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
    deploy_as({"shop"}, rule, model, state, id);
  }
  void deploy_as(const StackId& stack, const ReconciliationRule& rule,
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
        engines_, *releases_, locks_, *restarts_, queue_, clock_, Log({.level = LogLevel::critical}));
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
  FixedEngines engines_{engine_};
  StackLocks locks_;
  FakeJobQueue queue_;
  std::unique_ptr<ReleaseStore> releases_;
  std::unique_ptr<RestartLog> restarts_;
  std::unique_ptr<Reconciler> reconciler_;
};

}  // namespace windlass
