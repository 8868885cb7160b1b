#include "secrets/openbao_token.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <thread>

namespace windlass {
namespace {

using namespace std::chrono_literals;

class OpenbaoTokenTest : public ::testing::Test {
 protected:
  std::chrono::seconds tend() { return token.tend(Deadline::in(10s)); }
  void token_has(int left, int whole, bool is_renewable) {
    lookup = fmt::format(R"({{"data":{{"ttl":{},"creation_ttl":{},"renewable":{}}}}})", left, whole, is_renewable);
  }

  std::string lookup, renewal = R"({"auth":{"lease_duration":3000,"renewable":true}})";  // "": 403
  std::vector<std::string> asked;
  OpenbaoToken token{[this](std::string_view method, const std::string& path, const Deadline&) -> Result<json::value> {
                       asked.push_back(std::string(method) + " " + path);
                       const auto& answer = method == "GET" ? lookup : renewal;
                       if (answer.empty()) return fail(Kind::denied, "status 403");
                       return parse_json(answer);
                     },
                     Log({.level = LogLevel::critical})};
};

TEST_F(OpenbaoTokenTest, IsRenewedWhenTwoThirdsOfItsLifeAreOver) {
  token_has(3000, 3600, true);
  EXPECT_EQ(tend(), 1800s);
  token_has(1201, 3600, true);
  EXPECT_EQ(tend(), 10s);
  EXPECT_EQ(asked, (std::vector<std::string>{"GET auth/token/lookup-self", "GET auth/token/lookup-self"}));
  token_has(1200, 3600, true);
  asked.clear();
  EXPECT_EQ(tend(), 2000s);
  EXPECT_EQ(asked, (std::vector<std::string>{"GET auth/token/lookup-self", "POST auth/token/renew-self"}));
}

TEST_F(OpenbaoTokenTest, IsLookedAtOnceAnHourAtLeast) {
  token_has(2'000'000, 2'764'800, true);
  EXPECT_EQ(tend(), 1h);
  token_has(0, 0, false);  // a root token
  EXPECT_EQ(tend(), 1h);
  token_has(60, 3600, false);
  EXPECT_EQ(tend(), 1h);
  EXPECT_EQ(asked.size(), 3u);
}

TEST_F(OpenbaoTokenTest, IsTriedAgainSoonAfterAFault) {
  EXPECT_EQ(tend(), 5min);
  lookup = "[]";
  EXPECT_EQ(tend(), 5min);
  token_has(90, 3600, true);
  renewal = "";
  EXPECT_EQ(tend(), 30s);
}

TEST_F(OpenbaoTokenTest, IsTendedByOneThreadThatEndsWithIt) {
  std::atomic<int> looks = 0;
  {
    OpenbaoToken tended(
        [&](std::string_view, const std::string&, const Deadline&) -> Result<json::value> {
          ++looks;
          return parse_json(R"({"data":{"ttl":0}})");
        },
        Log({.level = LogLevel::critical}));
    tended.start();
    tended.start();
    for (int i = 0; i < 500 && looks == 0; ++i) std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(looks, 1);
}

TEST_F(OpenbaoTokenTest, IsTendedByAThreadThatOutlivesAnException) {  // reliability/F67
  std::atomic<bool> is_asked = false;
  OpenbaoToken throwing(
      [&](std::string_view, const std::string&, const Deadline&) -> Result<json::value> {
        is_asked = true;
        throw std::bad_alloc();
      },
      Log({.level = LogLevel::critical}));
  throwing.start();
  for (int i = 0; i < 500 && !is_asked; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(is_asked);
}

}  // namespace
}  // namespace windlass
