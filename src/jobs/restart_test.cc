// The queue across the end of its process, wanted or not.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "jobs/queue_fixture.h"

namespace windlass {
namespace {

using Refusal = JobQueue::Refusal;

class RestartTest : public JobQueueTest {
 protected:
  // Runs `life` in a process of its own, which is killed at its end, like a power cut to the program.
  template <class Life>
  void in_a_killed_process(Life life) {
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      life();
      ::raise(SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }
  void expect_damaged(const std::string& reason) {
    const auto opened = JobQueue::open(options_, clock_, Log({.level = LogLevel::critical}));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, Kind::internal);
    EXPECT_EQ(opened.error().message, "state file " + options_.state_file.string() + " is damaged (" + reason +
                                          "): restore it, or start with windlass serve --rebuild-state, which keeps it "
                                          "and reads from the engine what "
                                          "is deployed");
  }
};

TEST_F(RestartTest, RunsAcceptedJobsOfAKilledProcess) {  // webhook/K1, reliability/F1
  in_a_killed_process([&] {
    open();
    accept("a", request_for("a", "prod", 3));
    accept("b1", request_for("b", "", 1));
    accept("b2", request_for("b", "", 2));
  });
  open();
  const auto waiting = run("a");
  EXPECT_EQ(waiting.status, RunStatus::accepted);
  EXPECT_EQ(run("b1").message, "superseded by b2");
  queue_->start(gate_.handler());
  gate_.release("a");
  gate_.release("b2");
  EXPECT_EQ(run("a", RunStatus::succeeded).attempts, 1);
  run("b2", RunStatus::succeeded);
  for (const auto& job : gate_.ran()) {
    if (job.id == "a") {
      EXPECT_EQ(job.request.target, "prod");
      EXPECT_EQ(job.request.digest, request_for("a", "", 3).digest);
      EXPECT_EQ(lane_of(job.request), lane_of(request_for("a")));
    } else {
      EXPECT_EQ(job.replaced_digests, std::vector{*request_for("b", "", 1).digest});
    }
  }
  EXPECT_EQ(gate_.ran().size(), 2u);
}

TEST_F(RestartTest, AcceptsAJobAgainThatRanWhenTheProcessWasKilled) {  // webhook/K2, reliability/F2
  for (int attempt = 1; attempt <= 3; ++attempt) {
    in_a_killed_process([&] {
      open();
      if (attempt == 1) accept("j1", request_for("main"));
      queue_->start(gate_.handler());
      gate_.wait_for_start("j1");
    });
    open();
    const auto record = run("j1");
    EXPECT_EQ(record.attempts, attempt);
    EXPECT_EQ(record.status, attempt < 3 ? RunStatus::accepted : RunStatus::failed);
    EXPECT_EQ(record.message, attempt < 3 ? "" : "interrupted by restart");
    queue_.reset();
  }
}

TEST_F(RestartTest, LetsTheWaitingJobTakeThePlaceOfTheInterruptedOne) {  // webhook/C4
  in_a_killed_process([&] {
    open();
    queue_->start(gate_.handler());
    accept("ran", request_for("main", "", 1));
    gate_.wait_for_start("ran");
    accept("waited", request_for("main", "", 2));
  });
  open();
  EXPECT_EQ(run("ran").status, RunStatus::skipped);
  EXPECT_EQ(run("ran").message, "superseded by waited");
  EXPECT_EQ(run("waited").status, RunStatus::accepted);
}

// What was replaced is remembered as old by the job that runs in the end, however often the process is killed before.
TEST_F(RestartTest, GathersTheReplacedDigestsOfTwoJobsThatBecomeOne) {  // webhook/C8, reliability/P1
  in_a_killed_process([&] {
    open();
    accept("old", request_for("main", "", 1));
    accept("ran", request_for("main", "", 2));
    queue_->start(gate_.handler());
    gate_.wait_for_start("ran");
    accept("newer", request_for("main", "", 3));
    accept("newest", request_for("main", "", 4));
  });
  in_a_killed_process([&] { open(); });
  open();
  queue_->start(gate_.handler());
  gate_.release("newest");
  run("newest", RunStatus::succeeded);
  const std::vector replaced = {*request_for("main", "", 1).digest, *request_for("main", "", 2).digest,
                                *request_for("main", "", 3).digest};
  EXPECT_EQ(gate_.ran().back().replaced_digests, replaced);
}

TEST_F(RestartTest, LetsRunningJobsEndWithinTheGrace) {  // webhook/K4, reliability/P22
  open();
  queue_->start([&](const Job&, const JobProgress&, const Deadline&) {
    std::this_thread::sleep_for(30ms);
    return JobOutcome{.message = "done"};
  });
  accept("j1", request_for("main"));
  accept("j2", request_for("main"));
  run("j1", RunStatus::running);
  queue_->stop(10s);
  EXPECT_EQ(run("j1").status, RunStatus::succeeded);
  EXPECT_EQ(run("j2").status, RunStatus::accepted);
  EXPECT_EQ(accept("j3", request_for("other")).refusal, Refusal::stopping);
}

TEST_F(RestartTest, KeepsAJobQueuedThatDidNotEndWithinTheGrace) {  // webhook/K4, reliability/P22
  bool told = false;
  open();
  queue_->start(gate_.handler());
  accept("j1", request_for("main"), [&](const auto&, const auto&) { told = true; });
  ASSERT_TRUE(gate_.wait_for_start("j1"));
  queue_->stop(0ms);
  EXPECT_EQ(run("j1").status, RunStatus::accepted);
  EXPECT_EQ(run("j1").attempts, 0);  // a clean stop is no attempt
  open();
  EXPECT_FALSE(told);
  queue_->start(gate_.handler());
  gate_.release("j1");
  EXPECT_EQ(run("j1", RunStatus::succeeded).attempts, 1);
}

TEST_F(RestartTest, RefusesADamagedFileByName) {  // reliability/P23, F25
  const auto file = options_.state_file.string();
  std::ofstream(options_.state_file) << std::string(8192, 'x');
  expect_damaged("opening: " + file + ": file is not a database");

  std::ofstream(options_.state_file, std::ios::trunc).close();
  expect_damaged("it is empty");

  std::filesystem::remove(options_.state_file);
  open();
  for (int i = 0; i < 200; ++i) accept("job " + std::to_string(i), request_for(std::to_string(i)));
  queue_.reset();
  ASSERT_FALSE(std::filesystem::exists(file + "-wal")) << "was not closed well";
  std::filesystem::resize_file(options_.state_file, std::filesystem::file_size(options_.state_file) / 2);
  const auto opened = JobQueue::open(options_, clock_, Log({.level = LogLevel::critical}));
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().message.starts_with("state file " + file + " is damaged (")) << opened.error().message;
}

TEST_F(RestartTest, RefusesAFileOfANewerSchema) {  // reliability/P23
  open();
  queue_.reset();
  ASSERT_TRUE(Db::open(options_.state_file).value()->execute("PRAGMA user_version = 9"));
  const auto opened = JobQueue::open(options_, clock_, Log({.level = LogLevel::critical}));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, Kind::conflict);
  EXPECT_EQ(opened.error().message,
            "state file " + options_.state_file.string() +
                " has schema 9, this windlass knows up to 4: start the newer windlass again, or move the file away");
}

TEST_F(RestartTest, BringsAFileOfAnOlderSchemaUpToDate) {  // reliability/P29
  open();
  accept("j1", request_for("main"));
  queue_.reset();
  ASSERT_TRUE(Db::open(options_.state_file)
                  .value()
                  ->execute("ALTER TABLE runs DROP COLUMN service; ALTER TABLE runs DROP COLUMN deployments; "
                            "PRAGMA user_version = 1"));
  open();
  EXPECT_EQ(on_disk("PRAGMA user_version"), 4);
  EXPECT_EQ(run("j1").status, RunStatus::accepted);
  auto request = request_for("other");
  request.deployments = "[{}]";
  EXPECT_EQ(accept("j2", request).refusal, std::nullopt);
}

// config 5, api/E12
TEST_F(RestartTest, KeepsInlineDeploymentsAndParentOfAJobAsLongAsItNeedsThem) {
  options_.retry_delays = {1h};
  auto request = request_for("main");
  request.trigger = Trigger::poll;
  request.parent = "the call";
  request.deployments = R"([{"name":"app"}])";
  in_a_killed_process([&] {
    open();
    accept("j1", request);
  });
  open();
  queue_->start(gate_.handler());
  gate_.release("j1", JobOutcome::failed(FailedStep::resolve, "connection refused", true));
  const auto record = run("j1", RunStatus::failed);
  EXPECT_EQ(record.parent, "the call");
  EXPECT_EQ(record.repository, "registry.test/acme/app");  // host/path for polls (api 3)
  const auto job = gate_.ran().at(0);
  EXPECT_EQ(job.request.deployments, request.deployments);
  EXPECT_EQ(job.request.repository, "acme/app");
  EXPECT_EQ(on_disk("SELECT count(*) FROM runs WHERE deployments IS NOT NULL"), 1) << "the retry needs them";
  accept("j2", request);
  gate_.release("j2");
  run("j2", RunStatus::succeeded);
  EXPECT_EQ(on_disk("SELECT count(*) FROM runs WHERE deployments IS NOT NULL"), 0);
}

// api/E12
TEST_F(RestartTest, EndsARunThatOnlyHoldsOthersTogether) {
  const RunRecord call{.job_id = "the call",
                       .trigger = Trigger::poll,
                       .status = RunStatus::running,
                       .created_at = clock_.now(),
                       .updated_at = clock_.now()};
  in_a_killed_process([&] {
    open();
    queue_->record(call);
    accept("j1", request_for("main"));
  });
  open();
  EXPECT_EQ(run("the call").status, RunStatus::failed);
  EXPECT_EQ(run("the call").message, "interrupted by restart, its jobs go on");
  EXPECT_EQ(run("j1").status, RunStatus::accepted);
}

TEST_F(RestartTest, MovesIntoAFileThatAnotherStoreHasMade) {
  ASSERT_TRUE(Db::open(options_.state_file).value()->execute("CREATE TABLE releases (a)"));
  open();
  EXPECT_EQ(accept("j1", request_for("main")).refusal, std::nullopt);
  EXPECT_EQ(on_disk("SELECT count(*) FROM releases"), 0);
}

}  // namespace
}  // namespace windlass
