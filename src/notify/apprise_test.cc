#include "notify/apprise.h"

#include <gtest/gtest.h>

#include "sys/fake_http.h"
#include "sys/json.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

class AppriseTest : public ::testing::Test {
 protected:
  Status send(const Deadline& deadline = Deadline::in(10s)) {
    Apprise apprise({.api_url = "http://apprise:8000/notify",
                     .credentials = credentials_,
                     .urls = Secret("json://a,json://b"),
                     .pauses = {1ms, 4ms}},
                    transport_);
    return apprise.send(NotificationLevel::success, "✅ Done", "all\nwell", deadline);
  }
  void answer(int status, std::string body = "") {
    transport_.answer = [=](const HttpRequest&) { return HttpResponse{.status = status, .body = body}; };
  }

  FakeTransport transport_;
  Secret credentials_;
};

TEST_F(AppriseTest, SendsWhatThePageSays) {  // api/A3
  answer(200);
  ASSERT_TRUE(send());
  ASSERT_EQ(transport_.asked.size(), 1u);
  const auto& request = transport_.asked[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "http://apprise:8000/notify");
  ASSERT_EQ(request.headers.size(), 1u);
  EXPECT_EQ(request.headers[0].name, "Content-Type");
  EXPECT_EQ(request.headers[0].value, "application/json");
  EXPECT_EQ(request.body, R"({"urls":"json://a,json://b","title":"✅ Done","body":"all\nwell","type":"success"})");
}

TEST_F(AppriseTest, ShowsItsCredentials) {
  credentials_ = Secret("ops:pw");
  answer(204);
  ASSERT_TRUE(send());
  EXPECT_EQ(transport_.asked[0].headers[1].value, "Basic b3BzOnB3");
}

TEST_F(AppriseTest, IsContentWithAnySuccess) {  // api/A4
  for (const int status : {200, 201, 202, 204, 299}) {
    answer(status);
    EXPECT_TRUE(send()) << status;
  }
}

TEST_F(AppriseTest, TriesThreeTimes) {  // api/A6
  for (const int status : {424, 429, 500, 503}) {
    transport_.asked.clear();
    answer(status, R"({"error":"see https://x.example/secret"})");
    const auto sent = send();
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().message,
              "apprise answered " + std::to_string(status) + R"(: {"error":"see [REDACTED_URL]"})");
    EXPECT_EQ(transport_.asked.size(), 3u);
  }
}

TEST_F(AppriseTest, GoesOnAfterAFaultThatPassed) {
  transport_.answer = [this](const HttpRequest&) -> Result<HttpResponse> {
    if (transport_.asked.size() < 3) return fail(Kind::unavailable, "POST http://apprise:8000/notify: timeout");
    return HttpResponse{.status = 200};
  };
  EXPECT_TRUE(send());
  EXPECT_EQ(transport_.asked.size(), 3u);
}

TEST_F(AppriseTest, DoesNotInsistWhereItIsRefused) {
  for (const int status : {302, 400, 401, 404, 413}) {
    transport_.asked.clear();
    answer(status);
    const auto sent = send();
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().message, "apprise answered " + std::to_string(status));
    EXPECT_EQ(transport_.asked.size(), 1u);
  }
}

TEST_F(AppriseTest, GivesUpWhenItIsToStop) {
  std::stop_source stop;
  transport_.answer = [&](const HttpRequest&) -> Result<HttpResponse> {
    stop.request_stop();
    return fail(Kind::unavailable, "POST http://apprise:8000/notify: stopped");
  };
  const auto sent = send({.stop = stop.get_token()});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().message, "POST [REDACTED_URL] stopped");
  EXPECT_EQ(transport_.asked.size(), 1u);
}

}  // namespace
}  // namespace windlass
