#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <stdexcept>

#include "base/recover.h"

namespace windlass {
namespace {

TEST(ForEachIndex, DoesEveryIndexOnce) {
  std::vector<std::atomic<int>> calls(50);
  const auto results = for_each_index(calls.size(), 4, [&](std::size_t index) -> Status {
    ++calls[index];
    return {};
  });
  EXPECT_EQ(results.size(), 50u);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(calls[i], 1) << i;
    EXPECT_TRUE(results[i]) << i;
  }
  EXPECT_TRUE(for_each_index(0, 4, [](std::size_t) { return Status(); }).empty());
}

TEST(ForEachIndex, TakesWhatIsThrownForTheErrorOfThatIndex) {
  const auto results = for_each_index(4, 2, [](std::size_t index) -> Status {
    if (index == 1) throw std::bad_alloc();
    if (index == 2) return fail(Kind::denied, "no");
    return {};
  });
  EXPECT_TRUE(results[0]);
  ASSERT_FALSE(results[1]);
  EXPECT_EQ(results[1].error().kind, Kind::unavailable);
  EXPECT_EQ(results[1].error().message, "ended by an exception: std::bad_alloc");
  ASSERT_FALSE(results[2]);
  EXPECT_EQ(results[2].error().kind, Kind::denied);
  EXPECT_TRUE(results[3]);
}

TEST(Recovered, TellsWhetherTheStepEndedByItself) {
  const Log log({.file_descriptor = -1});
  EXPECT_TRUE(recovered(log, "test", [] {}));
  EXPECT_FALSE(recovered(log, "test", [] { throw std::runtime_error("a bug"); }));
  EXPECT_FALSE(recovered(log, "test", [] { throw 1; }));
}

}  // namespace
}  // namespace windlass
