#include "api/poll_run.h"

#include <gtest/gtest.h>

#include "jobs/fake_queue.h"
#include "sys/json.h"

namespace windlass {
namespace {

class PollRunTest : public ::testing::Test {
 protected:
  // The answer without the id of the call; "" while there is none.
  std::string told() const {
    if (!answer) return "";
    auto parsed = parse_json(answer->body);
    if (!parsed) return parsed.error().message;
    auto& object = parsed->as_object();
    EXPECT_EQ(text_of(object, "job_id"), "the call");
    object.erase("job_id");
    return std::to_string(answer->status) + " " + json::serialize(object);
  }
  std::string send(ServerRequest request, bool strict = false) {
    answer.reset();
    const PollRun run({.strict = strict}, queue, clock, Log({.level = LogLevel::critical}));
    run.answer(request, "the call", [this](ServerResponse response) { answer = std::move(response); });
    return told();
  }
  std::string send(std::string body, std::string query = "", bool strict = false) {
    return send({.query = std::move(query), .body = std::move(body)}, strict);
  }
  void end(std::size_t job, const JobOutcome& outcome) { queue.waiting.at(queue.jobs.at(job).first)({}, outcome); }

  FakeClock clock;
  FakeJobQueue queue;
  std::optional<ServerResponse> answer;
};

const std::string kOne = R"([{"source":"oci","url":"r.example/app:1","target":"prod"}])";
const std::string kTwo = R"([{"source":"oci","url":"r.example/app:1"},{"source":"oci","url":"r.example/other:2"}])";

// api/E6 to E9
TEST_F(PollRunTest, SaysWhatIsWrongWithTheBody) {
  const std::pair<const char*, const char*> rows[] = {
      {"", R"j(400 {"error":"failed to decode json in body","content":"EOF"})j"},
      {" \n", R"j(400 {"error":"failed to decode json in body","content":"EOF"})j"},
      {"[", R"j(400 {"error":"failed to decode json in body","content":"invalid JSON at byte 2: incomplete JSON"})j"},
      {"[] x",
       R"j(400 {"error":"failed to decode json in body","content":"invalid JSON at byte 4: text after the value"})j"},
      {"{}", R"j(400 {"error":"failed to decode json in body","content":"expected an array of poll configurations"})j"},
      {"[1]",
       R"j(400 {"error":"failed to decode json in body","content":"entry 0: expected a mapping of poll keys"})j"},
      {R"([{"source":"oci","url":"app"},{"source":"oci","url":5.5,"run_once":"x"}])",
       R"j(400 {"error":"failed to decode json in body","content":"entry 1: run_once: expected true or false, got text \"x\""})j"},
      {R"([{"source":"oci","url":"app","interval":"soon"}])",
       R"j(400 {"error":"failed to decode json in body","content":"entry 0: interval: must be seconds or a Go duration"})j"},
      {R"([{"source":"oci","url":"app","deployments":[{"name":"x","timeout":"1"}]}])",
       R"j(400 {"error":"failed to decode json in body","content":"entry 0: timeout: expected an integer, got text \"1\""})j"},
      {R"([{"source":"oci","url":"app"},{"source":"oci"}])",
       R"j(400 {"error":"invalid poll configuration at index 1","content":"url: key not found: url"})j"},
      {R"([{"source":"oci","url":"app","deployments":[{}]}])",
       R"j(400 {"error":"invalid poll configuration at index 0","content":"name: key not found: name (a compose project name is [a-z0-9][a-z0-9_-]*)"})j"},
      {R"([{"url":"https://github.com/acme/app"}])",
       R"j(400 {"error":"invalid poll configuration at index 0","content":"source: git, the default, is not built yet in this version of windlass: write source: oci; url: invalid OCI artifact reference: )j"},
      {"[]", R"j(400 {"error":"no poll configuration provided in request body","content":""})j"},
  };
  for (const auto& [body, want] : rows) EXPECT_TRUE(send(body).starts_with(want)) << told();
  EXPECT_TRUE(queue.jobs.empty());
  EXPECT_TRUE(queue.records.empty()) << "a run only after these have passed (E12)";
}

TEST_F(PollRunTest, TakesUnknownKeysUnlessItIsStrict) {
  const auto body = R"([{"source":"oci","url":"app","colour":1}])";
  EXPECT_EQ(send(body, "wait=false"), R"(202 {"content":"poll jobs started"})");
  EXPECT_EQ(send(body, "wait=false", true),
            R"(400 {"error":"invalid poll configuration at index 0","content":"unknown key \"colour\""})");
}

TEST_F(PollRunTest, ChecksTheParameterBeforeTheBody) {  // api/B10, B11, B13
  for (const auto* bad : {"wait=maybe", "wait=yes", "wait=2"})
    EXPECT_EQ(send(kOne, bad),
              R"(400 {"error":"invalid parameter: wait","content":"'wait' parameter must be true or false"})");
  EXPECT_TRUE(queue.jobs.empty());
  for (const auto* no : {"wait=false", "wait=F", "wait=0"})
    EXPECT_EQ(send(kOne, no), R"(202 {"content":"poll jobs started"})");
  for (const auto* yes : {"", "wait=", "wait=1", "wait=TRUE"}) EXPECT_EQ(send(kOne, yes), "") << "waits";
}

TEST_F(PollRunTest, TellsOfABodyThatDidNotComeIn) {  // api/B9
  EXPECT_EQ(send({.body_fault = BodyFault::too_large}),
            R"(413 {"error":"failed to decode json in body","content":"http: request body too large"})");
  EXPECT_TRUE(answer->close);
  EXPECT_EQ(send({.body_fault = BodyFault::timed_out}),
            R"(408 {"error":"failed to decode json in body","content":"i/o timeout"})");
  EXPECT_EQ(send({.body_fault = BodyFault::cut_off}),
            R"(400 {"error":"failed to decode json in body","content":"unexpected EOF"})");
}

TEST_F(PollRunTest, MakesAJobOfEachEntryAndARunOfTheCall) {  // api/E11 to E13
  EXPECT_EQ(send(R"([{"Source":"OCI","URL":"r.example/app:1","Target":"prod","interval":1,"reference":"x","watch":true,
                     "deployments":[{"name":"web","environment":{"Key":"v"}}]},
                    {"source":"oci","url":"r.example/other:2","run_once":false}])",
                 "wait=false"),
            R"(202 {"content":"poll jobs started"})");
  ASSERT_EQ(queue.jobs.size(), 2u);
  const auto& first = queue.jobs[0].second;
  EXPECT_EQ(first.trigger, Trigger::poll);
  EXPECT_EQ(first.artifact, "r.example/app:1");
  EXPECT_EQ(first.target, "prod");
  EXPECT_EQ(first.parent, "the call");
  EXPECT_NE(first.deployments.find(R"("environment":{"Key":"v"})"), std::string::npos) << first.deployments;
  EXPECT_NE(queue.jobs[0].first, queue.jobs[1].first);
  ASSERT_EQ(queue.records.size(), 1u);
  const auto begun = queue.records[0];
  EXPECT_EQ(begun.job_id, "the call");
  EXPECT_EQ(begun.trigger, Trigger::poll);
  EXPECT_EQ(begun.status, RunStatus::running);
  EXPECT_EQ(begun.repository, "multiple");

  end(0, {});
  EXPECT_EQ(queue.records.size(), 1u);
  end(1, JobOutcome::skipped("no changes"));
  ASSERT_EQ(queue.records.size(), 2u);
  EXPECT_EQ(queue.records[1].job_id, "the call");
  EXPECT_EQ(queue.records[1].status, RunStatus::succeeded);
  EXPECT_EQ(queue.records[1].message, "poll jobs complete");
  EXPECT_TRUE(queue.records[1].finished_at);
}

TEST_F(PollRunTest, OfOneEntryBearsItsName) {  // api/E12
  send(kOne);
  const auto& run = queue.records.at(0);
  EXPECT_EQ(run.repository, "r.example/app");
  EXPECT_EQ(run.source, "r.example/app");
  EXPECT_EQ(run.target, "prod");
  EXPECT_EQ(run.revision, "1");
}

TEST_F(PollRunTest, WaitsForAllAndTellsWhatFailed) {  // api/E10
  EXPECT_EQ(send(kTwo), "");
  end(1, JobOutcome::failed(FailedStep::config, "no <name>"));
  EXPECT_EQ(told(), "");
  end(0, {.message = "job completed successfully"});
  EXPECT_EQ(
      told(),
      R"(500 {"error":"1/2 poll jobs failed","content":[)"
      R"({"repository":"r.example/app","status":"succeeded","message":"job completed successfully"},)"
      R"({"repository":"r.example/other","status":"failed","message":"failed to get deploy configuration: no <name>"}]})");
  EXPECT_EQ(queue.records.back().status, RunStatus::failed);
  EXPECT_EQ(queue.records.back().message, "1/2 poll jobs failed");

  send(kTwo);
  end(2, {});
  end(3, {});
  EXPECT_EQ(told(), R"(200 {"content":"poll jobs complete"})");
}

TEST_F(PollRunTest, CountsWhatTheQueueRefusesAsFailed) {
  queue.refusal = JobQueue::Refusal::full;
  EXPECT_EQ(send(kTwo, "wait=false"), R"(503 {"error":"job queue is full","content":"retry later"})");
  EXPECT_EQ(answer->headers.back().name + ": " + answer->headers.back().value, "Retry-After: 30");
  EXPECT_EQ(queue.records.back().message, "2/2 poll jobs failed");
  queue.refusal = JobQueue::Refusal::cannot_persist;
  queue.reason = "disk full";
  EXPECT_EQ(send(kOne),
            R"(500 {"error":"1/1 poll jobs failed","content":[{"repository":"r.example/app","status":"failed",)"
            R"("message":"cannot persist job: disk full"}]})");
}

}  // namespace
}  // namespace windlass
