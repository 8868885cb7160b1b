#include "api/endpoint.h"

#include <new>

#include "api/endpoint_fixture.h"

namespace windlass {
namespace {

RunRecord a_run(std::string id) {
  const WallTime created = from_unix_us(1'767'323'045'123'456);
  return {.job_id = std::move(id), .repository = "acme/app", .created_at = created, .updated_at = created};
}

// api/B2, E41
TEST(ApiEndpoint, ServesWithAKeyWhatIsBuilt) {
  Bench open(""), keyed;
  for (const auto path : {"/v1/health", "/v1/api/runs", "/v1/api/run/x", "/v1/api/poll/run", "/v1/api/releases",
                          "/v1/api/release/x", "/v1/api/release/x/rollback"})
    EXPECT_TRUE(keyed.endpoint.serves(path)) << path;
  for (const auto path : {"/v1/api/runs", "/v1/api/run/x", "/v1/api/poll/run"})
    EXPECT_FALSE(open.endpoint.serves(path)) << path;
  EXPECT_TRUE(open.endpoint.serves("/v1/health"));
  for (const auto path : {"/v1/api", "/v1/api/run", "/v1/api/run/", "/v1/api/run/x/y", "/v1/api/poll",
                          "/v1/api/poll/run/", "/v1/api/runs/", "/v1/health/", "/v1/api/release/",
                          "/v1/api/release//rollback", "/v1/api/release/x/y/rollback", "/v1/api/run/x/rollback", "/"})
    EXPECT_FALSE(keyed.endpoint.serves(path)) << path;
}

// api/B3, B4, B8, E1
TEST(ApiEndpoint, ChecksMethodThenKey) {
  Bench bench;
  const auto wrong_method = bench.send({.method = "POST", .path = "/v1/api/runs", .peer = "1.2.3.4:5"});
  EXPECT_EQ(told(wrong_method), R"(405 {"error":"invalid http method","content":"requires method: GET"})");
  EXPECT_EQ(wrong_method.headers.at(1).name + wrong_method.headers.at(1).value, "AllowGET");
  EXPECT_EQ(told(bench.get("/v1/api/runs", "limit=0", "api-secre")), R"(401 {"error":"invalid api key","content":""})");
  EXPECT_EQ(told(bench.get("/v1/api/run/x", "", "")), R"(401 {"error":"invalid api key","content":""})");
  EXPECT_EQ(told(bench.get("/v1/api/runs")), R"(200 {"content":[]})");
}

// api 2.2: method, key, parameters, body
TEST(ApiEndpoint, RunsPolls) {
  Bench bench;
  EXPECT_EQ(told(bench.get("/v1/api/poll/run")),
            R"(405 {"error":"invalid http method","content":"requires method: POST"})");
  ServerRequest request{.method = "POST", .path = "/v1/api/poll/run", .query = "wait=maybe", .peer = "1.2.3.4:5"};
  EXPECT_EQ(told(bench.send(request)), R"(401 {"error":"invalid api key","content":""})");
  request.headers = {{"x-api-key", "api-secret"}};
  EXPECT_EQ(told(bench.send(request)),
            R"(400 {"error":"invalid parameter: wait","content":"'wait' parameter must be true or false"})");
  request.query = "wait=false";
  EXPECT_EQ(told(bench.send(request)), R"(400 {"error":"failed to decode json in body","content":"EOF"})");
  request.body = R"([{"source":"oci","url":"r.example/app:1"}])";
  EXPECT_EQ(told(bench.send(request)), R"(202 {"content":"poll jobs started"})");
  EXPECT_EQ(bench.queue.jobs.size(), 1u);
}

// api/B4
TEST(ApiEndpoint, SlowsDownWhoGuesses) {
  Bench bench;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(bench.get("/v1/api/runs", "", "guess").status, 401);
  const auto throttled = bench.get("/v1/api/runs");
  EXPECT_EQ(told(throttled), R"(429 {"error":"too many failed attempts","content":"retry later"})");
  EXPECT_EQ(throttled.headers.at(1).name + throttled.headers.at(1).value, "Retry-After60");
  ServerRequest other{
      .method = "GET", .path = "/v1/api/runs", .headers = {{"X-API-Key", "api-secret"}}, .peer = "[::2]:1"};
  EXPECT_EQ(bench.send(other).status, 200);
  bench.clock.advance(1min);
  EXPECT_EQ(bench.get("/v1/api/runs").status, 200);
}

// Private networks are trusted proxies, and containers are in them.
TEST(ApiEndpoint, CountsNoGuessesAgainstWhoseAddressIsOnlyClaimed) {
  Bench bench("api-secret", false, {"10.0.0.0/8", "172.16.0.0/12"});
  const auto send = [&](std::string peer, std::string forwarded_for, std::string key) {
    std::vector<HttpHeader> headers = {{"X-API-Key", std::move(key)}};
    if (!forwarded_for.empty()) headers.push_back({"X-Forwarded-For", std::move(forwarded_for)});
    return bench.send({.method = "GET", .path = "/v1/api/runs", .headers = headers, .peer = std::move(peer)}).status;
  };
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(send("172.17.0.3:1", "203.0.113.9", "guess"), 401);            // straight from a container
    EXPECT_EQ(send("10.0.0.5:1", "203.0.113.9, 172.17.0.3", "guess"), 401);  // and through the proxy
  }
  EXPECT_EQ(send("172.17.0.3:1", "203.0.113.9", "guess"), 429);
  EXPECT_EQ(send("203.0.113.9:1", "", "api-secret"), 200) << "the operator";
  EXPECT_EQ(send("10.0.0.5:1", "203.0.113.9", "api-secret"), 200) << "the operator through the proxy";
}

TEST(ApiEndpoint, LetsItsKeyBeChanged) {
  Bench bench;
  for (int i = 0; i < 10; ++i) bench.get("/v1/api/runs", "", "guess");
  bench.endpoint.use(Secret("the next one"));
  EXPECT_EQ(bench.get("/v1/api/runs", "", "the next one").status, 429) << "whoever has guessed has to wait";
  bench.clock.advance(1min);
  EXPECT_EQ(bench.get("/v1/api/runs").status, 401);
  EXPECT_EQ(bench.get("/v1/api/runs", "", "the next one").status, 200);
  bench.endpoint.use(Secret());
  EXPECT_FALSE(bench.endpoint.serves("/v1/api/runs"));
  EXPECT_TRUE(bench.endpoint.serves("/v1/health"));
}

// api 3
TEST(ApiEndpoint, ShowsARun) {
  Bench bench;
  auto run = a_run("0198");
  run.status = RunStatus::succeeded;
  run.target = " prod ";
  run.revision = "main (sha256:22)";
  run.message = "job completed successfully\n";
  run.started_at = from_unix_us(1'767'323'045'200'000);
  run.finished_at = run.updated_at = from_unix_us(1'767'323'057'000'000);
  run.source = "ghcr.io/acme/app";
  run.attempts = 2;
  run.stacks = {{.name = "web", .status = RunStatus::skipped, .message = "no \xff changes"}};
  run.parent = "0197";
  run.cause = "retry";
  bench.queue.records = {a_run("other"), run};
  EXPECT_EQ(told(bench.get("/v1/api/run/01%398")),
            R"(200 {"content":{"job_id":"0198","trigger":"webhook","status":"succeeded","repository":"acme/app",)"
            R"x("target":"prod","revision":"main (sha256:22)","message":"job completed successfully",)x"
            R"("created_at":"2026-01-02T03:04:05.123456Z","started_at":"2026-01-02T03:04:05.2Z",)"
            R"("finished_at":"2026-01-02T03:04:17Z","updated_at":"2026-01-02T03:04:17Z","source":"ghcr.io/acme/app",)"
            R"("attempts":2,"stacks":[{"name":"web","context":"","status":"skipped","message":"no \\xff changes"}],)"
            R"("parent":"0197","cause":"retry"}})");
  EXPECT_EQ(told(bench.get("/v1/api/run/other")),
            R"(200 {"content":{"job_id":"other","trigger":"webhook","status":"accepted","repository":"acme/app",)"
            R"("created_at":"2026-01-02T03:04:05.123456Z","updated_at":"2026-01-02T03:04:05.123456Z"}})");
  EXPECT_EQ(told(bench.get("/v1/api/run/none%0a")), R"(404 {"error":"run not found: none\\x0a","content":""})");
}

// api/E1 to E4
TEST(ApiEndpoint, ListsRunsByFilter) {
  const std::string bad_limit =
      R"(400 {"error":"invalid parameter: limit","content":"'limit' parameter must be a positive integer"})";
  const std::string bad_status =
      R"(400 {"error":"invalid deployment run status","content":"valid status values: accepted, running, succeeded, failed, skipped"})";
  const std::string bad_trigger =
      R"(400 {"error":"invalid deployment run trigger","content":"valid trigger values: webhook, poll, scheduled_job"})";
  const std::string good = R"(200 {"content":[]})";
  const struct {
    std::string query, told;
    std::size_t limit = 50;
    std::optional<RunStatus> status;
    std::optional<Trigger> trigger;
  } kRows[] = {
      {"", good},
      {"limit=", good},
      {"limit=7", good, 7},
      {"limit=201", good, 200},
      {"limit=0", bad_limit},
      {"limit=-1", bad_limit},
      {"limit=ten", bad_limit},
      {"limit=1.5", bad_limit},
      {"limit=99999999999999999999", bad_limit},
      {"status=%20FAILED+", good, 50, RunStatus::failed},
      {"status=done", bad_status},
      {"trigger=Scheduled_Job&status=running", good, 50, RunStatus::running, Trigger::scheduled_job},
      {"trigger=api", bad_trigger},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.query);
    Bench bench;
    EXPECT_EQ(told(bench.get("/v1/api/runs", row.query)), row.told);
    if (row.told != good) continue;
    EXPECT_EQ(bench.queue.asked.limit, row.limit);
    EXPECT_EQ(bench.queue.asked.status, row.status);
    EXPECT_EQ(bench.queue.asked.trigger, row.trigger);
  }
  Bench bench;
  bench.queue.records = {a_run("b"), a_run("a")};
  const auto body = bench.get("/v1/api/runs").body;
  EXPECT_LT(body.find(R"("job_id":"b")"), body.find(R"("job_id":"a")"));
}

// api/E41 to E46
TEST(ApiEndpoint, TellsHowItIs) {
  const struct {
    bool docker_host_set;
    std::string engine, queue, told;
  } kRows[] = {
      {false, "", "", R"(200 {"content":"healthy"})"},
      {false, "connection refused", "",
       R"(503 {"error":"failed to connect to docker socket","content":"connection refused"})"},
      {true, "connection refused", "",
       R"(503 {"error":"failed to connect to docker host","content":"connection refused"})"},
      {false, "", "journal not writable: no space left",
       R"(503 {"error":"journal not writable","content":"no space left"})"},
      {false, "gone", "job worker stalled", R"(503 {"error":"job worker stalled","content":""})"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.told);
    Bench bench("", row.docker_host_set);
    bench.engine.fault = row.engine;
    bench.queue.fault = row.queue;
    for (const auto method : {"GET", "POST", "BREW"})
      EXPECT_EQ(told(bench.send({.method = method, .path = "/v1/health"})), row.told);
  }
}

TEST(ApiEndpoint, TellsOfAHealthCheckThatThrows) {
  Bench bench;
  bench.engine.throws = true;
  EXPECT_EQ(told(bench.get("/v1/health")),
            R"(503 {"error":"health check ended by an exception","content":"std::bad_alloc"})");
  bench.engine.throws = false;
  bench.clock.advance(2s);
  EXPECT_EQ(told(bench.get("/v1/health")), R"(200 {"content":"healthy"})");
}

// api/E45
TEST(ApiEndpoint, AsksTheEngineEveryTwoSecondsAtMost) {
  Bench bench;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(bench.get("/v1/health").status, 200);
  EXPECT_EQ(bench.engine.pings, 1);
  bench.engine.fault = "gone";
  EXPECT_EQ(bench.get("/v1/health").status, 200);
  bench.clock.advance(2s);
  EXPECT_EQ(bench.get("/v1/health").status, 503);
  EXPECT_EQ(bench.engine.pings, 2);
}

}  // namespace
}  // namespace windlass
