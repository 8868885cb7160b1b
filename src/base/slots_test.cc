#include "base/slots.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace windlass {
namespace {

using namespace std::chrono_literals;

TEST(Slots, AreGivenToSoManyAtOnce) {
  Slots slots(2, "a place");
  std::atomic<int> running = 0, most = 0, done = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        const auto slot = slots.take(Deadline::in(10s));
        ASSERT_TRUE(slot);
        const int now = ++running;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) continue;
        std::this_thread::sleep_for(5ms);
        --running;
        ++done;
      });
  }
  EXPECT_EQ(done, 8);
  EXPECT_EQ(most, 2);
}

// reliability/P12
TEST(Slots, AreNotWaitedForLongerThanTheDeadline) {
  Slots slots(1, "a place");
  const auto held = slots.take(Deadline::in(1s));
  ASSERT_TRUE(held);
  const auto none = slots.take(Deadline::in(10ms));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "gave up waiting for a place");
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(10ms);
    stop.request_stop();
  });
  EXPECT_FALSE(slots.take(Deadline::in(60s, stop.get_token())));
}

}  // namespace
}  // namespace windlass
