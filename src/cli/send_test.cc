#include "cli/send.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/secrets.h"
#include "sys/fake_http.h"

namespace windlass {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');
const Environment kEnvironment{{"WEBHOOK_SECRET", "s3cret"}, {"WEBHOOK_URL", "https://cd.example"}};

struct Ended {
  int code = 0;
  std::string out, err;
};

Ended run(const SendCommand& command, const Environment& environment, FakeTransport& transport) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = send(command, environment, transport);
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

Ended run(const SendCommand& command, const Environment& environment = kEnvironment) {
  FakeTransport transport;
  transport.answer = [](const HttpRequest&) {
    return HttpResponse{202, {}, R"({"content":"job accepted","job_id":"j-1"})"};
  };
  return run(command, environment, transport);
}

TEST(Send, PrintsTheJobAndEndsWell) {
  const auto ended = run({.reference = "r.example/app:1@" + kDigest});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out, "j-1\n");
  EXPECT_EQ(ended.err, "job accepted\n");
  EXPECT_EQ(run({.reference = "r.example/app:1", .digest = kDigest}).code, 0);
}

TEST(Send, EndsWithOneWhenTheServiceSaysNo) {
  FakeTransport transport;
  transport.answer = [](const HttpRequest&) { return HttpResponse{404, {}, "404 page not found\n"}; };
  const auto ended = run({.reference = "r.example/app:1@" + kDigest}, kEnvironment, transport);
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_TRUE(ended.err.starts_with("windlass send: POST https://cd.example/v1/webhook: 404: ")) << ended.err;
}

TEST(Send, WaitsForAServiceThatRestarts) {
  FakeTransport transport;
  int down = 10;
  transport.answer = [&](const HttpRequest&) -> Result<HttpResponse> {
    if (down-- > 0) return HttpResponse{503, {{"Retry-After", "0"}}, ""};  // without a pause, for the test
    return HttpResponse{201, {}, R"({"content":"job completed successfully","job_id":"j-1"})"};
  };
  const SendCommand command{.reference = "r.example/app:1@" + kDigest, .notify = {.waits = true}};
  EXPECT_EQ(run(command, kEnvironment, transport).code, 0);
  EXPECT_EQ(transport.asked.size(), 11u);
  transport.asked.clear();
  down = 100;
  EXPECT_EQ(run(command, kEnvironment, transport).code, 1);
  EXPECT_EQ(transport.asked.size(), 16u);
}

TEST(Send, EndsWithTwoForWrongUsage) {
  const struct {
    SendCommand command;
    Environment environment;
    std::string said;
  } rows[] = {
      {{.reference = "r.example/app:1"}, kEnvironment, "r.example/app:1 has no digest: give REF@DIGEST or --digest"},
      {{.reference = "r.example/app:1", .digest = "sha256:abc"},
       kEnvironment,
       "--digest: sha256 needs 64 hex characters, got 3"},
      {{.reference = "r.example/app:1@" + kDigest, .digest = "sha256:" + std::string(64, 'b')},
       kEnvironment,
       "--digest differs from the digest in the reference"},
      {{.reference = "r.example/app:1@" + kDigest},
       {{"WEBHOOK_SECRET", "s"}},
       "no URL of a webhook: give --url or WEBHOOK_URL"},
      {{.reference = "r.example/app:1@" + kDigest, .notify = {.target = "-x"}},
       kEnvironment,
       "target '-x' must match ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"},
      {{.reference = "r.example/app:1@" + kDigest},
       {{"WEBHOOK_URL", "https://cd.example"}},
       "webhook secret: no webhook secret: give --secret-file FILE (- is standard input), WEBHOOK_SECRET or "
       "WEBHOOK_SECRET_FILE"},
      {{.reference = "r.example/app:1@" + kDigest, .notify = {.secret_file = "/gone"}},
       kEnvironment,
       "webhook secret: reading /gone: no such file or directory"},
  };
  for (const auto& row : rows) {
    const auto ended = run(row.command, row.environment);
    EXPECT_EQ(ended.code, 2);
    EXPECT_EQ(ended.err, "windlass send: " + row.said + "\n");
  }
}

TEST(WebhookSecret, ComesFromAFileOrTheEnvironment) {  // webhook/A3, A4
  char folder[] = "/tmp/windlass-secret-XXXXXX";
  const std::filesystem::path place = ::mkdtemp(folder);
  std::ofstream(place / "secret") << "  from-file\n";
  std::ofstream(place / "empty") << " \n";
  const auto text = [](const Result<Secret>& secret) { return secret ? secret->reveal() : secret.error().message; };
  EXPECT_EQ(text(webhook_secret(place / "secret", {{"WEBHOOK_SECRET", "other"}})), "from-file");
  EXPECT_EQ(text(webhook_secret("", {{"WEBHOOK_SECRET", " as it is "}})), " as it is ");
  EXPECT_EQ(text(webhook_secret("", {{"WEBHOOK_SECRET_FILE", place / "secret"}})), "from-file");
  EXPECT_EQ(text(webhook_secret(place / "empty", {})), (place / "empty").string() + " is empty");
  std::filesystem::remove_all(place);
}

}  // namespace
}  // namespace windlass
