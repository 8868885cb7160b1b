#include "jobs/lanes.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace windlass {
namespace {

Digest digest(int number) {
  const auto text = std::to_string(number);
  return Digest::of_sha256_hex(std::string(64 - text.size(), '0') + text);
}

QueuedJobPtr job(std::int64_t row, std::string lane, std::string target = "", std::optional<Digest> announced = {}) {
  auto queued = std::make_shared<QueuedJob>();
  queued->row = row;
  queued->lane = std::move(lane);
  queued->job.id = "job " + std::to_string(row);
  queued->job.request.target = std::move(target);
  queued->job.request.digest = std::move(announced);
  return queued;
}

std::vector<std::int64_t> rows(const std::vector<QueuedJobPtr>& jobs) {
  std::vector<std::int64_t> result;
  for (const auto& one : jobs) result.push_back(one->row);
  return result;
}

using Rows = std::vector<std::int64_t>;

// config 5: another configuration is another deployment, it must not be lost
TEST(Lanes, KeepJobsApartByTheirInlineDeployments) {
  Lanes lanes(10);
  const auto inlined = [](std::int64_t row, std::string deployments) {
    auto queued = job(row, "a");
    queued->job.request.deployments = std::move(deployments);
    return queued;
  };
  EXPECT_FALSE(lanes.offer(job(1, "a")).replaced);
  EXPECT_FALSE(lanes.offer(inlined(2, "[1]")).replaced);
  EXPECT_FALSE(lanes.offer(inlined(3, "[2]")).replaced);
  EXPECT_TRUE(lanes.waits("a", {.deployments = "[1]"}));
  EXPECT_FALSE(lanes.waits("a", {.deployments = "[3]"}));
  const auto replaced = lanes.offer(inlined(4, "[1]")).replaced;
  ASSERT_TRUE(replaced);
  EXPECT_EQ(replaced->row, 2);
}

TEST(Lanes, RunOneJobEachAndTheRestInOrder) {  // webhook/C1, C4
  Lanes lanes(10);
  EXPECT_FALSE(lanes.offer(job(1, "a", "x")).replaced);
  EXPECT_EQ(rows(lanes.lease(9)), Rows{1});
  lanes.offer(job(2, "a", "x"));
  lanes.offer(job(3, "a", "y"));
  lanes.offer(job(4, "b", "x"));
  EXPECT_EQ(rows(lanes.lease(9)), Rows{4});
  EXPECT_EQ(rows(lanes.lease(9)), Rows{});
  lanes.end("a");
  EXPECT_EQ(rows(lanes.lease(9)), Rows{2});
  lanes.end("a");
  EXPECT_EQ(rows(lanes.lease(9)), Rows{3});
}

TEST(Lanes, RunNoMoreJobsThanAllowedOldestFirst) {
  Lanes lanes(10);
  for (int row = 1; row <= 4; ++row) lanes.offer(job(row, "lane " + std::to_string(row)));
  EXPECT_EQ(rows(lanes.lease(2)), (Rows{1, 2}));
  EXPECT_EQ(rows(lanes.lease(2)), Rows{});
  lanes.end("lane 1");
  EXPECT_EQ(rows(lanes.lease(2)), Rows{3});
  EXPECT_EQ(lanes.running_count(), 2u);
  EXPECT_EQ(lanes.waiting_count(), 1u);
}

TEST(Lanes, LetANewerJobTakeThePlaceOfTheWaitingOneOfItsTarget) {  // webhook/C4
  Lanes lanes(10);
  lanes.offer(job(1, "a", "x"));
  lanes.offer(job(2, "a", "y"));
  const auto offer = lanes.offer(job(3, "a", "x"));
  ASSERT_TRUE(offer.replaced);
  EXPECT_EQ(offer.replaced->row, 1);
  EXPECT_EQ(lanes.waiting_count(), 2u);
  EXPECT_EQ(rows(lanes.lease(9)), Rows{3});  // before 2: it stands where 1 stood
  lanes.end("a");
  EXPECT_EQ(rows(lanes.lease(9)), Rows{2});
}

TEST(Lanes, NeverReplaceARunningJob) {
  Lanes lanes(10);
  lanes.offer(job(1, "a"));
  lanes.lease(9);
  EXPECT_FALSE(lanes.offer(job(2, "a")).replaced);
}

TEST(Lanes, RefuseAJobWhenFullButNotAReplacement) {  // reliability 2
  Lanes lanes(2);
  EXPECT_TRUE(lanes.offer(job(1, "a", "x")).taken);
  EXPECT_TRUE(lanes.offer(job(2, "b")).taken);
  EXPECT_FALSE(lanes.offer(job(3, "c")).taken);
  EXPECT_FALSE(lanes.offer(job(4, "a", "y")).taken);
  EXPECT_TRUE(lanes.offer(job(5, "a", "x")).taken);
  EXPECT_EQ(lanes.waiting_count(), 2u);
  lanes.restore(job(6, "c"));  // promised in an earlier life
  EXPECT_EQ(lanes.waiting_count(), 3u);
}

TEST(Lanes, PassOnTheDigestsOfReplacedJobsOnce) {  // webhook/C8
  Lanes lanes(10);
  lanes.offer(job(1, "a", "", digest(1)));
  lanes.offer(job(2, "a", "", digest(2)));
  lanes.offer(job(3, "a", "", digest(1)));
  lanes.offer(job(4, "a"));
  const auto newest = job(5, "a", "", digest(5));
  lanes.offer(newest);
  EXPECT_EQ(newest->job.replaced_digests, (std::vector{digest(2), digest(1)}));
}

TEST(Lanes, RememberTheNewest64Digests) {  // webhook/C8
  Lanes lanes(10);
  QueuedJobPtr newest;
  for (int number = 0; number < 100; ++number) lanes.offer(newest = job(number, "a", "", digest(number)));
  ASSERT_EQ(newest->job.replaced_digests.size(), 64u);
  EXPECT_EQ(newest->job.replaced_digests.front(), digest(35));
  EXPECT_EQ(newest->job.replaced_digests.back(), digest(98));
}

TEST(Lanes, AreAsBeforeAfterAnUndo) {
  Lanes lanes(10);
  const auto first = job(1, "a", "", digest(1));
  first->on_disk = true;
  first->job.replaced_digests = {digest(0)};
  lanes.offer(first);
  lanes.offer(job(2, "b"));
  lanes.lease(1);  // 1 runs
  const auto waiting = job(3, "a", "", digest(3));
  waiting->on_disk = true;
  waiting->job.replaced_digests = {digest(2)};
  lanes.offer(waiting);

  lanes.begin();
  lanes.end("a");
  lanes.offer(job(4, "a"));
  lanes.offer(job(5, "c"));
  lanes.lease(9);
  lanes.undo();

  EXPECT_EQ(rows(lanes.running()), Rows{1});
  EXPECT_EQ(lanes.running_count(), 1u);
  EXPECT_EQ(lanes.waiting_count(), 2u);
  EXPECT_FALSE(lanes.waits("c", {}));
  EXPECT_EQ(waiting->job.replaced_digests, std::vector{digest(2)});
  EXPECT_EQ(rows(lanes.lease(9)), Rows{2});
  lanes.end("a");
  EXPECT_EQ(rows(lanes.lease(9)), Rows{3});
}

// The weak spot 15 of the webhook page: no wake-up is lost, no lane runs two, under any order of events.
TEST(Lanes, KeepTheirPromisesUnderRandomOperations) {
  std::mt19937 random(7);
  const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  for (int run = 0; run < 20; ++run) {
    Lanes lanes(12);
    std::map<std::string, std::map<std::string, std::int64_t>> waiting;  // lane, target -> row
    std::map<std::string, std::int64_t> running;
    std::int64_t row = 0;
    for (int step = 0; step < 2000; ++step) {
      const bool undone = pick(5) == 0;
      const auto waiting_before = waiting;
      const auto running_before = running;
      lanes.begin();
      for (int i = pick(4); i > 0; --i) {
        const auto lane = std::string(1, static_cast<char>('a' + pick(5)));
        const auto target = std::string(1, static_cast<char>('x' + pick(3)));
        std::size_t all = 0;
        for (const auto& [name, targets] : waiting) all += targets.size();
        const bool replaces = waiting[lane].contains(target);
        const auto offer = lanes.offer(job(++row, lane, target));
        ASSERT_EQ(offer.taken, replaces || all < 12);
        ASSERT_EQ(offer.replaced != nullptr, replaces);
        if (replaces) {
          ASSERT_EQ(offer.replaced->row, waiting[lane][target]);
        }
        if (offer.taken) waiting[lane][target] = row;
      }
      if (!running.empty() && pick(2) == 0) {
        const auto lane = std::next(running.begin(), pick(static_cast<int>(running.size())))->first;
        lanes.end(lane);
        running.erase(lane);
      }
      std::int64_t place = 0;
      for (const auto& leased : lanes.lease(3)) {
        ASSERT_FALSE(running.contains(leased->lane)) << "two run in one lane";
        ASSERT_EQ(waiting[leased->lane][leased->job.request.target], leased->row) << "not the newest";
        ASSERT_GT(leased->place, place) << "not the oldest place first";
        place = leased->place;
        waiting[leased->lane].erase(leased->job.request.target);
        running[leased->lane] = leased->row;
      }
      if (undone) {
        lanes.undo();
        waiting = waiting_before;
        running = running_before;
      } else {
        lanes.keep();
        bool idle_lane_waits = false;
        for (const auto& [name, targets] : waiting) idle_lane_waits |= !targets.empty() && !running.contains(name);
        ASSERT_TRUE(!idle_lane_waits || running.size() == 3) << "a wake-up was lost";
      }
      std::size_t all = 0;
      for (const auto& [name, targets] : waiting) all += targets.size();
      ASSERT_EQ(lanes.waiting_count(), all);
      ASSERT_EQ(lanes.running_count(), running.size());
      ASSERT_EQ(lanes.running().size(), running.size());
    }
  }
}

}  // namespace
}  // namespace windlass
