#include "reconcile/backlog.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

class BacklogTest : public ::testing::Test {
 protected:
  static Backlog::Entry of(const std::string& stack, const std::string& container, const std::string& event = "die") {
    return {.occurrence = {
                .stack = {stack}, .service = "web", .container_id = container, .container = container, .event = event}};
  }
  // All that can be given out now.
  Lines due() {
    Lines lines;
    std::stop_source soon;
    const std::jthread stopping([&] {
      std::this_thread::sleep_for(20ms);
      soon.request_stop();
    });
    while (auto entry = backlog_.next(soon.get_token()))
      lines.push_back(entry->occurrence.stack.str() + " " + entry->occurrence.container_id + " " +
                      entry->occurrence.event);
    return lines;
  }

  FakeClock clock_;
  StackLocks locks_;
  Backlog backlog_{locks_, clock_, 1ms};
};

TEST_F(BacklogTest, GivesOneThingOfAStackAtATime) {
  for (const auto* container : {"a1", "a2"}) backlog_.add(of("a", container), 0ms);
  backlog_.add(of("b", "b1"), 0ms);
  EXPECT_EQ(due(), (Lines{"a a1 die", "b b1 die"}));
  backlog_.done({"a"});
  EXPECT_EQ(due(), Lines{"a a2 die"});
  backlog_.done({"a"});
  EXPECT_EQ(due(), Lines{});
}

TEST_F(BacklogTest, WaitsForTheEndOfADeployment) {
  backlog_.add(of("a", "a1"), 0ms);
  {
    const auto held = locks_.take({{"a"}}, Deadline::in(1s));
    EXPECT_EQ(due(), Lines{});
  }
  EXPECT_EQ(due(), Lines{"a a1 die"});
}

TEST_F(BacklogTest, KeepsAnEventOnceAndGivesItWhenItIsDue) {
  backlog_.add(of("a", "a1"), 10s);
  backlog_.add(of("a", "a1"), 20s);
  EXPECT_EQ(due(), Lines{});
  clock_.advance(10s);
  EXPECT_EQ(due(), Lines{"a a1 die"});
  backlog_.done({"a"});
  clock_.advance(10s);
  EXPECT_EQ(due(), Lines{});
}

TEST_F(BacklogTest, HasABound) {
  for (std::size_t i = 0; i < Backlog::kKeptMax; ++i) ASSERT_TRUE(backlog_.add(of("a", std::to_string(i)), 1h));
  EXPECT_FALSE(backlog_.add(of("a", "one more"), 1h));
  EXPECT_TRUE(backlog_.add(of("a", "0"), 1h));
}

}  // namespace
}  // namespace windlass
