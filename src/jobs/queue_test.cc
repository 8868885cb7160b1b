#include "jobs/queue_fixture.h"

namespace windlass {
namespace {

using Ids = std::vector<std::string>;
using Refusal = JobQueue::Refusal;

TEST_F(JobQueueTest, RunsAJobAndTellsItsStory) {  // webhook/X1 to X9
  open();
  const auto before = clock_.now();
  EXPECT_EQ(accept("j1", request_for("main", "prod", 7)).refusal, std::nullopt);
  auto waiting = run("j1");
  EXPECT_EQ(waiting.status, RunStatus::accepted);
  EXPECT_EQ(waiting.attempts, 0);
  EXPECT_FALSE(waiting.started_at);

  queue_->start([&](const Job& job, const JobProgress& progress, const Deadline&) {
    EXPECT_EQ(job.request.artifact, "registry.test/acme/app:main");
    EXPECT_EQ(job.attempts, 1);
    progress.revision("main (settled)");
    return JobOutcome{.message = "job completed successfully", .stacks = {{.name = "web", .message = "up"}}};
  });
  const auto done = run("j1", RunStatus::succeeded);
  EXPECT_EQ(done.repository, "acme/app");
  EXPECT_EQ(done.source, "registry.test/acme/app");
  EXPECT_EQ(done.target, "prod");
  EXPECT_EQ(done.revision, "main (settled)");
  EXPECT_EQ(done.message, "job completed successfully");
  EXPECT_EQ(done.attempts, 1);
  ASSERT_EQ(done.stacks.size(), 1u);
  EXPECT_EQ(done.stacks[0].name, "web");
  EXPECT_EQ(done.stacks[0].status, RunStatus::succeeded);
  ASSERT_TRUE(done.started_at && done.finished_at);
  EXPECT_LE(to_unix_us(before), to_unix_us(done.created_at));
  EXPECT_LE(done.created_at, *done.started_at);
  EXPECT_LE(*done.started_at, *done.finished_at);
}

TEST_F(JobQueueTest, HasTheRowOnDiskBeforeItAnswers) {  // reliability/P1
  open();
  constexpr int kCallers = 16, kEach = 50;
  std::atomic<int> missing = 0, answered = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller)
    callers.emplace_back([&, caller] {
      auto db = Db::open(options_.state_file).value();
      for (int i = 0; i < kEach; ++i) {
        const auto id = std::to_string(caller) + "/" + std::to_string(i);
        std::promise<JobQueue::Accepted> told;
        queue_->accept(id, request_for("main", std::to_string(caller)), [&](const auto& a) { told.set_value(a); });
        const auto accepted = told.get_future().get();
        answered += accepted.job_id == id && !accepted.refusal;
        auto query = db->query("SELECT 1 FROM runs WHERE job_id = ?");
        missing += !query.bind(id).step().value_or(false);
      }
    });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(answered, kCallers * kEach);
  EXPECT_EQ(missing, 0);
  EXPECT_EQ(on_disk("SELECT count(*) FROM runs WHERE status = 0"), kCallers);  // the newest of each target
  EXPECT_EQ(on_disk("SELECT count(*) FROM runs WHERE status = 4"), kCallers * (kEach - 1));
}

TEST_F(JobQueueTest, GoesOnWhenSomebodyWhoIsToldThrows) {
  open();
  const auto threw = [] { throw std::runtime_error("out of memory"); };
  queue_->accept(
      "a", request_for("main"), [&](const auto&) { threw(); }, [&](const RunRecord&, const JobOutcome&) { threw(); });
  std::promise<std::string> told;
  accept("b", request_for("other"), [&](const RunRecord& record, const JobOutcome&) { told.set_value(record.job_id); });
  queue_->start([](const Job&, const JobProgress&, const Deadline&) { return JobOutcome{.message = "done"}; });
  run("a", RunStatus::succeeded);
  EXPECT_EQ(told.get_future().get(), "b");
  EXPECT_FALSE(accept("c", request_for("main")).refusal);
  run("c", RunStatus::succeeded);
}

TEST_F(JobQueueTest, LetsTheNewestWaitingJobOfATargetWin) {  // reliability/P5, webhook/C4, C8
  open();
  queue_->start(gate_.handler());
  std::promise<RunRecord> superseded;
  accept("running", request_for("main", "", 1));
  ASSERT_TRUE(gate_.wait_for_start("running"));
  accept("older", request_for("main", "", 2), [&](const RunRecord& r, const JobOutcome&) { superseded.set_value(r); });
  accept("newer", request_for("main", "", 3));
  const auto record = superseded.get_future().get();
  EXPECT_EQ(record.job_id, "older");
  EXPECT_EQ(record.status, RunStatus::skipped);
  EXPECT_EQ(record.message, "superseded by newer");
  EXPECT_EQ(run("older", RunStatus::skipped).message, "superseded by newer");
  EXPECT_TRUE(run("older").started_at);  // webhook/X4
  gate_.release("running");
  gate_.release("newer");
  run("newer", RunStatus::succeeded);
  const auto ran = gate_.ran();
  ASSERT_EQ(ran.size(), 2u);
  EXPECT_EQ(ran[1].replaced_digests, std::vector{*request_for("main", "", 2).digest});
}

TEST_F(JobQueueTest, RefusesWhenFullButNotAReplacement) {  // webhook/C4, R8
  options_.waiting_max = 2;
  open();
  EXPECT_EQ(accept("a", request_for("a")).refusal, std::nullopt);
  EXPECT_EQ(accept("b", request_for("b")).refusal, std::nullopt);
  EXPECT_EQ(accept("c", request_for("c")).refusal, Refusal::full);
  EXPECT_EQ(accept("a2", request_for("a")).refusal, std::nullopt);
  EXPECT_EQ(ids(), (Ids{"a2", "b", "a"}));
}

TEST_F(JobQueueTest, RunsLanesSideBySideAndEachInOrder) {  // webhook/C1, C6
  open();
  queue_->start(gate_.handler());
  accept("a1", request_for("a", "x"));
  accept("a2", request_for("a", "y"));
  accept("b1", request_for("b"));
  ASSERT_TRUE(gate_.wait_for_start("a1"));
  ASSERT_TRUE(gate_.wait_for_start("b1"));
  EXPECT_EQ(run("a2").status, RunStatus::accepted);
  gate_.release("a1");
  ASSERT_TRUE(gate_.wait_for_start("a2"));
  EXPECT_EQ(run("a1").status, RunStatus::succeeded);  // on disk before the next one of its lane starts
  gate_.release("a2");
  gate_.release("b1");
  run("a2", RunStatus::succeeded);
  run("b1", RunStatus::succeeded);
}

TEST_F(JobQueueTest, NeverChangesAFinalState) {  // api/N6
  open();
  accept("older", request_for("main"));
  accept("newer", request_for("main"));
  queue_->record({.job_id = "older", .status = RunStatus::failed, .message = "again"});
  accept("after", request_for("other"));
  EXPECT_EQ(run("older").message, "superseded by newer");
  EXPECT_EQ(run("older").status, RunStatus::skipped);
}

TEST_F(JobQueueTest, ReportsAnExceptionAsAnInternalError) {  // webhook/R34
  open();
  queue_->start([](const Job&, const JobProgress&, const Deadline&) -> JobOutcome { throw std::out_of_range("bug"); });
  accept("j1", request_for("main"));
  EXPECT_EQ(run("j1", RunStatus::failed).message, "internal error: see log for job j1");
}

TEST_F(JobQueueTest, GivesEachJobADeadline) {  // webhook/C10
  options_.job_timeout = 20ms;
  open();
  queue_->start(gate_.handler());
  accept("j1", request_for("main"));
  EXPECT_EQ(run("j1", RunStatus::failed).message, "failed to pull oci artifact: asked to stop");
}

TEST_F(JobQueueTest, TriesALaneAgainAfterAPassingFault) {  // webhook/C11
  options_.retry_delays = {20ms, 20ms};
  open();
  std::atomic<int> handled = 0;
  queue_->start([&](const Job& job, const JobProgress&, const Deadline&) {
    EXPECT_EQ(job.request.cause, handled == 0 ? "" : "retry");
    ++handled;
    return JobOutcome::failed(FailedStep::resolve, "connection refused", true);
  });
  accept("first", request_for("main", "prod", 7));
  for (int i = 0; i < 1000 && on_disk("SELECT count(*) FROM runs WHERE status = 3") < 3; ++i)
    std::this_thread::sleep_for(5ms);
  std::this_thread::sleep_for(60ms);  // no fourth
  const auto records = runs();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[2].job_id, "first");
  EXPECT_EQ(records[1].cause, "retry");
  EXPECT_EQ(records[1].parent, "first");
  EXPECT_EQ(records[0].parent, records[1].job_id);
  EXPECT_EQ(records[0].revision, records[2].revision);
  EXPECT_EQ(records[0].target, "prod");
  EXPECT_EQ(records[0].message, "failed to resolve oci artifact digest: connection refused");
}

// A repair that became an ordinary job would put an old release in the place of a newer webhook.
TEST_F(JobQueueTest, TriesARepairAgainAsARepair) {
  options_.retry_delays = {10ms};
  open();
  std::promise<std::string> again;
  queue_->start([&](const Job& job, const JobProgress&, const Deadline&) {
    if (job.id == "first") return JobOutcome::failed(FailedStep::deployment, "connection refused", true);
    again.set_value(job.request.cause + ", " + job.request.service);
    return JobOutcome::skipped("no changes");
  });
  auto order = request_for("main", "", 7);
  order.cause = kReconcileCause;
  order.service = "web page";
  accept("first", order);
  EXPECT_EQ(again.get_future().get(), "reconcile, web page");
}

TEST_F(JobQueueTest, RemembersARetryOverARestartUntilANewerJobComes) {  // webhook/C11
  options_.retry_delays = {1h};
  const auto fails = [](const Job&, const JobProgress&, const Deadline&) {
    return JobOutcome::failed(FailedStep::resolve, "connection refused", true);
  };
  open();
  queue_->start(fails);
  accept("a", request_for("a"));
  accept("b", request_for("b"));
  run("a", RunStatus::failed);
  run("b", RunStatus::failed);
  EXPECT_EQ(on_disk("SELECT count(*) FROM runs WHERE retry_due_unix_us IS NOT NULL"), 2);

  options_.retry_delays = {1ms};  // the file's date is an hour away, but no wait is longer than it was meant
  open();
  accept("a2", request_for("a"));
  queue_->start(gate_.handler());
  gate_.release("a2");
  run("a2", RunStatus::succeeded);
  for (int i = 0; i < 1000 && gate_.ran().size() < 2; ++i) std::this_thread::sleep_for(5ms);
  std::vector<std::string> retried;
  for (const auto& record : runs())
    if (record.cause == "retry") retried.push_back(record.parent);
  // b's for certain; a's only if it came before a2 was accepted, and then it ended as superseded by that or ran first
  EXPECT_EQ(std::count(retried.begin(), retried.end(), "b"), 1);
  EXPECT_EQ(on_disk("SELECT count(*) FROM runs WHERE retry_due_unix_us IS NOT NULL"), 0);
}

TEST_F(JobQueueTest, ForgetsARetryWhenANewerJobTakesItsPlace) {  // webhook/C11
  options_.retry_delays = {1h};
  open();
  queue_->start([](const Job& job, const JobProgress&, const Deadline&) {
    if (job.id == "newer") return JobOutcome{};
    return JobOutcome::failed(FailedStep::resolve, "connection refused", true);
  });
  accept("older", request_for("main"));
  run("older", RunStatus::failed);
  EXPECT_EQ(on_disk("SELECT count(*) FROM runs WHERE retry_due_unix_us IS NOT NULL"), 1);
  accept("newer", request_for("main"));
  EXPECT_EQ(on_disk("SELECT count(*) FROM runs WHERE retry_due_unix_us IS NOT NULL"), 0);
}

TEST_F(JobQueueTest, ListsRunsNewestFirstByStatusAndTrigger) {  // api/E1 to E4
  open();
  const auto now = clock_.now();
  queue_->record({.job_id = "refused",
                  .status = RunStatus::failed,
                  .repository = "unknown",
                  .message = "bad",
                  .created_at = now,
                  .updated_at = now});
  queue_->record({.job_id = "polled",
                  .trigger = Trigger::poll,
                  .status = RunStatus::skipped,
                  .created_at = now,
                  .updated_at = now});
  accept("a", request_for("a"));
  accept("b", request_for("b"));
  EXPECT_EQ(ids(), (Ids{"b", "a", "polled", "refused"}));
  EXPECT_EQ(ids({.limit = 2}), (Ids{"b", "a"}));
  EXPECT_EQ(ids({.status = RunStatus::accepted}), (Ids{"b", "a"}));
  EXPECT_EQ(ids({.trigger = Trigger::poll}), Ids{"polled"});
  EXPECT_EQ(run("refused").message, "bad");
  EXPECT_TRUE(run("refused").finished_at);
  EXPECT_FALSE(queue_->run("nobody").value());
}

TEST_F(JobQueueTest, EndsARunWithoutAJobByASecondRecord) {  // api/E12
  open();
  RunRecord call{.job_id = "the call",
                 .trigger = Trigger::poll,
                 .status = RunStatus::running,
                 .created_at = clock_.now(),
                 .updated_at = clock_.now()};
  const auto record = [&](const std::string& id_of_a_job_behind_it) {
    queue_->record(call);
    accept(id_of_a_job_behind_it, request_for(id_of_a_job_behind_it));  // when it is accepted, the record is there
    return run("the call");
  };
  EXPECT_EQ(record("a").status, RunStatus::running);
  EXPECT_FALSE(run("the call").finished_at);
  call.status = RunStatus::failed;
  call.message = "1/2 poll jobs failed";
  call.finished_at = call.updated_at = clock_.now() + 1s;
  const auto ended = record("b");
  EXPECT_EQ(ended.status, RunStatus::failed);
  EXPECT_EQ(ended.message, "1/2 poll jobs failed");
  EXPECT_EQ(to_unix_us(ended.finished_at.value()), to_unix_us(*call.finished_at));
  call.status = RunStatus::succeeded;
  EXPECT_EQ(record("c").status, RunStatus::failed) << "a final state is never changed (api/N6)";
  EXPECT_EQ(ids(), (Ids{"c", "b", "a", "the call"}));
}

TEST_F(JobQueueTest, ShowsTheLastNotesWithoutWritingThem) {  // api/N5
  open();
  accept("a", request_for("a"));
  for (int i = 0; i < 60; ++i)
    queue_->note({.job_id = "tick " + std::to_string(i),
                  .trigger = Trigger::poll,
                  .status = RunStatus::skipped,
                  .message = "no changes",
                  .created_at = clock_.now(),
                  .updated_at = clock_.now()});
  EXPECT_EQ(ids({.status = RunStatus::skipped, .limit = 200}).size(), 50u);
  EXPECT_EQ(ids({.trigger = Trigger::poll, .limit = 2}), (Ids{"tick 59", "tick 58"}));
  EXPECT_EQ(run("tick 59").message, "no changes");
  EXPECT_FALSE(queue_->run("tick 9").value());
  EXPECT_EQ(on_disk("SELECT count(*) FROM runs"), 1);
}

TEST_F(JobQueueTest, ListsFewLooksThatFoundNothing) {
  open();
  for (const auto* name : {"a", "b", "c"}) accept(name, request_for(name));
  const auto look = [&](const std::string& id, const std::string& repository, const std::string& ref = "main",
                        RunStatus status = RunStatus::skipped) {
    queue_->note({.job_id = id,
                  .trigger = Trigger::poll,
                  .status = status,
                  .repository = repository,
                  .revision = ref + " (sha256:" + id + ")",
                  .message = "no changes",
                  .created_at = clock_.now(),
                  .updated_at = clock_.now()});
  };
  for (const auto* id : {"1", "2", "3"}) look(id, "shop");
  look("4", "shop", "next");
  look("5", "shop", "main", RunStatus::failed);
  look("6", "mail");
  look("7", "shop");
  EXPECT_EQ(ids({.limit = 50}), (Ids{"7", "6", "5", "4", "c", "b", "a"})) << "the last one of each source";
  EXPECT_EQ(ids({.limit = 4}), (Ids{"7", "6", "5", "c"})) << "half of the list";
  EXPECT_EQ(ids({.limit = 1}), (Ids{"7"}));
  EXPECT_EQ(ids({.trigger = Trigger::poll, .limit = 50}), (Ids{"7", "6", "5", "4", "3", "2", "1"}));
  EXPECT_EQ(run("2").message, "no changes");
}

TEST_F(JobQueueTest, ForgetsOldAndSurplusRunsButNoUnfinishedOne) {  // api/N2, N3
  options_.finished_max = 3;
  open();
  const auto week_ago = clock_.now() - 7 * 24h - 1min;
  accept("waiting", request_for("main"));
  queue_->record({.job_id = "old", .status = RunStatus::failed, .created_at = week_ago, .updated_at = week_ago});
  for (int i = 0; i < 6; ++i)
    queue_->record({.job_id = std::to_string(i),
                    .status = RunStatus::failed,
                    .created_at = clock_.now(),
                    .updated_at = clock_.now()});
  const Ids left = {"5", "4", "3", "waiting"};
  for (int i = 0; i < 1000 && ids() != left; ++i) std::this_thread::sleep_for(5ms);  // each record has its own time
  for (int i = 0; i < 1000 && on_disk("SELECT count(*) FROM runs") != 4; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(ids(), left);
  EXPECT_EQ(on_disk("SELECT count(*) FROM runs"), 4);
  EXPECT_TRUE(queue_->health());
}

TEST_F(JobQueueTest, ForgetsSurplusRunsThatComeAfterATidyingFoundNone) {  // api/N2
  options_.finished_max = 3;
  open();
  const auto week_ago = clock_.now() - 7 * 24h - 1min;
  queue_->record({.job_id = "old", .status = RunStatus::failed, .created_at = week_ago, .updated_at = week_ago});
  accept("waiting", request_for("main"));  // the record was written with it or before
  for (int i = 0; i < 1000 && on_disk("SELECT count(*) FROM runs") != 1; ++i) std::this_thread::sleep_for(5ms);
  std::this_thread::sleep_for(50ms);  // the round after it finds nothing and goes to sleep
  for (int i = 0; i < 6; ++i)
    queue_->record({.job_id = std::to_string(i),
                    .status = RunStatus::failed,
                    .created_at = clock_.now(),
                    .updated_at = clock_.now()});
  accept("after", request_for("other"));
  for (int i = 0; i < 600 && on_disk("SELECT count(*) FROM runs") != 5; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(ids(), (Ids{"after", "5", "4", "3", "waiting"}));
}

TEST_F(JobQueueTest, KeepsJobsOutOfTheWayWhenItCannotWrite) {  // webhook/K6, reliability/P24, api/E46
  open();
  queue_->start(gate_.handler());
  accept("running", request_for("a"));
  ASSERT_TRUE(gate_.wait_for_start("running"));
  {
    auto other = Db::open(options_.state_file).value();
    ASSERT_TRUE(
        other->execute("CREATE TRIGGER no BEFORE INSERT ON runs BEGIN SELECT raise(FAIL, 'no room'); END;"
                       "CREATE TRIGGER never BEFORE UPDATE ON runs BEGIN SELECT raise(FAIL, 'no room'); END"));
    const auto refused = accept("refused", request_for("b"));
    EXPECT_EQ(refused.refusal, Refusal::cannot_persist);
    EXPECT_EQ(refused.reason, options_.state_file.string() + ": no room");
    const auto health = queue_->health();
    ASSERT_FALSE(health);
    EXPECT_EQ(health.error().message, "journal not writable: " + options_.state_file.string() + ": no room");
    queue_->record({.job_id = "refused",
                    .status = RunStatus::failed,
                    .message = "cannot persist job",
                    .created_at = clock_.now(),
                    .updated_at = clock_.now()});
    gate_.release("running");
    accept("refused too", request_for("a"));
    EXPECT_EQ(run("running").status, RunStatus::running);
    EXPECT_EQ(ids(), (Ids{"refused", "running"}));
    ASSERT_TRUE(other->execute("DROP TRIGGER no; DROP TRIGGER never"));
  }
  EXPECT_EQ(run("running", RunStatus::succeeded).message, "done");  // by itself
  for (int i = 0; i < 1000 && !queue_->health(); ++i) std::this_thread::sleep_for(5ms);
  EXPECT_TRUE(queue_->health());
  EXPECT_EQ(accept("b", request_for("b")).refusal, std::nullopt);
}

}  // namespace
}  // namespace windlass
