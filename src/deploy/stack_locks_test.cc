#include "deploy/stack_locks.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace windlass {
namespace {

using namespace std::chrono_literals;

TEST(StackLocks, LetOneJobAtATimeToAStack) {  // reliability/P4
  StackLocks locks;
  std::atomic<int> inside = 0, most = 0;
  std::vector<std::jthread> jobs;
  for (int i = 0; i < 8; ++i)
    jobs.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        auto held = locks.take({{"b"}, {"a"}}, Deadline::in(10s));
        ASSERT_TRUE(held);
        most = std::max(most.load(), ++inside);
        --inside;
      }
    });
  jobs.clear();
  EXPECT_EQ(most, 1);
}

TEST(StackLocks, GiveUpAtTheDeadline) {  // deploy/K6
  StackLocks locks;
  auto held = locks.take({{"a"}}, Deadline::in(1s));
  auto refused = locks.take({{"a"}}, Deadline::in(5ms));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "gave up waiting for stack a, which another job deploys");
  EXPECT_TRUE(locks.take({{"b"}}, Deadline::in(5ms)));
}

TEST(StackLocks, TellOfAWaitThatTakesLonger) {  // webhook/C3
  StackLocks locks;
  std::vector<std::string> told;
  const auto tell = [&](const StackId& stack) { told.push_back(stack.str()); };
  auto held = locks.take({{"b"}}, Deadline::in(1s), tell);
  EXPECT_TRUE(told.empty()) << "it was free";
  EXPECT_FALSE(locks.take({{"a"}, {"b"}, {"c"}}, Deadline::in(50ms), tell));
  EXPECT_EQ(told, std::vector<std::string>{"b"});
}

TEST(StackLocks, TellStacksOfOneNameByTheirEngines) {  // deploy/K3
  StackLocks locks;
  auto held = locks.take({{"a"}}, Deadline::in(1s));
  EXPECT_TRUE(locks.take({{"a", "edge"}}, Deadline::in(5ms)));
  EXPECT_FALSE(locks.is_free({"a"}));
  EXPECT_TRUE(locks.is_free({"a", "edge"}));
}

TEST(StackLocks, AreFreeAgainAfterAWaiterGaveUp) {
  StackLocks locks;
  {
    auto held = locks.take({{"a"}}, Deadline::in(1s));
    (void)locks.take({{"a"}}, Deadline::in(1ms));
  }
  EXPECT_TRUE(locks.take({{"a"}}, Deadline::in(1s)));
}

}  // namespace
}  // namespace windlass
