#include "reconcile/endings.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

struct EndingsTest : testing::Test {
  void tell(const std::string& action, const std::string& exit_code = "") {
    endings.hear({.action = action, .container_id = "c1", .attributes = {{"exitCode", exit_code}}});
  }
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
  tell("die", "0");
  EXPECT_FALSE(endings.has_finished("c1"));
  tell("start");
  tell("die", "0");
  EXPECT_TRUE(endings.has_finished("c1"));
  endings.forget("c1");
  EXPECT_FALSE(endings.has_finished("c1"));
}

}  // namespace
}  // namespace windlass
