#include "sys/http_retry.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using namespace std::chrono_literals;

// oci 3.4, reliability/F41
TEST(Retry, IsForFaultsThatPass) {
  for (const int status : {408, 429, 499, 500, 502, 503, 504, 522}) EXPECT_TRUE(is_worth_a_retry(status)) << status;
  for (const int status : {200, 301, 400, 401, 403, 404, 501}) EXPECT_FALSE(is_worth_a_retry(status)) << status;
}

TEST(RetryAfter, IsSecondsOrADate) {
  const auto now = from_unix_us(784'111'777'000'000);  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(parse_retry_after("2", now), 2s);
  EXPECT_EQ(parse_retry_after(" 0 ", now), 0s);
  EXPECT_EQ(parse_retry_after("86400", now), 86400s);
  EXPECT_EQ(parse_retry_after("99999999999999999999", now), 86400s);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), 60s);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now + 1ms), 60s);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), 0s);
  EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now), 86400s);
  EXPECT_EQ(parse_retry_after("Mon, 01 Jan 0001 00:00:00 GMT", now), 0s);
  for (const auto* text : {"", "soon", "-1", "1.5", "2 s", "Sun, 06 Nov 1994"})
    EXPECT_EQ(parse_retry_after(text, now), std::nullopt) << text;
}

TEST(Backoff, GrowsToItsLimitWithFullJitter) {
  for (int round = 0; round < 40; ++round) {
    const auto most = std::min<std::chrono::milliseconds>(500ms * (1 << std::min(round, 10)), 30s);
    for (int i = 0; i < 20; ++i) {
      const auto wait = backoff(round, 500ms, 30s);
      EXPECT_GE(wait, 0ms);
      EXPECT_LE(wait, most);
    }
  }
}

}  // namespace
}  // namespace windlass
