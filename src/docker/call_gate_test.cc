#include "docker/call_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace windlass {
namespace {

using namespace std::chrono_literals;

TEST(CallGate, LetsNobodyWaitBehindCallsThatDoNotEnd) {
  CallGate gate(2, 50ms);
  std::optional first = gate.enter(Deadline::in(5s));
  const auto second = gate.enter(Deadline::in(5s));
  ASSERT_TRUE(*first && second);
  const auto third = gate.enter(Deadline::in(60s));
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().kind, Kind::unavailable);
  EXPECT_EQ(third.error().message, "2 calls wait for its answer already");
  first.reset();
  EXPECT_TRUE(gate.enter(Deadline::in(5s)));
}

TEST(CallGate, WaitsForItsTurnAsLongAsCallsEnd) {
  CallGate gate(1, 300ms);
  std::atomic<int> done = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 10; ++i)
    threads.emplace_back([&] {
      const auto call = gate.enter(Deadline::in(60s));
      if (!call) return;
      std::this_thread::sleep_for(50ms);
      ++done;
    });
  threads.clear();
  EXPECT_EQ(done, 10);
}

TEST(CallGate, EndsWithItsDeadlineAndWhenItIsStopped) {
  CallGate gate(1, 60s);
  const auto held = gate.enter(Deadline::in(5s));
  EXPECT_FALSE(gate.enter(Deadline::in(10ms)));
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  EXPECT_FALSE(gate.enter(Deadline::in(60s, stop.get_token())));
}

}  // namespace
}  // namespace windlass
