// The way back to the last good release (deploy/V1 to V6), with everything but the state file in memory.

#include "deploy/pipeline_fixture.h"

namespace windlass {
namespace {

class RollbackTest : public PipelineTest {
 protected:
  RollbackTest() {
    engine.exit_code = 3;  // of a container that ended
    source.files[".doco-cd.yaml"] = "name: web\nrollback: {stable_for: 0s}\n";
    source.on_fetch = [this](const Digest& digest) {
      source.files["www/index.html"] = digest == kDigest1 ? "v1" : "v2";
    };
  }
  // Version 1 is good; version 2 is settled and its containers end at once.
  void bad_release_2() {
    ASSERT_EQ(run().status, RunStatus::succeeded);
    release_2();
    driver.before_up = [this](const std::string&) {
      const bool is_bad = live.synced.back() == kDigest2.str();
      engine.state = is_bad ? "exited" : "running";
    };
  }
  std::vector<Release> rows() { return *releases->releases({"web"}, 10); }
};

const std::string kReason =
    "failed to deploy stack web: service page: container web-page-1 exited with code 3; last log lines: boom";

TEST_F(RollbackTest, BringsTheLastGoodReleaseBack) {
  bad_release_2();
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::failed);
  EXPECT_EQ(outcome.message, kReason + "; rolled back to main (" + kDigest1.str() + ")");
  EXPECT_EQ(live.synced, (std::vector{kDigest1.str(), kDigest2.str(), kDigest1.str()}));
  EXPECT_EQ(engine.projects["web"]["page"].state, "running");
  const auto releases = rows();
  ASSERT_EQ(releases.size(), 3u);
  EXPECT_EQ(releases[0].state, ReleaseState::succeeded);
  EXPECT_EQ(releases[0].request.cause, "rollback");
  EXPECT_EQ(releases[0].digest, kDigest1.str());
  EXPECT_EQ(releases[1].state, ReleaseState::failed);
  EXPECT_EQ(releases[1].digest, kDigest2.str());
}

// Containers see the files of two releases side by side: nothing half-done stays.
TEST_F(RollbackTest, BringsFilesBackThatCouldOnlyBeWrittenInPart) {  // deploy/V2, reliability/F23
  ASSERT_EQ(run().status, RunStatus::succeeded);
  release_2();
  live.failure = SyncFailure{{Kind::internal, "writing www/index.html: input/output error"}, true};
  const auto outcome = run();
  EXPECT_EQ(outcome.message,
            "writing the live directory reg.example/my/app: writing www/index.html: input/output error; rolled back to "
            "main (" +
                kDigest1.str() + ")");
  EXPECT_EQ(live.synced, (std::vector{kDigest1.str(), kDigest1.str()}));
  EXPECT_EQ(*settled->because(request(), kDigest2, Deadline::in(5s)), "no changes since this release failed");

  // a full disk may be emptied: the job comes again, and goes on from what it finds
  live.failure = SyncFailure{{Kind::unavailable, "no space left on device"}, true};
  EXPECT_TRUE(run().passing_fault);
  // nothing was written: there is nothing to bring back
  live.failure = SyncFailure{{Kind::internal, "input/output error"}, false};
  EXPECT_EQ(run().message, "writing the live directory reg.example/my/app: input/output error");
  EXPECT_EQ(live.synced.size(), 2u);
}

// Between the release that failed and the one that comes back nobody else deploys the stack.
TEST_F(RollbackTest, KeepsTheStackUntilItIsBack) {
  bad_release_2();
  std::string seen;  // what the live directory was at when somebody else got the stack
  std::jthread other;
  driver.before_up = [&, make_bad = driver.before_up](const std::string& stack) {
    make_bad(stack);
    if (!other.joinable())
      other = std::jthread([&] {
        const auto held = locks.take({{"web"}}, Deadline::in(60s));
        ASSERT_TRUE(held);
        seen = live.synced.back();
      });
  };
  EXPECT_EQ(run().status, RunStatus::failed);
  other.join();
  EXPECT_EQ(seen, kDigest1.str());
}

// Outages are no failures, on the way back neither.
TEST_F(RollbackTest, WaitsForAnEngineOnTheWayBack) {
  bad_release_2();
  int outages = 3;
  int seen = 0;  // how often something had been brought up when somebody else got the stack
  std::jthread other;
  driver.before_up = [&, make_bad = driver.before_up](const std::string& stack) {
    make_bad(stack);
    driver.up_error.reset();
    if (live.synced.back() != kDigest1.str() || outages-- == 0) return;
    driver.up_error = Error{Kind::unavailable, "no connection"};
    if (!other.joinable())
      other = std::jthread([&] {
        const auto held = locks.take({{"web"}}, Deadline::in(60s));
        ASSERT_TRUE(held);
        seen = driver.upped;
      });
  };
  EXPECT_EQ(run().message, kReason + "; rolled back to main (" + kDigest1.str() + ")");
  other.join();
  EXPECT_EQ(seen, 6);
  EXPECT_EQ(engine.projects["web"]["page"].state, "running");
}

TEST_F(RollbackTest, StopsWaitingOnTheWayBackAndGoesOnAtTheNextStart) {
  bad_release_2();
  std::stop_source stop;
  driver.before_up = [&, make_bad = driver.before_up](const std::string& stack) {
    make_bad(stack);
    if (live.synced.back() != kDigest1.str()) return;
    if (driver.up_error) stop.request_stop();  // at the second attempt
    driver.up_error = Error{Kind::unavailable, "no connection"};
  };
  const Job job{.id = new_uuid_v7(), .request = request()};
  const auto run_until = [&](const Deadline& deadline) {
    return pipeline->run(
        job, [](std::string) {}, deadline);
  };
  EXPECT_TRUE(run_until(Deadline::in(20s, stop.get_token())).passing_fault);
  EXPECT_EQ(live.synced.size(), 4u);
  driver.up_error.reset();
  driver.before_up = nullptr;
  engine.state = "running";
  start();
  EXPECT_EQ(run_until(Deadline::in(20s)).message, kReason + "; rolled back to main (" + kDigest1.str() + ")");
  EXPECT_EQ(std::ranges::count(live.synced, kDigest2.str()), 1);
}

TEST_F(RollbackTest, KeepsAServiceThatTheBadReleaseLeftAlone) {
  bad_release_2();
  const auto db = id_of("db");
  run();
  EXPECT_EQ(id_of("db"), db);
}

TEST_F(RollbackTest, IsNotTriedAgainByAPoll) {
  bad_release_2();
  run();
  const auto polled = settled->because(request(), kDigest2, Deadline::in(5s));
  EXPECT_EQ(*polled, "no changes since this release failed");
  EXPECT_EQ(*settled->because(request(), kDigest1, Deadline::in(5s)), "no changes");
}

TEST_F(RollbackTest, LeavesAFirstReleaseForInspection) {
  engine.state = "exited";
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::failed);
  EXPECT_TRUE(outcome.message.ends_with(
      "; there is no earlier good release to go back to, its containers are left for inspection"))
      << outcome.message;
  EXPECT_EQ(engine.projects["web"].size(), 2u);
}

TEST_F(RollbackTest, HappensOnlyWhereItIsAskedFor) {
  const std::pair<const char*, bool> rules[] = {
      {"false", false},
      {"{on: [failed], stable_for: 0s}", true},
      {"{on: [unhealthy, timeout], stable_for: 0s}", false},
  };
  for (const auto& [rule, expected] : rules) {
    source.files[".doco-cd.yaml"] = fmt::format("name: web\nrollback: {}\n", rule);
    source.settled = Settled{.deploy = kDigest1, .reason = {}};
    driver.before_up = nullptr;
    engine.state = "running";
    engine.projects.clear();
    driver.definitions.clear();
    bad_release_2();
    const auto outcome = run();
    EXPECT_EQ(outcome.message.find("rolled back") != std::string::npos, expected) << rule << ": " << outcome.message;
  }
}

TEST_F(RollbackTest, IsTheDefaultWithAutoRollback) {
  source.files[".doco-cd.yaml"] = "name: web\n";
  source.on_fetch = [this](const Digest& digest) {
    source.files["www/index.html"] = digest == kDigest1 ? "v1" : "v2";
    // The default stable_for would make the test wait for the second one: that one asks for less.
    source.files[".doco-cd.yaml"] = digest == kDigest1 ? "name: web\nrollback: {stable_for: 0s}\n" : "name: web\n";
  };
  auto_rollback = true;
  start();
  bad_release_2();
  EXPECT_TRUE(run().message.ends_with("; rolled back to main (" + kDigest1.str() + ")"));
}

TEST_F(RollbackTest, GoesOnWithItAfterACrash) {  // reliability/F11
  bad_release_2();
  const Job job{.id = new_uuid_v7(), .request = request()};
  ASSERT_TRUE(releases->begin_rollback(lane_of(job.request), job.id,
                                       {kDigest2, rows().front().id, "failed to deploy stack web: it was killed"}));
  start();
  const auto fetched = source.fetched;
  const auto outcome = pipeline->run(
      job, [](std::string) {}, Deadline::in(20s));
  EXPECT_EQ(outcome.status, RunStatus::failed);
  EXPECT_EQ(outcome.message, "failed to deploy stack web: it was killed; rolled back to main (" + kDigest1.str() + ")");
  EXPECT_EQ(source.fetched, fetched + 1) << "the bad release is not tried again";
  EXPECT_EQ((*releases->begun_rollback(job.id))->ended, outcome.message);
  EXPECT_EQ(*settled->because(request(), kDigest2, Deadline::in(5s)), "no changes since this release failed");
}

// Killed, or stopped, before the end of the job was on disk.
TEST_F(RollbackTest, IsNotRepeatedWithTheJob) {  // reliability/F11
  bad_release_2();
  const Job job{.id = new_uuid_v7(), .request = request()};
  const auto run_it = [&] {
    return pipeline->run(
        job, [](std::string) {}, Deadline::in(20s));
  };
  const auto message = kReason + "; rolled back to main (" + kDigest1.str() + ")";
  EXPECT_EQ(run_it().message, message);
  const auto fetched = source.fetched;
  start();
  const auto again = run_it();
  EXPECT_EQ(again.status, RunStatus::failed);
  EXPECT_EQ(again.message, message);
  EXPECT_FALSE(again.passing_fault);
  EXPECT_EQ(source.fetched, fetched);
  EXPECT_EQ(live.synced, (std::vector{kDigest1.str(), kDigest2.str(), kDigest1.str()}));
  EXPECT_EQ(*settled->because(request(), kDigest2, Deadline::in(5s)), "no changes since this release failed");

  ASSERT_EQ(run().status, RunStatus::failed) << "somebody's word, another job";
  EXPECT_EQ(std::ranges::count(live.synced, kDigest2.str()), 2);
  EXPECT_EQ(*releases->begun_rollback(job.id), std::nullopt) << "one for each lane";
}

TEST_F(RollbackTest, SaysWhenTheWayBackFailsToo) {
  bad_release_2();
  source.on_fetch = [this](const Digest& digest) {
    source.files["www/index.html"] = "v2";
    if (digest == kDigest1) source.fetch_error = Error{Kind::not_found, "blob is gone"};
  };
  EXPECT_TRUE(run().message.ends_with("; rollback failed: failed to pull oci artifact: blob is gone"));
}

TEST_F(RollbackTest, AsksNoRegistryAboutTrustWhenThePolicyIsTheSame) {
  bad_release_2();
  const auto verified = source.verified;
  run();
  EXPECT_EQ(source.verified, verified + 1) << "the new release only";
}

TEST_F(RollbackTest, RestoresTheNamesOfImages) {
  driver.models["web"] = R"({"name":"web","services":{"page":{"image":"shop:latest","restart":"always",
      "volumes":[{"type":"bind","source":"{root}/www","target":"/www"}]}}})";
  bad_release_2();
  engine.images["shop:latest"] = "sha256:newer";
  run();
  EXPECT_EQ(engine.tagged, (std::map<std::string, std::string>{{"shop:latest", "sha256:image"}}));
}

TEST_F(RollbackTest, ComesBackByHand) {  // api/E49
  run();
  release_2();
  ASSERT_EQ(run().status, RunStatus::succeeded);
  auto wanted = request();
  wanted.digest = kDigest1;
  wanted.cause = kRollbackCause;
  const auto outcome = run(wanted);
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(live.synced.back(), kDigest1.str());
  EXPECT_EQ(*settled->because(request(), kDigest2, Deadline::in(5s)), "no changes since this release was rolled back")
      << "a poll does not undo it";
  EXPECT_EQ(releases->history(lane_of(wanted))->last, kDigest1);
}

TEST_F(RollbackTest, ByHandNeedsAGoodRelease) {
  run();
  auto wanted = request();
  wanted.digest = kDigest2;
  wanted.cause = kRollbackCause;
  EXPECT_EQ(run(wanted).run_message(), "deployment failed: no good release of main (" + kDigest2.str() + ") is known");
}

TEST_F(RollbackTest, TakesNeighboursBackThatShareTheFiles) {
  source.files[".doco-cd.yaml"] =
      "name: web\nrollback: {stable_for: 0s}\n---\nname: side\ncompose_files: [side.yaml]\n";
  source.files["side.yaml"] = "services: {}\n";
  driver.models["side"] = R"({"name":"side","services":{"job":{"image":"job:1","restart":"always",
      "volumes":[{"type":"bind","source":"{root}/www","target":"/www"}]}}})";
  ASSERT_EQ(run().status, RunStatus::succeeded);
  release_2();
  driver.before_up = [this](const std::string& stack) {
    const bool is_bad = stack == "web" && live.synced.back() == kDigest2.str();
    engine.state = is_bad ? "exited" : "running";
  };
  const auto outcome = run();
  ASSERT_EQ(outcome.stacks.size(), 2u);
  EXPECT_EQ(outcome.stacks[0].status, RunStatus::failed);
  EXPECT_EQ(outcome.stacks[1].status, RunStatus::skipped);
  EXPECT_EQ(outcome.stacks[1].message, "rolled back to main (" + kDigest1.str() + ") with a stack that failed");
  EXPECT_EQ(releases->releases({"side"}, 1)->front().digest, kDigest1.str());
}

// The first attempt has brought one stack up, and met an outage with the other: what it did is nothing to go back to.
TEST_F(RollbackTest, GoesBackToNothingThatWasGoodForANeighbourOnly) {
  source.files[".doco-cd.yaml"] =
      "name: web\nrollback: {stable_for: 0s}\n---\nname: side\nrollback: {stable_for: 0s}\n";
  driver.models["side"] = R"({"name":"side","services":{"job":{"image":"job:1","restart":"always",
      "volumes":[{"type":"bind","source":"{root}/www","target":"/www"}]}}})";
  ASSERT_EQ(run().status, RunStatus::succeeded);
  release_2();
  driver.before_up = [this](const std::string& stack) {
    driver.up_error.reset();
    if (stack == "web") driver.up_error = Error{Kind::unavailable, "no connection"};
  };
  ASSERT_TRUE(run().passing_fault);
  ASSERT_EQ(releases->releases({"side"}, 1)->front().digest, kDigest2.str());
  driver.up_error.reset();
  driver.before_up = [this](const std::string& stack) {
    engine.state = stack == "web" && live.synced.back() == kDigest2.str() ? "exited" : "running";
  };
  const auto outcome = run();
  EXPECT_EQ(outcome.message, kReason + "; rolled back to main (" + kDigest1.str() + ")");
  EXPECT_EQ(releases->releases({"side"}, 1)->front().digest, kDigest1.str());
  EXPECT_EQ(rows().front().digest, kDigest1.str());
}

// Two polls of one tag with inline deployments: each brings back what it deployed itself.
TEST_F(RollbackTest, TakesNoReleaseOfOtherDeployments) {
  driver.models["side"] = R"({"name":"side","services":{"job":{"image":"job:1","restart":"always",
      "volumes":[{"type":"bind","source":"{root}/www","target":"/www"}]}}})";
  auto web = request(), side = request();
  web.deployments = R"([{"name":"web","rollback":{"stable_for":"0s"}}])";
  side.deployments = R"([{"name":"side"}])";
  ASSERT_EQ(run(web).status, RunStatus::succeeded);
  ASSERT_EQ(run(side).status, RunStatus::succeeded);
  release_2();
  driver.before_up = [this](const std::string& stack) {
    engine.state = stack == "web" && live.synced.back() == kDigest2.str() ? "exited" : "running";
  };
  web.digest = side.digest = kDigest2;
  const auto outcome = run(web);
  EXPECT_TRUE(outcome.message.ends_with("; rolled back to main (" + kDigest1.str() + ")")) << outcome.message;
  EXPECT_EQ(releases->releases({"side"}, 10)->size(), 1u);
  EXPECT_EQ(rows().front().request.deployments, web.deployments);

  ASSERT_EQ(run(side).status, RunStatus::succeeded);
  side.digest = kDigest1;
  side.cause = kRollbackCause;
  ASSERT_EQ(run(side).status, RunStatus::succeeded) << "by hand";
  EXPECT_EQ(releases->releases({"side"}, 1)->front().digest, kDigest1.str());
  EXPECT_EQ(rows().size(), 3u);
}

}  // namespace
}  // namespace windlass
