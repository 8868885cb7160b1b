#include "notify/repeats.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "notify/told_runs.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

class RepeatsTest : public ::testing::Test {
 protected:
  RepeatsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "repeats_test.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    open(1h);
  }
  ~RepeatsTest() override {
    repeats_.reset();
    db_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open(std::chrono::milliseconds interval) {
    repeats_.reset();
    db_ = Db::open(folder_ / "state.db").value();
    repeats_ = Repeats::open(*db_, interval, clock_.now()).value();
  }
  static Message failure(std::string text, std::string stack = "web") {
    return {.level = NotificationLevel::failure,
            .title = "Deployment Failed",
            .text = std::move(text),
            .about = {.repository = "ghcr.io/acme/app", .stack = std::move(stack), .target = "prod"}};
  }
  // At so many minutes: is it told? If so, it is also delivered.
  bool is_told(std::chrono::minutes at, const Message& message) {
    clock_.wall = FakeClock().now() + at;
    if (repeats_->is_repeat(message, clock_.now()).value()) return false;
    EXPECT_TRUE(repeats_->delivered(message, clock_.now()));
    return true;
  }

  std::filesystem::path folder_;
  FakeClock clock_;
  std::unique_ptr<Db> db_;
  std::optional<Repeats> repeats_;
};

TEST_F(RepeatsTest, AreNotTold) {
  const auto a = failure("A"), b = failure("B");
  EXPECT_TRUE(is_told(0min, a));                    // A22
  EXPECT_FALSE(is_told(30min, a));                  // A23
  EXPECT_TRUE(is_told(31min, b));                   // A24
  EXPECT_TRUE(is_told(32min, a));                   // A25
  EXPECT_TRUE(is_told(32min, failure("A", "db")));  // A26
  EXPECT_FALSE(is_told(91min, a));
  EXPECT_TRUE(is_told(92min, a));  // A27
}

TEST_F(RepeatsTest, EndWithASuccess) {  // A28
  EXPECT_TRUE(is_told(0min, failure("A")));
  ASSERT_TRUE(repeats_->clear(repeat_key(failure("").about)));
  ASSERT_TRUE(repeats_->clear("never|heard|of|it"));
  EXPECT_TRUE(is_told(1min, failure("A")));
}

TEST_F(RepeatsTest, AreKnownAfterARestart) {  // A29
  EXPECT_TRUE(is_told(0min, failure("A")));
  open(1h);
  EXPECT_FALSE(is_told(1min, failure("A")));
  clock_.advance(1h);
  open(1h);
  EXPECT_TRUE(is_told(62min, failure("A")));
}

TEST_F(RepeatsTest, CountFromTheDelivery) {  // A30
  EXPECT_FALSE(repeats_->is_repeat(failure("A"), clock_.now()).value());
  EXPECT_FALSE(repeats_->is_repeat(failure("A"), clock_.now()).value());
}

TEST_F(RepeatsTest, AreToldWithoutAnInterval) {
  for (const auto interval : {0ms, -1ms}) {
    open(interval);
    EXPECT_TRUE(is_told(0min, failure("A")));
    EXPECT_TRUE(is_told(0min, failure("A")));
  }
}

TEST_F(RepeatsTest, AreToldWhenTheClockWasSetBack) {
  EXPECT_TRUE(is_told(60min, failure("A")));
  EXPECT_TRUE(is_told(0min, failure("A")));
}

TEST_F(RepeatsTest, AreOfOneKey) {  // A32
  EXPECT_EQ(repeat_key(failure("").about), "ghcr.io/acme/app|prod|web|");
}

TEST_F(RepeatsTest, ToldRunsAreKnownAfterARestart) {  // reliability/F12
  {
    auto told = ToldRuns::open(*db_).value();
    EXPECT_TRUE(told.is_new());
    ASSERT_TRUE(told.add({"j1", "j2", "j1"}));
  }
  auto told = ToldRuns::open(*db_).value();
  EXPECT_FALSE(told.is_new());
  EXPECT_TRUE(told.contains("j1").value());
  EXPECT_FALSE(told.contains("j3").value());
  std::vector<std::string> many;
  for (std::size_t number = 0; number < ToldRuns::kKeptMax; ++number) many.push_back("n" + std::to_string(number));
  ASSERT_TRUE(told.add(many));
  EXPECT_FALSE(told.contains("j2").value());
  EXPECT_TRUE(told.contains("n0").value());
  ASSERT_TRUE(ToldRuns::forget(*db_));
  EXPECT_TRUE(ToldRuns::open(*db_).value().is_new());
}

}  // namespace
}  // namespace windlass
