#include "poll/poller_fixture.h"

namespace windlass {
namespace {

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

// reliability/F55: a registry that comes back with older content. What it has lost changes nothing (P11), and a tag
// that went back is a wish like any other (P6).
TEST_F(PollerTest, GoesBackWithTheTagAndNotWithAnOutage) {
  source.shows[kApp.url] = shows(kDigest2);
  settled[kApp.url] = kDigest2.str();
  make({kApp});
  EXPECT_EQ(steps(), 1);
  const Result<Look> faults[] = {fail(Kind::unavailable, "connection refused"), Look{}};  // away, without its storage
  for (const auto& fault : faults) {
    source.shows[kApp.url] = fault;
    clock.advance(11min);
    EXPECT_EQ(steps(), 1);
    EXPECT_TRUE(queue.jobs.empty());
  }
  source.shows[kApp.url] = shows(kDigest1);
  clock.advance(11min);
  EXPECT_EQ(steps(), 1);
  ASSERT_EQ(queue.jobs.size(), 1u);
  EXPECT_FALSE(queue.jobs[0].second.digest);
  end_job({.status = RunStatus::succeeded});
  clock.advance(11min);
  EXPECT_EQ(steps(), 1);
  EXPECT_EQ(queue.jobs.size(), 1u);
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

TEST_F(PollerTest, SaysWhenAFailedJobIsTriedAgain) {
  source.shows[kApp.url] = shows(kDigest1);
  make({kApp});
  steps();
  const auto id = queue.jobs.back().first;
  const auto next = [&](const std::string& job) { return poller->what_comes_next(job, Deadline::in(5s)); };
  EXPECT_EQ(next(id), "; the poll tries it again after 1m0s, and each failure doubles that, up to 10m0s");
  EXPECT_EQ(next("another"), "");
  settled[kApp.url] = kDigest1.str();
  EXPECT_EQ(next(id), "") << "the release is left alone now";
  settled.clear();
  end_job(JobOutcome::failed(FailedStep::deployment, "bad"));
  EXPECT_EQ(next(id), "") << "it is over";

  auto once = kApp;
  once.run_once = true;
  make({once});
  steps();
  EXPECT_EQ(next(queue.jobs.back().first), "") << "never again";
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
