#include "cli/webhook_call.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sys/fake_http.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

// H6 of webhook 16: artifact, digest, body and signature are pinned by the specification.
const std::string kArtifact = "registry.example.com/myorg/apps/app1/backend:latest";
const std::string kHex = "1f2e3d4c5b6a79808f7e6d5c4b3a2910ffeeddccbbaa99887766554433221100";
const std::string kJob = "019a0000-0000-7000-8000-000000000000";

class WebhookCallTest : public testing::Test {
 protected:
  WebhookCall call{
      .url = "https://cd.example", .target = "", .artifact = kArtifact, .digest = Digest::of_sha256_hex(kHex)};
  FakeTransport transport;
  std::vector<std::string> said;

  std::string send(const WebhookRetries& retries = {.attempts_max = 3, .backoff_base = 1ms, .backoff_max = 2ms}) {
    const auto outcome = call_webhook(
        call, Secret("your-webhook-secret"), transport, retries, [&](auto line) { said.emplace_back(line); },
        Deadline::in(10s));
    return outcome ? outcome->message + ", " + outcome->job_id
                   : fmt::format("{}: {}", to_string(outcome.error().kind), outcome.error().message);
  }
  void answers(int status, const std::string& body, std::vector<HttpHeader> headers = {}) {
    transport.answer = [=](const HttpRequest&) { return HttpResponse{status, headers, body}; };
  }
  static std::string body(const std::string& error, const std::string& content) {
    return fmt::format(R"({{{}"content":"{}","job_id":"{}"}})",
                       error.empty() ? "" : fmt::format(R"("error":"{}",)", error), content, kJob);
  }
};

TEST_F(WebhookCallTest, SendsTheBodyAndSignatureOfTheSpecification) {
  answers(202, body("", "job accepted"));
  EXPECT_EQ(send(), "job accepted, " + kJob);
  ASSERT_EQ(transport.asked.size(), 1u);
  const auto& request = transport.asked[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://cd.example/v1/webhook");
  EXPECT_EQ(request.body.size(), 164u);
  EXPECT_EQ(request.body, fmt::format(R"({{"source":"oci","digest":"sha256:{}","artifact":"{}"}})", kHex, kArtifact));
  EXPECT_EQ(HttpResponse{.headers = request.headers}.header("X-Doco-OCI-Signature-256"),
            "sha256=62c8fff251e8a8d6d485ca90fd572772a43922f32dab86efa62b19d8640c1c4e");
  EXPECT_TRUE(request.tls.verify);
}

TEST_F(WebhookCallTest, KnowsTheEndpointByTheUrlOfTheService) {
  const struct {
    const char *url, *target;
    bool waits;
    const char* asked;
  } rows[] = {
      {"https://cd.example", "", false, "https://cd.example/v1/webhook"},
      {"http://cd.example:8088/", "", true, "http://cd.example:8088/v1/webhook?wait=true"},
      {"https://cd.example", "prod", false, "https://cd.example/v1/webhook/prod"},
      {"https://cd.example/v1/webhook/", "prod", true, "https://cd.example/v1/webhook/prod?wait=true"},
      {"https://example.com/cd/hook", "", false, "https://example.com/cd/hook"},
      {"ftp://cd.example", "", false, "'ftp://cd.example': URL must begin with http:// or https://"},
      {"https://user:pass@cd.example", "", false,
       "'https://user:pass@cd.example': URL must not carry a user name or password"},
      {"https://cd.example/?x=1", "", false, "https://cd.example/: a query is not expected"},
  };
  for (const auto& row : rows) {
    call.url = row.url;
    call.target = row.target;
    call.waits = row.waits;
    const auto url = webhook_url(call);
    EXPECT_EQ(url ? *url : url.error().message, row.asked);
  }
}

// Each answer of webhook 11, and of what may stand in front of the service.
TEST_F(WebhookCallTest, SaysWhatTheAnswerMeans) {
  const struct {
    int status;
    std::string body, said;
    std::size_t asked = 1;
  } rows[] = {
      {201, body("", "job completed successfully"), "job completed successfully, " + kJob},
      {200, body("", "job skipped: superseded"), "job skipped: superseded, " + kJob},
      {200, "<html>welcome</html>",
       "invalid: POST https://cd.example/v1/webhook: 200 without a job id: that is not the webhook endpoint of "
       "windlass"},
      {400, body("invalid field: digest", "is required"),
       "invalid: POST https://cd.example/v1/webhook: 400: invalid field: digest: is required (job " + kJob + ")"},
      {401, body("incorrect secret key", "HMAC verification failed"),
       "denied: POST https://cd.example/v1/webhook: 401: incorrect secret key: HMAC verification failed: the secret is "
       "not that of the service (job " +
           kJob + ")"},
      {403, body("artifact not allowed", "r.example/a is not in OCI_ALLOWED_ARTIFACTS"),
       "denied: POST https://cd.example/v1/webhook: 403: artifact not allowed: r.example/a is not in "
       "OCI_ALLOWED_ARTIFACTS (job " +
           kJob + ")"},
      {404, "404 page not found\n",
       "not_found: POST https://cd.example/v1/webhook: 404: no webhook endpoint there: is the path right, and does the "
       "service have a WEBHOOK_SECRET?"},
      {500, body("deployment failed", "web is unhealthy"),
       "invalid: POST https://cd.example/v1/webhook: 500: deployment failed: web is unhealthy (job " + kJob + ")"},
      {500, body("deployment failed", "web is unhealthy\\ndb: \\u001b[2J"),
       "invalid: POST https://cd.example/v1/webhook: 500: deployment failed: web is unhealthy\ndb: \\x1b[2J (job " +
           kJob + ")"},
      {503, body("shutting down", "retry later"),
       "unavailable: POST https://cd.example/v1/webhook: 503: shutting down: retry later (job " + kJob + ")", 3},
      {502, "bad gateway", "unavailable: POST https://cd.example/v1/webhook: 502", 3},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.status);
    transport.asked.clear();
    answers(row.status, row.body);
    EXPECT_EQ(send(), row.said);
    EXPECT_EQ(transport.asked.size(), row.asked);
  }
}

TEST_F(WebhookCallTest, DoesNotTakeAnotherDeploymentForItsOwn) {
  const struct {
    bool waits;
    std::string content, said;
  } rows[] = {
      {false, "job skipped: superseded by 0198", "job skipped: superseded by 0198, " + kJob},
      {true, "job skipped: superseded by 0198",
       "conflict: POST https://cd.example/v1/webhook: job skipped: superseded by 0198 (job " + kJob + ")"},
      {true, "job skipped: superseded: main now points to sha256:b",
       "conflict: POST https://cd.example/v1/webhook: job skipped: superseded: main now points to sha256:b (job " +
           kJob + ")"},
      {true, "job skipped: no changes", "job skipped: no changes, " + kJob},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.content);
    call.waits = row.waits;
    answers(200, body("", row.content));
    EXPECT_EQ(send(), row.said);
  }
}

TEST_F(WebhookCallTest, DoesNotFollowARedirect) {
  answers(301, "", {{"Location", "https://other.example/v1/webhook"}});
  EXPECT_EQ(send(),
            "invalid: POST https://cd.example/v1/webhook: 301: redirects to https://other.example/v1/webhook: "
            "give the URL where it answers");
}

TEST_F(WebhookCallTest, TriesAgainUntilTheServiceIsBack) {
  int asked = 0;
  transport.answer = [&](const HttpRequest&) -> Result<HttpResponse> {
    if (++asked == 1) return fail(Kind::unavailable, "POST https://cd.example/v1/webhook: cannot connect");
    if (asked == 2) return HttpResponse{503, {{"Retry-After", "0"}}, body("job queue is full", "retry later")};
    return HttpResponse{202, {}, body("", "job accepted")};
  };
  EXPECT_EQ(send(), "job accepted, " + kJob);
  ASSERT_EQ(said.size(), 2u);
  EXPECT_TRUE(said[0].starts_with("POST https://cd.example/v1/webhook: cannot connect; again in ")) << said[0];
  EXPECT_EQ(said[1], "POST https://cd.example/v1/webhook: 503: job queue is full: retry later (job " + kJob +
                         "); again in 0.0 s");
}

TEST_F(WebhookCallTest, DoesNotTryAgainWhatWouldNotHelp) {
  transport.answer = [](const HttpRequest&) -> Result<HttpResponse> {
    return fail(Kind::denied, "POST https://cd.example/v1/webhook: certificate not trusted");
  };
  EXPECT_EQ(send(), "denied: POST https://cd.example/v1/webhook: certificate not trusted");
  answers(503, "", {{"Retry-After", "3600"}});
  EXPECT_EQ(send(), "unavailable: POST https://cd.example/v1/webhook: 503");
  EXPECT_EQ(transport.asked.size(), 2u);
}

TEST_F(WebhookCallTest, WaitsAsLongAsTheDeploymentTakes) {
  call.waits = true;
  answers(201, body("", "job completed successfully"));
  send();
  EXPECT_GT(transport.asked[0].header_timeout, 9s);
}

TEST(ArtifactOf, IsTheTagWhereThereIsOne) {
  const auto digest = "@sha256:" + kHex;
  EXPECT_EQ(artifact_of(*Reference::parse("r.example/app:1" + digest)), "r.example/app:1");
  EXPECT_EQ(artifact_of(*Reference::parse("r.example/app")), "r.example/app:latest");
  EXPECT_EQ(artifact_of(*Reference::parse("r.example/app" + digest)), "r.example/app" + digest);
}

}  // namespace
}  // namespace windlass
