#include "api/releases.h"

#include "api/endpoint_fixture.h"

namespace windlass {
namespace {

Release a_release() {
  return {.id = "0198",
          .stack = {.name = "web", .context = "edge"},
          .request = {.artifact = "r.example/acme/app:main",
                      .source_id = "r.example/acme/app",
                      .repository = "acme/app",
                      .ref = "main"},
          .digest = "sha256:11",
          .plan = "keep db; recreate page (image changed)",
          .reasons = {"page: image changed"},
          .images = {{"page", "sha256:22"}},
          .job_id = "0197",
          .state = ReleaseState::succeeded,
          .started_at = from_unix_us(1'767'323'045'000'000),
          .finished_at = from_unix_us(1'767'323'046'500'000)};
}

ServerRequest rollback(std::string id, std::string query = "") {
  return {.method = "POST",
          .path = "/v1/api/release/" + id + "/rollback",
          .query = std::move(query),
          .headers = {{"x-api-key", "api-secret"}},
          .peer = "1.2.3.4:5"};
}

TEST(Releases, AreListed) {  // api/E47
  Bench bench;
  EXPECT_EQ(told(bench.get("/v1/api/releases", "stack=web&limit=3")), R"(200 {"content":[]})");
  EXPECT_EQ(bench.archive.asked, "web 3");
  bench.archive.kept = {a_release()};
  EXPECT_EQ(
      told(bench.get("/v1/api/releases")),
      R"(200 {"content":[{"id":"0198","stack":"web","context":"edge","source":"r.example/acme/app",)"
      R"("reference":"main","digest":"sha256:11","state":"succeeded",)"
      R"x("plan":"keep db; recreate page (image changed)","reasons":["page: image changed"],"trigger":"webhook",)x"
      R"("job_id":"0197","started_at":"2026-01-02T03:04:05Z","finished_at":"2026-01-02T03:04:06.5Z",)"
      R"("images":{"page":"sha256:22"}}]})");
  EXPECT_EQ(bench.archive.asked, " 50");
  (void)bench.get("/v1/api/releases", "stack=web&context=edge");
  EXPECT_EQ(bench.archive.asked, "web 50 on edge");
  (void)bench.get("/v1/api/releases", "context=default");
  EXPECT_EQ(bench.archive.asked, " 50 on ");
  EXPECT_EQ(bench.get("/v1/api/releases", "limit=0").status, 400);
  EXPECT_EQ(bench.get("/v1/api/releases", "", "wrong").status, 401);
}

TEST(Releases, TellOfALoop) {
  auto release = a_release();
  release.loop = StackLoop{.deployments = 3,
                           .recreated = true,
                           .differences = {"db: environment changed"},
                           .looping_since = from_unix_us(1'767'323'045'000'000)};
  Bench bench;
  bench.archive.kept = {release};
  EXPECT_NE(told(bench.get("/v1/api/releases"))
                .find(R"("loop":{"deployments":3,"recreated":true,"looping":true,"differences":["db: environment )"
                      R"(changed"],"looping_since":"2026-01-02T03:04:05Z"})"),
            std::string::npos);
}

TEST(Releases, AreShown) {  // api/E48
  Bench bench;
  bench.archive.kept = {a_release()};
  EXPECT_EQ(bench.get("/v1/api/release/0198").status, 200);
  EXPECT_EQ(told(bench.get("/v1/api/release/none%0a")), R"(404 {"error":"release not found: none\\x0a","content":""})");
}

TEST(Releases, ComeBackAsAJob) {  // api/E49
  Bench bench;
  bench.archive.kept = {a_release()};
  EXPECT_EQ(told(bench.send(rollback("0198"))), R"(202 {"content":"rollback accepted"})");
  ASSERT_EQ(bench.queue.jobs.size(), 1u);
  EXPECT_EQ(bench.queue.jobs[0].second.source_id, "r.example/acme/app");
  EXPECT_EQ(told(bench.get("/v1/api/release/0198/rollback")),
            R"(405 {"error":"invalid http method","content":"requires method: POST"})");
}

TEST(Releases, AreWaitedForOnDemand) {
  Bench bench;
  bench.archive.kept = {a_release()};
  const std::pair<JobOutcome, std::string> ends[] = {
      {{.message = "job completed successfully"}, R"(200 {"content":"job completed successfully"})"},
      {JobOutcome::skipped("web: no changes"), R"(200 {"content":"web: no changes"})"},
      {JobOutcome::failed(FailedStep::deployment, "boom"), R"(500 {"error":"deployment failed","content":"boom"})"},
      {JobOutcome::failed(FailedStep::interrupted, "interrupted by restart"),
       R"(500 {"error":"interrupted by restart","content":""})"},
  };
  for (const auto& [outcome, answer] : ends) {
    std::promise<ServerResponse> answered;
    bench.endpoint.handle(rollback("0198", "wait=true"),
                          [&](ServerResponse response) { answered.set_value(std::move(response)); });
    while (bench.queue.waiting_count() == 0) std::this_thread::yield();
    bench.queue.end_waiting(outcome);
    EXPECT_EQ(told(answered.get_future().get()), answer);
  }
}

TEST(Releases, SayWhyTheyDoNotComeBack) {
  Bench bench;
  EXPECT_EQ(told(bench.send(rollback("0198"))), R"(404 {"error":"release not found: 0198","content":""})");
  bench.archive.kept = {a_release()};
  EXPECT_EQ(told(bench.send(rollback("0198", "wait=maybe"))),
            R"(400 {"error":"invalid parameter: wait","content":"'wait' parameter must be true or false"})");
  bench.queue.refusal = JobQueue::Refusal::full;
  const auto full = bench.send(rollback("0198"));
  EXPECT_EQ(told(full), R"(503 {"error":"job queue is full","content":"retry later"})");
  EXPECT_EQ(full.headers.at(1).name + full.headers.at(1).value, "Retry-After30");
  bench.archive.fault = "release content is gone";
  EXPECT_EQ(told(bench.send(rollback("0198"))), R"(409 {"error":"release content is gone","content":""})");
}

}  // namespace
}  // namespace windlass
