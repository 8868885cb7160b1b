#include "jobs/retries.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using namespace std::chrono_literals;

QueuedJobPtr job(std::int64_t row, std::string lane, std::string target = "", int retry = 0) {
  auto queued = std::make_shared<QueuedJob>();
  queued->row = row;
  queued->lane = std::move(lane);
  queued->retry = retry;
  queued->job.request.target = std::move(target);
  return queued;
}

const SteadyTime kNow{1000s};

TEST(Retries, ComeAfter1And5And15MinutesThenHourlyForADay) {  // webhook/C11
  const Retries retries(JobQueue::Options().retry_delays);
  std::vector<std::chrono::milliseconds> delays;
  for (int retry = 0; auto delay = retries.delay_after(*job(1, "a", "", retry)); ++retry) delays.push_back(*delay);
  ASSERT_EQ(delays.size(), 27u);
  EXPECT_EQ(delays[0], 1min);
  EXPECT_EQ(delays[1], 5min);
  EXPECT_EQ(delays[2], 15min);
  for (std::size_t i = 3; i < delays.size(); ++i) EXPECT_EQ(delays[i], 60min) << i;
}

TEST(Retries, AreTakenWhenDueOldestFirst) {
  Retries retries({1min});
  EXPECT_EQ(retries.next_due(), std::nullopt);
  retries.plan(job(3, "a"), kNow + 1min);
  retries.plan(job(2, "b"), kNow + 1min);
  retries.plan(job(1, "c"), kNow + 2min);
  EXPECT_EQ(retries.next_due(), kNow + 1min);
  EXPECT_TRUE(retries.take_due(kNow + 1min - 1ms).empty());
  const auto due = retries.take_due(kNow + 1min);
  ASSERT_EQ(due.size(), 2u);
  EXPECT_EQ(due[0]->row, 2);
  EXPECT_EQ(due[1]->row, 3);
  EXPECT_EQ(retries.next_due(), kNow + 2min);
}

TEST(Retries, EndWithANewerJobOfTheirLaneAndTarget) {
  Retries retries({1min});
  retries.plan(job(1, "a", "x"), kNow);
  EXPECT_FALSE(retries.cancel(*job(2, "a", "y")));
  EXPECT_FALSE(retries.cancel(*job(2, "b", "x")));
  const auto ended = retries.cancel(*job(2, "a", "x"));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->row, 1);
  EXPECT_TRUE(retries.empty());
}

TEST(Retries, AreAsBeforeAfterAnUndo) {
  Retries retries({1min});
  retries.plan(job(1, "a"), kNow);
  retries.begin();
  retries.plan(job(2, "b"), kNow);
  retries.take_due(kNow);
  retries.undo();
  const auto due = retries.take_due(kNow);
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0]->row, 1);
}

TEST(Retries, AreBounded) {  // reliability/P13
  Retries retries({1min});
  for (std::size_t i = 0; i < Retries::kPlansMax; ++i) EXPECT_TRUE(retries.plan(job(1, std::to_string(i)), kNow));
  EXPECT_FALSE(retries.plan(job(1, "one more"), kNow));
  EXPECT_TRUE(retries.plan(job(1, "7"), kNow));
}

}  // namespace
}  // namespace windlass
