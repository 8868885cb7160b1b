#include "reconcile/endings.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

struct EndingsTest : testing::Test {
  bool tell(const std::string& action, const std::string& exit_code = "") {
    return endings.hear({.action = action,
                         .container_id = "c1",
                         .attributes = {{"exitCode", exit_code}},
                         .time_ns = std::chrono::nanoseconds(now).count()});
  }
  std::chrono::seconds now{1'800'000'000};
  Endings endings;
};

TEST_F(EndingsTest, KnowsWhoHasFinished) {
  EXPECT_FALSE(endings.has_finished("c1"));
  tell("die", "0");
  EXPECT_TRUE(endings.has_finished("c1"));
  tell("start");
  EXPECT_FALSE(endings.has_finished("c1"));
  tell("die", "1");
  EXPECT_FALSE(endings.has_finished("c1"));
}

TEST_F(EndingsTest, DoesNotCallItFinishedWhenSomebodyStoppedIt) {
  tell("kill");
  endings.set_finished("c1");
  EXPECT_TRUE(tell("die", "0"));
  EXPECT_FALSE(endings.has_finished("c1"));
  tell("start");
  tell("kill");  // such as HUP, which it lived on with
  now += std::chrono::minutes(11);
  EXPECT_FALSE(tell("die", "0"));
  EXPECT_TRUE(endings.has_finished("c1"));
  endings.forget("c1");
  EXPECT_FALSE(endings.has_finished("c1"));
}

}  // namespace
}  // namespace windlass
