#include "jobs/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>

namespace windlass {
namespace {

using namespace std::chrono_literals;

TEST(Workers, MakeThreadsWhenNeededAndEndIdleOnes) {
  std::counting_semaphore<> go(0), ended(0);
  Workers workers(
      [&](const Job&, const JobProgress&, const Deadline&) {
        go.acquire();
        return JobOutcome{};
      },
      {.revision = [](const auto&, auto) {}, .ended = [&](const auto&, auto, bool) { ended.release(); }},
      {.idle_max = 20ms}, Log({.level = LogLevel::critical}));
  EXPECT_EQ(workers.threads(), 0u);
  workers.start(std::make_shared<QueuedJob>());
  workers.start(std::make_shared<QueuedJob>());
  EXPECT_EQ(workers.threads(), 2u);
  go.release();
  ended.acquire();
  go.release();
  workers.start(std::make_shared<QueuedJob>());  // by the thread that has just become idle
  EXPECT_EQ(workers.threads(), 2u);
  go.release();
  ended.acquire();
  ended.acquire();
  for (int i = 0; i < 1000 && workers.threads() > 0; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(workers.threads(), 0u);
}

TEST(Workers, TellAnInterruptedJobFromAFailedOne) {
  std::atomic<int> interrupted = 0;
  std::binary_semaphore started(0);
  {
    Workers workers(
        [&](const Job&, const JobProgress&, const Deadline& deadline) {
          started.release();
          while (!deadline.passed()) std::this_thread::sleep_for(1ms);
          return JobOutcome::failed(FailedStep::pull, "asked to stop");
        },
        {.revision = [](const auto&, auto) {}, .ended = [&](const auto&, auto, bool was) { interrupted += was; }}, {},
        Log({.level = LogLevel::critical}));
    workers.start(std::make_shared<QueuedJob>());
    started.acquire();
  }
  EXPECT_EQ(interrupted, 1);
}

}  // namespace
}  // namespace windlass
