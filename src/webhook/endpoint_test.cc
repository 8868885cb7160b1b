#include "webhook/endpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "base/text.h"
#include "jobs/fake_queue.h"
#include "sys/fake_http.h"
#include "sys/json.h"

namespace windlass {
namespace {

constexpr std::string_view kSecret = "your-webhook-secret";
constexpr std::string_view kHex1 = "7d6c7f8e9a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6";
constexpr std::string_view kHex2 = "1f2e3d4c5b6a79808f7e6d5c4b3a2910ffeeddccbbaa99887766554433221100";
constexpr std::string_view kHex3 = "abc123def456ghi789jkl012mno345pqr678stu901vwx234yz567abc890def";
constexpr std::string_view kHex4 = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
constexpr std::string_view kArtifact1 = "ghcr.io/my/app:main";
constexpr std::string_view kArtifact2 = "registry.example.com/myorg/apps/app1/backend:latest";
constexpr std::string_view kArtifact3 = "docker.io/myusername/myapp-config:latest";
constexpr std::string_view kArtifact4 = "registry.example.com:5000/internal/deployment-config:v1.0.0";

std::string compact(std::string_view hex, std::string_view artifact) {
  return R"({"source":"oci","digest":"sha256:)" + std::string(hex) + R"(","artifact":")" + std::string(artifact) +
         "\"}";
}
std::string pretty(std::string_view hex, std::string_view artifact) {
  return "{\n  \"source\": \"oci\",\n  \"digest\": \"sha256:" + std::string(hex) + "\",\n  \"artifact\": \"" +
         std::string(artifact) + "\"\n}";
}

std::string hmac(std::string_view body, std::string_view secret = kSecret) {
  const auto bytes = HmacSha256(Secret(std::string(secret))).sign(body);
  return to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

const std::string kPush =
    R"({"ref":"refs/heads/main","before":"1111111111111111111111111111111111111111","after":"2222222222222222222222222222222222222222","repository":{"name":"app","full_name":"acme/app","clone_url":"https://git.example.com/acme/app.git","ssh_url":"git@git.example.com:acme/app.git","html_url":"https://git.example.com/acme/app","private":false}})";
const std::string kDeletion =
    R"({"ref":"refs/heads/old","before":"1111111111111111111111111111111111111111","after":"0000000000000000000000000000000000000000","repository":{"name":"app","full_name":"acme/app","clone_url":"https://git.example.com/acme/app.git"}})";

// The endpoint with a queue that is not one.
struct Bench {
  explicit Bench(WebhookEndpoint::Options options = {.senders = {.secret = Secret(std::string(kSecret))}})
      : endpoint(std::move(options), queue, transport, clock, Log({.level = LogLevel::critical})) {}

  ServerRequest request(std::string body, std::vector<HttpHeader> headers) {
    return {.method = "POST",
            .path = path,
            .query = query,
            .headers = std::move(headers),
            .body = std::move(body),
            .peer = "198.51.100.1:4711"};
  }
  // The answer, or nothing if it is still to come.
  std::optional<ServerResponse> send(ServerRequest request) {
    answered.reset();
    endpoint.handle(std::move(request), [this](ServerResponse response) { answered = std::move(response); });
    return answered;
  }
  std::optional<ServerResponse> send(std::string body, std::vector<HttpHeader> headers) {
    return send(request(std::move(body), std::move(headers)));
  }
  std::optional<ServerResponse> send_signed(std::string body) {
    auto signature = hmac(body);
    return send(std::move(body), {{"X-Doco-OCI-Signature-256", std::move(signature)}});
  }

  FakeClock clock;
  FakeJobQueue queue;
  FakeTransport transport;
  WebhookEndpoint endpoint;
  std::string path = "/v1/webhook", query;
  std::optional<ServerResponse> answered;
};

// Status and texts of an answer; its form is checked on the way (webhook/T6, T7).
std::string told(const std::optional<ServerResponse>& response) {
  if (!response) return "not answered";
  EXPECT_EQ(response->content_type, "application/json; charset=utf-8");
  EXPECT_EQ(response->headers.at(0).name + ": " + response->headers.at(0).value, "X-Content-Type-Options: nosniff");
  EXPECT_TRUE(response->body.ends_with("}\n"));
  const auto parsed = parse_json(response->body);
  if (!parsed) return parsed.error().message;
  const auto& object = parsed->as_object();
  EXPECT_EQ(text_of(object, "job_id").size(), 36u);
  EXPECT_EQ(std::prev(object.end())->key(), "job_id");
  std::string text = std::to_string(response->status);
  if (object.contains("error")) text += " " + std::string(text_of(object, "error")) + " |";
  return text + " " + std::string(text_of(object, "content"));
}

constexpr std::string_view kAccepted = "202 job accepted";
constexpr std::string_view kWrong = "401 incorrect secret key | HMAC verification failed";

// webhook 16, H1 to H8: each four ways
TEST(WebhookEndpoint, AnswersTheVectorsOfTheManual) {
  const std::string_view kShort63 = "400 invalid field: digest | sha256 needs 64 hex characters, got 63";
  const std::string_view kShort62 = "400 invalid field: digest | sha256 needs 64 hex characters, got 62";
  const struct {
    std::string_view id;
    std::string body;
    std::size_t size;
    std::string signature;
    std::string_view told;
  } kRows[] = {
      {"H1", pretty(kHex1, kArtifact1), 144, "1cf907f81b5066b44cab40e00aab85e41c918f87c9d554742f13154e922006eb",
       kShort63},
      {"H2", pretty(kHex2, kArtifact2), 177, "19924a99aeb8411d9329033cd4942fc02b511c5d164f0f94fe260f053c2babf2",
       kAccepted},
      {"H3", pretty(kHex3, kArtifact3), 164, "dc7a052bc69a789ce591f00a7813e96d4a98b2ef5fcf5603b555db360a1eaa7c",
       kShort62},
      {"H4", pretty(kHex4, kArtifact4), 185, "8d718e8d234463e992c770d3c6b75a8e9f1d8de2cfa7e7ec1aceb9a1506e080a",
       kAccepted},
      {"H5", compact(kHex1, kArtifact1), 131, "c2de68be39739219f5118f28cdd518feae21ec6fa8a78ad36650974426240c36",
       kShort63},
      {"H6", compact(kHex2, kArtifact2), 164, "62c8fff251e8a8d6d485ca90fd572772a43922f32dab86efa62b19d8640c1c4e",
       kAccepted},
      {"H7", compact(kHex3, kArtifact3), 151, "fc8849d9209942040d2ee53ca1cb458cf93590f6e72faab96fb0f14e0cc1c387",
       kShort62},
      {"H8", compact(kHex4, kArtifact4), 172, "058b06a252dac76d9d04b7d2fabf0df22dcaddf527ec8e77ce0f43dc863f2bb1",
       kAccepted},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.id);
    Bench bench;
    ASSERT_EQ(row.body.size(), row.size);
    auto wrong = row.signature;
    wrong.back() = wrong.back() == '0' ? '1' : '0';
    EXPECT_EQ(told(bench.send(row.body, {{"X-Doco-OCI-Signature-256", row.signature}})), row.told);
    EXPECT_EQ(told(bench.send(row.body, {{"X-Doco-OCI-Signature-256", "sha256=" + row.signature}})), row.told);
    EXPECT_EQ(told(bench.send(row.body, {{"X-Doco-OCI-Signature-256", wrong}})), kWrong);
    EXPECT_EQ(told(bench.send(row.body, {{"x-doco-oci-signature-256", row.signature}})), row.told);
    EXPECT_EQ(bench.queue.jobs.size() + bench.queue.records.size(), 3u);  // of the wrong one nothing is kept
  }
}

// webhook 16, H9 to H21
TEST(WebhookEndpoint, AnswersTheOtherVectors) {
  const std::string_view kGit = "400 source type not enabled | git sources are not enabled, only oci";
  std::string upper(kHex2);
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  const struct {
    std::string_view id;
    std::string body;
    std::string secret, signature;
    std::string_view told;
    std::string header = "X-Doco-OCI-Signature-256";
  } kRows[] = {
      {"H9", compact(kHex2, kArtifact2) + "\n", std::string(kSecret),
       "b256fc7515a2cd2f6418432471732fd125a79d72ca324342425f57c52cdfb33b", kAccepted},
      {"H9", compact(kHex2, kArtifact2) + "\n", std::string(kSecret),
       "62c8fff251e8a8d6d485ca90fd572772a43922f32dab86efa62b19d8640c1c4e", kWrong},
      {"H10", compact(kHex2, kArtifact2), "windlass-test-secret",
       "948ff47dfbcdd38a49f0c98de97e879045debd30442bac16251d27281824be84", kAccepted},
      {"H11", compact(kHex2, kArtifact2), std::string(kSecret) + "\n",
       "326ba8ccffb944613905ae64e0b5bc84a3f3bc80f238819a3705d5d145b226d6", kAccepted},
      {"H12", compact(kHex2, kArtifact2), std::string(80, 'k'),
       "e50ae09cdce467bc51237d76da5d0e1d3e56144d7cb40ea452d26a1f28bf8031", kAccepted},
      {"H13", compact(kHex2, kArtifact2), "\x70\xc3\xa4\x73\x73\x77\xc3\xb6\x72\x64\x2d\xe2\x9c\x93",
       "e147227006790f52bc3d718793c4acce8bfd91891127b911b4df4672b9024696", kAccepted},
      {"H14", "{}", std::string(kSecret), "3f7df3cbc19203bbd06711309e31ed5fef13b99190551f64da0fe2f06c646935",
       R"(400 invalid field: source | must be "oci")"},
      {"H15", R"({"source":"git","digest":"sha256:)" + std::string(kHex2) + R"(","artifact":"ghcr.io/my/app:main"})",
       std::string(kSecret), "b7ffd6327a437b679153bfab60927c0d037e9309eb85848742497509b2ef38a0",
       R"(400 invalid field: source | must be "oci")"},
      {"H16", R"({"source":"oci","artifact":"ghcr.io/my/app:main"})", std::string(kSecret),
       "cf25f7bc195ce0c40e0adbd25cb94d5ba383cbb3f2246a0de54742487785bdfc", "400 invalid field: digest | is required"},
      {"H17", R"({"source":"oci","digest":"sha256:)" + std::string(kHex2) + "\"}", std::string(kSecret),
       "9663583f820377a53d2cf8dc06fef43db0048bd1d2421b037e33de45205b3f5a", "400 invalid field: artifact | is required"},
      {"H18", compact(upper, kArtifact1), std::string(kSecret),
       "6b35c354d547143e86c93a28a0aad4970c905c442223d5120fff07b3fe3391cd",
       "400 invalid field: digest | character 'F' at position 2 is not lowercase hexadecimal"},
      {"H19", R"({"source":"oci","digest":"sha256:7d6c7f8e)", std::string(kSecret),
       "54756a4ea71865f16831568a0d2e4749c7a03819a5d0ef0a2a4a8a64fc796335",
       "400 failed to parse payload | invalid JSON at byte 42: incomplete JSON"},
      {"H20", kPush, std::string(kSecret), "138ada2bf3d60a157213aacc96583e22ced64ca0faad9ff06f8cefb8891ef45b", kGit,
       "X-Hub-Signature-256"},
      {"H21", kDeletion, std::string(kSecret), "b3d792ef928140d531fa6abc97e100f8678cdff8299b173409f6e670f6b89288", kGit,
       "X-Hub-Signature-256"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.id);
    Bench bench({.senders = {.secret = Secret(row.secret)}});
    EXPECT_EQ(told(bench.send(row.body, {{row.header, row.signature}})), row.told);
  }
}

TEST(WebhookEndpoint, IsNotThereWithoutASecret) {  // webhook/A1
  Bench without({.senders = {}}), with;
  for (const std::string_view path : {"/v1/webhook", "/v1/webhook/prod"}) {
    EXPECT_FALSE(without.endpoint.serves(path));
    EXPECT_TRUE(with.endpoint.serves(path));
  }
}

TEST(WebhookEndpoint, LetsItsSendersBeChanged) {  // reliability/P21
  Bench bench;
  const auto known_by = [&](const std::string& secret) {
    const auto mac = HmacSha256(Secret(secret)).sign("{}");
    const auto hex = to_hex({reinterpret_cast<const char*>(mac.data()), mac.size()});
    return bench.send("{}", {{"X-Doco-OCI-Signature-256", "sha256=" + hex}})->status != 401;
  };
  const std::string first(kSecret), second = "the next one";
  bench.endpoint.use(bench.endpoint.gate_for({.secret = Secret(second), .previous = Secret(first)}));
  EXPECT_TRUE(known_by(first));
  EXPECT_TRUE(known_by(second));
  bench.endpoint.use(bench.endpoint.gate_for({.secret = Secret(second)}));
  EXPECT_FALSE(known_by(first));
  EXPECT_TRUE(known_by(second));
  bench.endpoint.use(bench.endpoint.gate_for({}));
  EXPECT_FALSE(bench.endpoint.serves("/v1/webhook"));
}

TEST(WebhookEndpoint, NeverLooksAtTheContentType) {  // webhook/A10
  Bench bench;
  const auto body = compact(kHex2, kArtifact2), form = "payload=" + compact(kHex2, kArtifact2);
  const HttpHeader form_type{"Content-Type", "application/x-www-form-urlencoded"};
  EXPECT_EQ(told(bench.send(body, {form_type, {"X-Doco-OCI-Signature-256", hmac(body)}})), kAccepted);
  EXPECT_EQ(told(bench.send(form, {form_type, {"X-Doco-OCI-Signature-256", hmac(form)}})).substr(0, 27),
            "400 failed to parse payload");
}

TEST(WebhookEndpoint, MakesAJobOfThePayload) {
  Bench bench;
  bench.path = "/v1/webhook/prod";
  ASSERT_EQ(told(bench.send_signed(compact(kHex4, kArtifact4))), kAccepted);
  ASSERT_EQ(bench.queue.jobs.size(), 1u);
  const auto& [id, job] = bench.queue.jobs[0];
  EXPECT_NE(bench.answered->body.find("\"job_id\":\"" + id + "\""), std::string::npos);
  EXPECT_EQ(job.trigger, Trigger::webhook);
  EXPECT_EQ(job.artifact, kArtifact4);
  EXPECT_EQ(job.source_id, "registry.example.com:5000/internal/deployment-config");
  EXPECT_EQ(job.repository, "internal/deployment-config");
  EXPECT_EQ(job.ref, "v1.0.0");
  EXPECT_FALSE(job.ref_is_digest);
  EXPECT_EQ(job.digest->str(), "sha256:" + std::string(kHex4));
  EXPECT_EQ(job.target, "prod");
  EXPECT_EQ(job.deployments, "") << "inline deployments are for polls";  // config 5
  EXPECT_TRUE(bench.queue.records.empty());
}

// webhook 4: what a request with several faults is told
TEST(WebhookEndpoint, ChecksInAFixedOrder) {
  Bench bench;
  bench.path = "/v1/webhook/-bad";
  auto request = bench.request("", {});
  request.method = "PUT";
  request.body_fault = BodyFault::too_large;
  EXPECT_EQ(told(bench.send(request)), "405 invalid http method | invalid http method");
  EXPECT_EQ(bench.answered->headers.at(1).name + bench.answered->headers.at(1).value, "AllowPOST");
  request.method = "POST";
  EXPECT_EQ(told(bench.send(request)),
            "413 failed to parse payload | failed to parse payload: http: request body too large");
  EXPECT_TRUE(bench.answered->close);
  request.body_fault = BodyFault::cut_off;
  EXPECT_EQ(told(bench.send(request)), "400 failed to parse payload | failed to parse payload: unexpected EOF");
  request.body_fault = BodyFault::timed_out;
  EXPECT_EQ(told(bench.send(request)), "408 failed to parse payload | failed to parse payload: i/o timeout");
  request.body_fault = BodyFault::none;
  EXPECT_EQ(told(bench.send(request)), "400 failed to parse payload | failed to parse payload: request body is empty");
  request.body = "no JSON";
  EXPECT_EQ(told(bench.send(request)), "400 missing signature or token header | missing signature or token header");
  request.headers = {{"X-Gitlab-Token", "wrong"}};
  EXPECT_EQ(told(bench.send(request)), "401 gitlab token verification failed | gitlab token verification failed");
  EXPECT_TRUE(bench.queue.records.empty());  // nobody we know (reliability/P14)

  request.headers = {{"X-Gitlab-Token", std::string(kSecret)}};
  EXPECT_EQ(told(bench.send(request)), "400 invalid target | must match ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$");
  request.path = "/v1/webhook/ok";
  EXPECT_EQ(told(bench.send(request)), "400 source type not enabled | git sources are not enabled, only oci");
  EXPECT_EQ(told(bench.send_signed("no JSON")).substr(0, 27), "400 invalid target | must m");
  ASSERT_EQ(bench.queue.records.size(), 3u);
  const auto& run = bench.queue.records[1];
  EXPECT_EQ(run.status, RunStatus::failed);
  EXPECT_EQ(run.repository, "unknown");
  EXPECT_EQ(run.target, "ok");
  EXPECT_EQ(run.message, "source type not enabled: git sources are not enabled, only oci");
  EXPECT_EQ(run.created_at, bench.clock.now());
  EXPECT_EQ(run.finished_at, bench.clock.now());
}

// webhook/R6, oci 16/22
TEST(WebhookEndpoint, HoldsTheAllowList) {
  Bench bench({.senders = {.secret = Secret(std::string(kSecret))},
               .allowed_artifacts = {"ghcr.io/my/*", "registry.example.com/**#prod"}});
  const auto body = compact(kHex2, kArtifact2);
  const auto kRefused =
      "403 artifact not allowed | registry.example.com/myorg/apps/app1/backend is not in OCI_ALLOWED_ARTIFACTS";
  EXPECT_EQ(told(bench.send_signed(body)), kRefused);
  ASSERT_EQ(bench.queue.records.size(), 1u);
  EXPECT_EQ(bench.queue.records[0].repository, "myorg/apps/app1/backend");
  EXPECT_EQ(bench.queue.records[0].source, "registry.example.com/myorg/apps/app1/backend");
  EXPECT_EQ(bench.queue.records[0].revision, "latest (sha256:" + std::string(kHex2) + ")");
  bench.path = "/v1/webhook/prod";
  EXPECT_EQ(told(bench.send_signed(body)), kAccepted);
  EXPECT_EQ(told(bench.send_signed(compact(kHex2, kArtifact1))), kAccepted);
}

// webhook/R8, K6
TEST(WebhookEndpoint, SaysWhenTheQueueRefuses) {
  const std::tuple<JobQueue::Refusal, std::string_view, std::string_view> kRows[] = {
      {JobQueue::Refusal::full, "503 job queue is full | retry later", "job queue is full: retry later"},
      {JobQueue::Refusal::stopping, "503 shutting down | retry later", "shutting down: retry later"},
      {JobQueue::Refusal::cannot_persist, "503 cannot persist job | no space left",
       "cannot persist job: no space left"},
  };
  for (const auto& [refusal, answer, message] : kRows)
    for (const std::string query : {"", "wait=true"}) {
      Bench bench;
      bench.query = query;
      bench.queue.refusal = refusal;
      bench.queue.reason = "no space left";
      EXPECT_EQ(told(bench.send_signed(compact(kHex2, kArtifact2))), answer);
      EXPECT_EQ(bench.answered->headers.at(1).name + bench.answered->headers.at(1).value, "Retry-After30");
      ASSERT_EQ(bench.queue.records.size(), 1u);
      EXPECT_EQ(bench.queue.records[0].message, message);
      EXPECT_EQ(bench.queue.records[0].repository, "myorg/apps/app1/backend");
    }
}

// webhook/Q1 to Q5
TEST(WebhookEndpoint, WaitsOnlyWhenAskedTo) {
  const std::pair<std::string_view, bool> kRows[] = {
      {"", false},
      {"wait=", false},
      {"wait=true", true},
      {"wait=TRUE", true},
      {"wait=True", true},
      {"wait=1", true},
      {"wait=0", false},
      {"wait=yes", false},
      {"wait=t", false},
      {"wait=%zz", false},
      {"x=1&wait=1", true},
      {"wait", false},
      {"wait=false&wait=true", false},
      {"wait=true&wait=false", true},
  };
  for (const auto& [query, waits] : kRows) {
    SCOPED_TRACE(query);
    Bench bench;
    bench.query = query;
    EXPECT_EQ(told(bench.send_signed(compact(kHex2, kArtifact2))), waits ? "not answered" : kAccepted);
  }
}

// webhook/R21, R25 to R34
TEST(WebhookEndpoint, TellsWhoWaitsHowTheJobEnded) {
  const std::pair<JobOutcome, std::string_view> kRows[] = {
      {{.message = "job completed successfully"}, "201 job completed successfully"},
      {{.message = "job completed successfully: 2 deployed, 1 skipped"},
       "201 job completed successfully: 2 deployed, 1 skipped"},
      {JobOutcome::skipped("web: no changes"), "200 job skipped: web: no changes"},
      {JobOutcome::skipped("superseded by 0198"), "200 job skipped: superseded by 0198"},
      {JobOutcome::failed(FailedStep::repository, "invalid repository name: a/.., contains '..'"),
       "400 invalid repository name | invalid repository name: a/.., contains '..'"},
      {JobOutcome::failed(FailedStep::path, "no"), "400 failed to verify and sanitize internal filesystem path | no"},
      {JobOutcome::failed(FailedStep::daemon_mode, "no"),
       "500 failed to check if docker host is running in swarm mode | no"},
      {JobOutcome::failed(FailedStep::config, "no"), "500 failed to get deploy configuration | no"},
      {JobOutcome::failed(FailedStep::resolve, "no"), "500 failed to resolve oci artifact digest | no"},
      {JobOutcome::failed(FailedStep::trust, "no"), "500 failed OCI signature verification | no"},
      {JobOutcome::failed(FailedStep::pull, "no"), "500 failed to pull oci artifact | no"},
      {JobOutcome::failed(FailedStep::deployment, "web: a\ndb: b"), "500 deployment failed | web: a\ndb: b"},
      {JobOutcome::failed(FailedStep::interrupted, "interrupted by restart"),
       "500 interrupted by restart | interrupted by restart"},
  };
  for (const auto& [outcome, answer] : kRows) {
    SCOPED_TRACE(answer);
    Bench bench;
    bench.query = "wait=true";
    ASSERT_EQ(told(bench.send_signed(compact(kHex2, kArtifact2))), "not answered");
    bench.queue.end_last(outcome);
    EXPECT_EQ(told(bench.answered), answer);
  }
  Bench bench;
  bench.query = "wait=1";
  bench.send_signed(compact(kHex2, kArtifact2));
  bench.queue.end_last(JobOutcome::failed(FailedStep::internal, "std::bad_alloc"));
  EXPECT_EQ(told(bench.answered), "500 internal error | see log for job " + bench.queue.jobs[0].first);
}

// webhook/L4, reliability/P14: before authentication one line a second and address, afterwards one each
TEST(WebhookEndpoint, LogsLittleOfStrangers) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  FakeClock clock;
  FakeJobQueue queue;
  FakeTransport transport;
  WebhookEndpoint endpoint({.senders = {.secret = Secret(std::string(kSecret))}, .trusted_proxies = {"10.0.0.0/8"}},
                           queue, transport, clock, Log({.file_descriptor = pipe_ends[1]}));
  const auto send = [&](std::string peer, std::string forwarded_for, std::string signature) {
    endpoint.handle({.method = "POST",
                     .path = "/v1/webhook",
                     .headers = {{"X-Forwarded-For", forwarded_for}, {"X-Doco-OCI-Signature-256", signature}},
                     .body = "{}",
                     .peer = std::move(peer)},
                    [](ServerResponse) {});
  };
  for (int port = 1; port <= 20; ++port) send("198.51.100.1:" + std::to_string(port), "", "wrong");
  send("10.0.0.1:7", "203.0.113.9", "wrong");
  clock.advance(std::chrono::seconds(1));
  send("198.51.100.1:21", "", "wrong");
  for (int i = 0; i < 2; ++i) send("198.51.100.1:99", "", hmac("{}"));
  ::close(pipe_ends[1]);
  std::string log(16384, '\0');
  log.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(pipe_ends[0], log.data(), log.size()))));
  ::close(pipe_ends[0]);

  std::vector<std::string> lines;
  for (const auto line : split(log, '\n')) {
    const auto parsed = parse_json(line);
    if (!parsed) continue;
    const auto& object = parsed->as_object();
    lines.push_back(std::string(text_of(object, "level")) + " " + std::string(text_of(object, "ip")) + " " +
                    std::string(text_of(object, "msg")) + " | " + std::string(text_of(object, "error")));
  }
  const std::vector<std::string> expected = {
      "error 198.51.100.1:1 incorrect secret key | HMAC verification failed",
      "error 203.0.113.9:7 incorrect secret key | HMAC verification failed",
      "error 198.51.100.1:21 incorrect secret key | HMAC verification failed",
      "error 198.51.100.1:99 invalid field: source | must be \"oci\"",
      "error 198.51.100.1:99 invalid field: source | must be \"oci\"",
  };
  EXPECT_EQ(lines, expected);
}

}  // namespace
}  // namespace windlass
