#include "reconcile/restart_log.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace windlass {
namespace {

using namespace std::chrono_literals;

class RestartLogTest : public ::testing::Test {
 protected:
  RestartLogTest() {
    std::string name = (std::filesystem::temp_directory_path() / "restart_log_test.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    open();
  }
  ~RestartLogTest() override {
    restarts_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    restarts_.reset();
    restarts_ = RestartLog::open(Db::open(folder_ / "state.db").value(), now_).value();
  }
  // "yes", "no" or "no, which is news"
  std::string may(const std::string& service = "web") {
    const auto verdict = restarts_->ask({"shop"}, service, rule_, now_).value();
    return verdict.is_allowed ? "yes" : verdict.is_news ? "no, which is news" : "no";
  }

  std::filesystem::path folder_;
  ReconciliationRule rule_{.restart_limit = 2, .restart_window_seconds = 300};
  WallTime now_ = from_unix_us(1'800'000'000'000'000);
  std::unique_ptr<RestartLog> restarts_;
};

TEST_F(RestartLogTest, AllowsSoManyWithinTheWindow) {  // deploy/E9
  EXPECT_EQ(may(), "yes");
  now_ += 100s;
  EXPECT_EQ(may(), "yes");
  EXPECT_EQ(may(), "no, which is news");
  EXPECT_EQ(may(), "no");
  EXPECT_EQ(may("db"), "yes") << "each service by itself";
  now_ += 200s;
  EXPECT_EQ(may(), "yes") << "the first one is out of the window";
  EXPECT_EQ(may(), "no, which is news");
  now_ += 300s;
  EXPECT_EQ(may(), "yes");
}

TEST_F(RestartLogTest, TellsOnceAWindow) {
  rule_.restart_limit = 1;
  EXPECT_EQ(may(), "yes");
  for (int i = 0; i < 29; ++i) {
    now_ += 10s;
    EXPECT_EQ(may(), i == 0 ? "no, which is news" : "no") << i;
  }
}

TEST_F(RestartLogTest, SaysHowLongARefusalHolds) {
  may();
  now_ += 100s;
  may();
  now_ += 50s;
  EXPECT_EQ(restarts_->ask({"shop"}, "web", rule_, now_)->wait, 150s);
}

TEST_F(RestartLogTest, CountsOnAfterARestartOfWindlass) {  // deploy/E10
  EXPECT_EQ(may(), "yes");
  EXPECT_EQ(may(), "yes");
  open();
  EXPECT_EQ(may(), "no, which is news");
}

TEST_F(RestartLogTest, KnowsNoLimitAsZero) {
  rule_.restart_limit = 0;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(may(), "yes");
}

TEST_F(RestartLogTest, IsNotHeldUpByAClockThatWasSetBack) {  // reliability/P25
  EXPECT_EQ(may(), "yes");
  EXPECT_EQ(may(), "yes");
  now_ -= 24h;
  EXPECT_EQ(may(), "yes");
}

}  // namespace
}  // namespace windlass
