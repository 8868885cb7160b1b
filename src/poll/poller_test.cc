#include "poll/poller.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>

#include "jobs/fake_queue.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

const auto kDigest1 = Digest::of_sha256_hex(std::string(64, '1')),
           kDigest2 = Digest::of_sha256_hex(std::string(64, '2'));

// Sources in memory, by artifact; some hang until they are asked to stop.
struct FakeSource final : Source {
  std::map<std::string, Result<Look>> shows;
  std::vector<std::string> looked;  // artifacts, with "again" where it was told what it saw last
  std::set<std::string> hanging;
  std::mutex mutex;

  Result<Look> look(const JobRequest& request, const std::optional<Sighting>& last, const Deadline& deadline) override {
    std::unique_lock lock(mutex);
    looked.push_back(request.artifact + (last ? " again" : ""));
    if (hanging.contains(request.artifact)) {
      lock.unlock();
      while (!deadline.passed()) std::this_thread::sleep_for(1ms);
      return fail(Kind::unavailable, "timed out");
    }
    return shows.at(request.artifact);
  }
  Result<Settled> settle(const Job&, const LaneHistory&, const Deadline&) override { return Settled{}; }
  Status verify(const Job&, const Digest&, const Deadline&) override { return {}; }
  Status verify_deployment(const Job&, const Digest&, const TrustOverride&, const Deadline&) override { return {}; }
  std::string trust_stamp(const JobRequest&) override { return ""; }
  Result<UnpackedTree> fetch(const Job&, const Digest&, const std::filesystem::path&, const Deadline&) override {
    return UnpackedTree{};
  }
  Result<UnpackedTree> unpack_archive(std::string_view, const std::filesystem::path&, const Deadline&) override {
    return UnpackedTree{};
  }
  Result<std::string> live_path(const Job&) const override { return std::string(); }
  std::size_t count(const std::string& artifact) {
    const std::lock_guard lock(mutex);
    return static_cast<std::size_t>(std::ranges::count(looked, artifact));
  }
};

struct Listener final : Observer {
  std::vector<std::string> heard;
  void poll_held_up(const JobRequest& request, std::string_view error) override {
    heard.push_back(request.artifact + ": " + std::string(error));
  }
  void poll_goes_on(const JobRequest& request) override { heard.push_back(request.artifact + " goes on"); }
};

Result<Look> shows(const Digest& digest) { return Look{.seen = Sighting{digest, "etag"}}; }

class PollerTest : public ::testing::Test {
 protected:
  void make(const std::vector<PollConfig>& configs, std::chrono::milliseconds spread = 0ms) {
    poller.emplace(
        Poller::Options{.schedule = {.spread = spread, .random = [] { return 0.5; }}, .observer = &listener}, configs,
        source,
        Poller::Stacks{.settled_because = [this](const JobRequest& request, const Digest& digest,
                                                 const Deadline&) -> Result<std::optional<std::string>> {
                         if (state_fault) return tl::unexpected(*state_fault);
                         if (settled[request.artifact] != digest.str()) return std::optional<std::string>();
                         return std::optional<std::string>("no changes");
                       },
                       .to_repair = [this](const JobRequest&, const Deadline&) -> Result<std::optional<Digest>> {
                         return to_repair;
                       }},
        queue, clock, Log({.level = LogLevel::critical}));
  }
  // All that is due now.
  int steps() {
    int count = 0;
    while (poller->step()) ++count;
    return count;
  }
  void end_job(const JobOutcome& outcome) {
    if (outcome.status != RunStatus::failed) settled[queue.jobs.back().second.artifact] = kDigest1.str();
    queue.end_last(outcome);
  }

  FakeClock clock;
  FakeSource source;
  FakeJobQueue queue;
  Listener listener;
  std::optional<Digest> to_repair;
  std::map<std::string, std::string> settled;  // artifact -> digest
  std::optional<Error> state_fault;
  std::optional<Poller> poller;
};

const PollConfig kApp{.url = "r.example/app:1", .interval = 60s, .target = "prod"};

TEST_F(PollerTest, GoesOnAfterALookThatThrows) {
  make({kApp});  // the source throws for what it does not know
  EXPECT_EQ(steps(), 1);
  EXPECT_EQ(queue.jobs.size(), 0u);
  source.shows[kApp.url] = shows(kDigest1);
  clock.advance(60s);
  EXPECT_EQ(steps(), 1);
  EXPECT_EQ(queue.jobs.size(), 1u);
}

TEST_F(PollerTest, MakesAJobOfWhatHasMovedAndNothingElse) {  // oci 13
  source.shows[kApp.url] = shows(kDigest1);
  make({kApp});
  EXPECT_EQ(steps(), 1);
  ASSERT_EQ(queue.jobs.size(), 1u);
  const auto& request = queue.jobs[0].second;
  EXPECT_EQ(request.trigger, Trigger::poll);
  EXPECT_EQ(request.artifact, kApp.url);
  EXPECT_EQ(request.target, "prod");
  EXPECT_FALSE(request.digest) << "the run takes what the tag points to then (webhook/P0)";

  clock.advance(1h);
  EXPECT_EQ(steps(), 0) << "its job has not ended";
  end_job({});
  EXPECT_EQ(steps(), 0);
  clock.advance(60s);
  EXPECT_EQ(steps(), 1);
  EXPECT_EQ(queue.jobs.size(), 1u) << "unchanged";
  EXPECT_EQ(source.looked, (std::vector<std::string>{kApp.url, kApp.url + " again"}));

  source.shows[kApp.url] = shows(kDigest2);
  clock.advance(60s);
  steps();
  EXPECT_EQ(queue.jobs.size(), 2u) << "moved";
}

TEST_F(PollerTest, MakesNoJobOfWhatIsDeployedAlready) {  // after a restart
  source.shows[kApp.url] = shows(kDigest1);
  settled[kApp.url] = kDigest1.str();
  make({kApp});
  EXPECT_EQ(steps(), 1);
  EXPECT_TRUE(queue.jobs.empty());
  EXPECT_TRUE(queue.records.empty());
  ASSERT_EQ(queue.notes.size(), 1u);  // api/N5
  const auto& note = queue.notes[0];
  EXPECT_EQ(note.trigger, Trigger::poll);
  EXPECT_EQ(note.status, RunStatus::skipped);
  EXPECT_EQ(note.message, "no changes");
  EXPECT_EQ(note.repository, "r.example/app");
  EXPECT_EQ(note.target, "prod");
  EXPECT_EQ(note.revision, "1 (" + kDigest1.str() + ")");
}

TEST_F(PollerTest, RepairsWhatIsNotAsItWasDeployed) {
  source.shows[kApp.url] = shows(kDigest1);
  settled[kApp.url] = kDigest1.str();
  make({kApp});
  steps();
  settled.clear();  // a container was removed
  clock.advance(60s);
  steps();
  EXPECT_EQ(queue.jobs.size(), 1u);
}

TEST_F(PollerTest, RepairsInAnOutageWhatWasChangedByHand) {
  source.shows.emplace("reg.example/app:main", fail(Kind::unavailable, "connection refused"));
  make({{.url = "reg.example/app:main", .interval = 60s}});
  EXPECT_EQ(steps(), 1);
  EXPECT_TRUE(queue.jobs.empty());
  to_repair = kDigest1;
  clock.advance(61s);
  EXPECT_EQ(steps(), 1);
  ASSERT_EQ(queue.jobs.size(), 1u);
  EXPECT_EQ(queue.jobs[0].second.cause, "repair");
  EXPECT_EQ(queue.jobs[0].second.digest, kDigest1);
  to_repair.reset();
  end_job({.status = RunStatus::succeeded});
  clock.advance(61s);
  EXPECT_EQ(steps(), 1);
  EXPECT_EQ(queue.jobs.size(), 1u);
}

TEST_F(PollerTest, RepairsNothingThatTheRegistryHasTakenBack) {
  source.shows.emplace("reg.example/app:main", fail(Kind::denied, "401"));
  to_repair = kDigest1;
  make({{.url = "reg.example/app:main", .interval = 60s}});
  EXPECT_EQ(steps(), 1);
  EXPECT_TRUE(queue.jobs.empty());
}

TEST_F(PollerTest, ChangesNothingInAnOutage) {  // reliability/P11
  settled[kApp.url] = kDigest1.str();
  const Result<Look> outages[] = {
      fail(Kind::unavailable, "connection refused"), fail(Kind::denied, "401"), Look{.come_again = 1s, .reason = "429"},
      Look{},  // the tag is gone
  };
  for (const auto& outage : outages) {
    source.shows[kApp.url] = outage;
    make({kApp});
    EXPECT_EQ(steps(), 1);
    clock.advance(60s);
    EXPECT_EQ(steps(), 1);
    EXPECT_TRUE(queue.jobs.empty());
  }
  std::vector<std::string> told;
  for (const auto& note : queue.notes) told.push_back(note.message);
  EXPECT_EQ(told, (std::vector<std::string>{"connection refused", "401", "429", "1 not found in r.example/app"}))
      << "once each";
  EXPECT_EQ(queue.notes.at(0).status, RunStatus::failed);
}

TEST_F(PollerTest, TellsOfAnOutageAndItsEndOnce) {  // api/A15
  settled[kApp.url] = kDigest1.str();
  make({kApp});
  const auto look = [&](const Result<Look>& shown) {
    source.shows.insert_or_assign(kApp.url, shown);
    EXPECT_EQ(steps(), 1);
    clock.advance(600s);
  };
  look(shows(kDigest1));
  for (int times = 0; times < 2; ++times) look(fail(Kind::unavailable, "connection refused"));
  for (int times = 0; times < 2; ++times) look(shows(kDigest1));
  EXPECT_EQ(listener.heard, (std::vector<std::string>{kApp.url + ": connection refused", kApp.url + " goes on"}));
}

TEST_F(PollerTest, MakesNoJobWhenItCannotBeKnownWhatIsDeployed) {
  source.shows[kApp.url] = shows(kDigest1);
  state_fault = Error{Kind::unavailable, "docker engine away"};
  make({kApp});
  EXPECT_EQ(steps(), 1);
  EXPECT_TRUE(queue.jobs.empty());
  state_fault.reset();
  clock.advance(60s);
  EXPECT_EQ(steps(), 1);
  EXPECT_EQ(queue.jobs.size(), 1u);
}

TEST_F(PollerTest, SleepsUntilTheRegistryWantsToBeAskedAgain) {  // oci 3.4
  source.shows[kApp.url] = Look{.come_again = 600s, .reason = "429"};
  make({kApp});
  steps();
  clock.advance(599s);
  EXPECT_EQ(steps(), 0);
  clock.advance(1s);
  EXPECT_EQ(steps(), 1);
}

TEST_F(PollerTest, BacksOffWhenJobsFailOrAreNotAccepted) {
  source.shows[kApp.url] = shows(kDigest1);
  queue.refusal = JobQueue::Refusal::full;
  make({kApp});
  EXPECT_EQ(steps(), 1);
  queue.refusal.reset();
  clock.advance(60s);
  EXPECT_EQ(steps(), 1);
  end_job(JobOutcome::failed(FailedStep::pull, "bad"));
  clock.advance(60s);
  EXPECT_EQ(steps(), 0) << "the second failure in a row";
  clock.advance(60s);
  EXPECT_EQ(steps(), 1);
  end_job({});
  clock.advance(60s);
  EXPECT_EQ(steps(), 1) << "good again";
}

TEST_F(PollerTest, RunsOnceIfItIsToldSo) {  // config 11
  auto config = kApp;
  config.run_once = true;
  config.interval = 0s;
  source.shows[kApp.url] = shows(kDigest1);
  make({config});
  EXPECT_EQ(steps(), 1);
  end_job({});
  clock.advance(24h);
  EXPECT_EQ(steps(), 0);
  EXPECT_EQ(queue.jobs.size(), 1u);
}

TEST_F(PollerTest, RunsOnceEvenIfTheQueueIsFullAtFirst) {
  auto config = kApp;
  config.run_once = true;
  config.interval = 0s;
  source.shows[kApp.url] = shows(kDigest1);
  queue.refusal = JobQueue::Refusal::full;
  make({config});
  EXPECT_EQ(steps(), 1);
  queue.refusal.reset();
  EXPECT_EQ(steps(), 0) << "not at once";
  clock.advance(90s);
  EXPECT_EQ(steps(), 1);
  EXPECT_EQ(queue.jobs.size(), 1u);
  end_job(JobOutcome::failed(FailedStep::pull, "bad"));
  clock.advance(24h);
  EXPECT_EQ(steps(), 0);
}

// There is no second look that could notice the end of the outage: the retries of the queue do (webhook/C11).
TEST_F(PollerTest, MakesAJobOfWhatRunsOnceEvenInAnOutage) {
  auto config = kApp;
  config.run_once = true;
  source.shows[kApp.url] = fail(Kind::unavailable, "connection refused");
  make({config});
  EXPECT_EQ(steps(), 1);
  EXPECT_EQ(queue.jobs.size(), 1u);
}

TEST_F(PollerTest, LeavesSourcesAloneWhoseIntervalIsZero) {  // config 11
  auto config = kApp;
  config.interval = 0s;
  make({config});
  EXPECT_EQ(steps(), 0);
  poller->start();
  poller->stop();
}

TEST_F(PollerTest, KeepsAHangingRegistryToItself) {
  std::vector<PollConfig> configs;
  for (int i = 0; i < 50; ++i) {
    configs.push_back({.url = "hangs.example/app:" + std::to_string(i), .interval = 60s});
    source.hanging.insert(configs.back().url);
  }
  configs.push_back({.url = "r.example/app:1", .interval = 60s});
  source.shows["r.example/app:1"] = shows(kDigest1);
  make(configs);
  poller->start();
  for (int i = 0; i < 1000 && source.count("r.example/app:1") == 0; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(source.count("r.example/app:1"), 1u);
  const auto before_stop = std::chrono::steady_clock::now();
  poller->stop();  // reliability/P22: looks under way are cut short
  EXPECT_LT(std::chrono::steady_clock::now() - before_stop, 10s);
  std::size_t hung = 0;
  for (const auto& config : configs) hung += source.hanging.contains(config.url) ? source.count(config.url) : 0;
  EXPECT_LE(hung, 4u);
  EXPECT_EQ(queue.jobs.size(), 1u) << "and what was cut short is no reason for a job";
}

TEST_F(PollerTest, ManagesManySourcesWithFewThreads) {
  std::vector<PollConfig> configs;
  for (int i = 0; i < 1000; ++i) {
    configs.push_back({.url = "r.example/app:" + std::to_string(i), .interval = 60s});
    source.shows[configs.back().url] = shows(kDigest1);
    settled[configs.back().url] = kDigest1.str();
  }
  make(configs);
  poller->start();
  for (int i = 0; i < 2000; ++i) {
    {
      const std::lock_guard lock(source.mutex);
      if (source.looked.size() == 1000) break;
    }
    std::this_thread::sleep_for(5ms);
  }
  poller->stop();
  EXPECT_EQ(source.looked.size(), 1000u);
  EXPECT_TRUE(queue.jobs.empty());
}

}  // namespace
}  // namespace windlass
