#include "secrets/secret_http.h"

#include <gtest/gtest.h>

#include "sys/fake_http.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

class SecretHttpTest : public ::testing::Test {
 protected:
  Result<HttpResponse> ask(HttpRequest request, std::chrono::milliseconds within = 10s) {
    return SecretHttp(transport, clock, {.tries = 3, .first_wait = 1ms}).ask(std::move(request), Deadline::in(within));
  }
  void answer(std::vector<Result<HttpResponse>> answers) {
    transport.answer = [answers, next = 0u](const HttpRequest&) mutable {
      return answers[std::min<std::size_t>(next++, answers.size() - 1)];
    };
  }

  FakeTransport transport;
  FakeClock clock;
};

TEST_F(SecretHttpTest, TriesAgainWhatMayPass) {
  for (const int status : {408, 425, 429, 500, 502, 503, 504}) {
    transport.asked.clear();
    answer({HttpResponse{.status = status}, fail(Kind::unavailable, "reset"), HttpResponse{.status = 200}});
    const auto response = ask({.url = "http://store.example/x"});
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(transport.asked.size(), 3u) << status;
  }
}

TEST_F(SecretHttpTest, TriesNothingElseAgain) {
  for (const int status : {200, 204, 400, 401, 403, 404, 409}) {
    transport.asked.clear();
    answer({HttpResponse{.status = status}});
    EXPECT_EQ(ask({.url = "http://store.example/x"})->status, status);
    EXPECT_EQ(transport.asked.size(), 1u) << status;
  }
  transport.asked.clear();
  answer({fail(Kind::denied, "certificate")});
  EXPECT_FALSE(ask({.url = "http://store.example/x"}));
  EXPECT_EQ(transport.asked.size(), 1u);
}

TEST_F(SecretHttpTest, GivesUpAfterTheLastTryOrAtTheDeadline) {
  answer({HttpResponse{.status = 503}});
  EXPECT_EQ(ask({.url = "http://store.example/x"})->status, 503);
  EXPECT_EQ(transport.asked.size(), 3u);
  transport.asked.clear();
  EXPECT_EQ(ask({.url = "http://store.example/x"}, 0ms)->status, 503);
  EXPECT_EQ(transport.asked.size(), 1u);
}

TEST_F(SecretHttpTest, WaitsNotLongerThanAMinuteBecauseTheStoreSaysSo) {
  answer({HttpResponse{.status = 429, .headers = {{"Retry-After", "61"}}}});
  EXPECT_EQ(ask({.url = "http://store.example/x"})->status, 429);
  EXPECT_EQ(transport.asked.size(), 1u);
  transport.asked.clear();
  answer({HttpResponse{.status = 429, .headers = {{"Retry-After", "0"}}}, HttpResponse{.status = 200}});
  EXPECT_EQ(ask({.url = "http://store.example/x"})->status, 200);
}

TEST_F(SecretHttpTest, FollowsRedirectsWithinTheOriginOnly) {
  const auto to = [](std::string place) { return HttpResponse{.status = 302, .headers = {{"Location", place}}}; };
  answer({to("/y?z=1"), HttpResponse{.status = 200}});
  EXPECT_EQ(ask({.url = "http://store.example/x"})->status, 200);
  EXPECT_EQ(transport.asked.back().url, "http://store.example/y?z=1");
  for (const auto* elsewhere : {"http://other.example/", "https://store.example/", "http://store.example:81/"}) {
    answer({to(elsewhere), HttpResponse{.status = 200}});
    transport.asked.clear();
    const auto response = ask({.url = "http://store.example/x"});
    ASSERT_FALSE(response) << elsewhere;
    EXPECT_EQ(response.error().kind, Kind::denied);
    EXPECT_EQ(transport.asked.size(), 1u);
  }
  answer({to("/x")});
  EXPECT_EQ(ask({.url = "http://store.example/x"}).error().message,
            "GET http://store.example/x: redirected without end or to no URL");
  EXPECT_EQ(ask({.method = "POST", .url = "http://store.example/x"})->status, 302);
}

TEST_F(SecretHttpTest, ReadsJsonOrSaysWhatCameInstead) {
  const auto ask_json = [&] {
    return SecretHttp(transport, clock, {.tries = 1})
        .ask_json({.url = "http://store.example/x?key=y"}, Deadline::in(1s));
  };
  answer({HttpResponse{.status = 200, .body = R"({"a":1})"}});
  EXPECT_EQ(*ask_json(), (json::value{{"a", 1}}));
  answer({HttpResponse{.status = 200, .body = "s3cret"}});
  EXPECT_EQ(ask_json().error().message, "GET http://store.example/x: the answer is not JSON");
  struct Row {
    int status;
    Kind kind;
  };
  for (const auto& [status, kind] :
       {Row{404, Kind::not_found}, Row{401, Kind::denied}, Row{403, Kind::denied}, Row{400, Kind::invalid},
        Row{429, Kind::unavailable}, Row{500, Kind::unavailable}}) {
    answer({HttpResponse{.status = status, .body = "s3cret"}});
    const auto value = ask_json();
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().kind, kind) << status;
    EXPECT_EQ(value.error().message, "GET http://store.example/x: status " + std::to_string(status));
  }
}

TEST(ForEachReference, KeepsTheOrder) {
  std::vector<std::string> references;
  for (int i = 0; i < 30; ++i) references.push_back(std::to_string(i));
  const auto results = for_each_reference(references, [](const std::string& reference) -> Result<Secret> {
    if (reference == "7") return fail(Kind::not_found, "seven");
    return Secret("v" + reference);
  });
  ASSERT_EQ(results.size(), 30u);
  EXPECT_EQ(results[29]->reveal(), "v29");
  EXPECT_EQ(results[7].error().message, "seven");
}

}  // namespace
}  // namespace windlass
