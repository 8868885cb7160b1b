#include "sys/rate_limit.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using namespace std::chrono_literals;

TEST(RateLimit, CountsByAddressAndWindow) {
  FakeClock clock;
  RateLimit limit(2, 1s);
  EXPECT_TRUE(limit.count("a", clock.steady_now()));
  EXPECT_FALSE(limit.is_exhausted("a", clock.steady_now()));
  EXPECT_TRUE(limit.count("a", clock.steady_now()));
  EXPECT_TRUE(limit.is_exhausted("a", clock.steady_now()));
  EXPECT_FALSE(limit.count("a", clock.steady_now()));
  EXPECT_TRUE(limit.count("b", clock.steady_now()));
  clock.advance(1s);
  EXPECT_FALSE(limit.is_exhausted("a", clock.steady_now()));
  EXPECT_TRUE(limit.count("a", clock.steady_now()));
}

TEST(RateLimit, CountsAnIpv6AddressWithItsNetwork) {
  FakeClock clock;
  RateLimit limit(1, 1s);
  EXPECT_TRUE(limit.count("2001:db8::1", clock.steady_now()));
  EXPECT_FALSE(limit.count("[2001:db8:0:0:ffff::2]", clock.steady_now()));
  EXPECT_TRUE(limit.count("2001:db8:0:1::1", clock.steady_now()));
  EXPECT_TRUE(limit.count("::ffff:192.0.2.1", clock.steady_now()));
  EXPECT_TRUE(limit.count("::ffff:192.0.2.2", clock.steady_now()));
}

TEST(RateLimit, TellsApartWhatFollowsAnAddress) {
  FakeClock clock;
  RateLimit limit(1, 1s);
  EXPECT_TRUE(limit.count("192.0.2.1 by 10.0.0.1", clock.steady_now()));
  EXPECT_FALSE(limit.count("192.0.2.1 by 10.0.0.1", clock.steady_now()));
  EXPECT_TRUE(limit.count("192.0.2.1 by 10.0.0.2", clock.steady_now()));
  EXPECT_TRUE(limit.count("192.0.2.1", clock.steady_now()));
  EXPECT_TRUE(limit.count("[2001:db8::1] by [::1]", clock.steady_now()));
  EXPECT_FALSE(limit.count("[2001:db8::2] by [::1]", clock.steady_now())) << "its network";
  EXPECT_TRUE(limit.count("2001:db8::2", clock.steady_now()));
}

TEST(RateLimit, LetsAFloodOfAddressesShareOneWindow) {
  FakeClock clock;
  RateLimit limit(1, 1s);
  int allowed = 0;
  for (int i = 0; i < 10'000; ++i) allowed += limit.count(std::to_string(i), clock.steady_now());
  EXPECT_EQ(allowed, 4097);
  EXPECT_TRUE(limit.is_exhausted("somebody new", clock.steady_now()));
  EXPECT_FALSE(limit.has_exhausted_its_own("somebody new", clock.steady_now()));
  EXPECT_TRUE(limit.has_exhausted_its_own("0", clock.steady_now()));
  clock.advance(1s);
  EXPECT_TRUE(limit.count("somebody new", clock.steady_now()));
}

}  // namespace
}  // namespace windlass
