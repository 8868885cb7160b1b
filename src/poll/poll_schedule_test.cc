#include "poll/poll_schedule.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using namespace std::chrono_literals;
using End = PollSchedule::End;
using Entries = std::vector<PollSchedule::Entry>;

const SteadyTime kStart{1000s};

PollSchedule schedule(const Entries& entries, double random = 0.5) {
  PollSchedule schedule({.random = [random] { return random; }});
  schedule.add(entries, kStart);
  return schedule;
}

// The sources that are due, taken and ended at once.
std::vector<std::size_t> due(PollSchedule& schedule, SteadyTime now, End how = End::good) {
  std::vector<std::size_t> taken;
  while (const auto index = schedule.take(now)) {
    schedule.looked(*index, how);
    schedule.end(*index, how, now);
    taken.push_back(*index);
  }
  return taken;
}

using Taken = std::vector<std::size_t>;

TEST(PollSchedule, SpreadsTheFirstLooksOverTenSeconds) {  // config 11
  auto polls = schedule(Entries(5, {.registry = "r", .interval = 600s}));
  EXPECT_EQ(due(polls, kStart), Taken{0}) << "one source alone need not wait";
  EXPECT_EQ(due(polls, kStart + 1999ms), Taken{});
  EXPECT_EQ(due(polls, kStart + 4s), (Taken{1, 2}));
  EXPECT_EQ(due(polls, kStart + 10s), (Taken{3, 4}));
}

TEST(PollSchedule, ComesAgainAnIntervalAfterTheEnd) {
  auto polls = schedule({{.registry = "r", .interval = 60s}});
  EXPECT_EQ(polls.take(kStart), 0u);
  EXPECT_EQ(polls.take(kStart + 1h), std::nullopt) << "busy";
  EXPECT_EQ(polls.next(), std::nullopt);
  polls.looked(0, End::good);
  polls.end(0, End::good, kStart + 7s);
  EXPECT_EQ(polls.next(), kStart + 67s);
  EXPECT_EQ(polls.take(kStart + 66s), std::nullopt);
  EXPECT_EQ(polls.take(kStart + 67s), 0u);
}

TEST(PollSchedule, DriftsByATenthAtMostHalfAMinute) {  // config 11
  const std::tuple<std::chrono::seconds, double, std::chrono::milliseconds> rows[] = {
      {100s, 0.0, 90s},    {100s, 0.5, 100s},   {100s, 1.0, 110s},
      {10s, 0.25, 9500ms}, {3600s, 0.0, 3570s}, {3600s, 1.0, 3630s},
  };
  for (const auto& [interval, random, wait] : rows) {
    auto polls = schedule({{.registry = "r", .interval = interval}}, random);
    due(polls, kStart);
    EXPECT_EQ(*polls.next() - kStart, wait) << interval.count() << " " << random;
  }
}

TEST(PollSchedule, BacksOffUpToTenIntervals) {  // config 14 #15
  auto polls = schedule({{.registry = "r", .interval = 10s}});
  auto now = kStart;
  for (const auto wait : {10s, 20s, 40s, 80s, 100s, 100s}) {
    EXPECT_EQ(due(polls, now, End::failed), Taken{0});
    EXPECT_EQ(*polls.next() - now, wait);
    now += wait;
  }
  EXPECT_EQ(due(polls, now, End::good), Taken{0});
  EXPECT_EQ(*polls.next() - now, 10s);
}

TEST(PollSchedule, StaysAwayAsLongAsTheRegistryWants) {  // oci 3.4
  auto polls = schedule({{.registry = "r", .interval = 10s}});
  polls.take(kStart);
  polls.looked(0, End::failed);
  polls.end(0, End::failed, kStart, 3600s);
  EXPECT_EQ(polls.next(), kStart + 3600s);
  polls.take(kStart + 3600s);
  polls.looked(0, End::failed);
  polls.end(0, End::failed, kStart + 3600s, 1s);
  EXPECT_EQ(polls.next(), kStart + 3620s) << "but never comes sooner than by itself";
}

TEST(PollSchedule, ForgetsWhatRunsOnce) {  // config 11
  auto polls = schedule({{.registry = "r", .interval = 0s, .run_once = true}});
  EXPECT_EQ(due(polls, kStart), Taken{0});
  EXPECT_EQ(polls.next(), std::nullopt);
}

TEST(PollSchedule, TakesMoreSourcesAndKeepsTheOthersAsTheyAre) {
  auto polls = schedule({{.registry = "r", .interval = 60s}, {.registry = "r", .interval = 60s}});
  EXPECT_EQ(due(polls, kStart), Taken{0});
  EXPECT_EQ(polls.add(Entries(2, {.registry = "s", .interval = 60s}), kStart + 1s), 2u);
  EXPECT_EQ(due(polls, kStart + 1s), Taken{2});
  EXPECT_EQ(due(polls, kStart + 5s), Taken{1}) << "spread as before";
  EXPECT_EQ(due(polls, kStart + 6s), Taken{3});
  EXPECT_EQ(due(polls, kStart + 59s), Taken{});
  EXPECT_EQ(due(polls, kStart + 60s), Taken{0});
}

TEST(PollSchedule, LooksAtARemovedSourceNoMore) {
  auto polls = schedule(Entries(3, {.registry = "r", .interval = 60s}));
  polls.remove(1);
  EXPECT_EQ(polls.take(kStart), 0u);
  polls.remove(0);  // while it is looked at
  polls.looked(0, End::good);
  polls.end(0, End::good, kStart + 1s);
  polls.remove(0);
  polls.remove(7);
  EXPECT_EQ(due(polls, kStart + 1h), Taken{2});
  polls.remove(2);
  EXPECT_EQ(polls.next(), std::nullopt);
  EXPECT_EQ(polls.add({{.registry = "r", .interval = 60s}}, kStart + 1h), 3u) << "no number comes again";
}

TEST(PollSchedule, NeverLetsOneRegistryHoldUpTheOthers) {
  Entries entries(8, {.registry = "hangs", .interval = 10s});
  entries.push_back({.registry = "answers", .interval = 10s});
  auto polls = schedule(entries);
  const auto now = kStart + 10s;
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(polls.take(now), i);
  EXPECT_EQ(polls.take(now), 8u) << "the other four have been due for longer";
  EXPECT_EQ(polls.take(now), std::nullopt);
  EXPECT_EQ(polls.next(), std::nullopt);

  for (std::size_t i = 0; i < 4; ++i) polls.looked(i, End::failed);
  EXPECT_EQ(polls.take(now), 4u) << "one at a time finds out whether it is back";
  EXPECT_EQ(polls.take(now), std::nullopt);
  polls.looked(4, End::good);
  for (std::size_t i = 5; i < 8; ++i) EXPECT_EQ(polls.take(now), i);
}

TEST(PollSchedule, GivesRoomBackBeforeTheJobEnds) {
  auto polls = schedule(Entries(5, {.registry = "r", .interval = 10s}));
  const auto now = kStart + 10s;
  for (std::size_t i = 0; i < 4; ++i) polls.take(now);
  EXPECT_EQ(polls.take(now), std::nullopt);
  polls.looked(0, End::good);  // makes a job
  EXPECT_EQ(polls.take(now), 4u);
}

}  // namespace
}  // namespace windlass
