#include "poll/outages.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace windlass {
namespace {

using namespace std::chrono_literals;

// The lines of a log, without their time.
class OutagesTest : public ::testing::Test {
 protected:
  OutagesTest() {
    EXPECT_EQ(::pipe(ends_), 0);
    outages.emplace(Log({.level = LogLevel::info, .file_descriptor = ends_[1]}));
  }
  ~OutagesTest() override { ::close(ends_[0]); }
  std::vector<std::string> lines() {
    outages.reset();  // and with it the log
    ::close(ends_[1]);
    std::string text(1 << 16, '\0');
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(ends_[0], text.data(), text.size()))));
    std::vector<std::string> lines;
    for (std::size_t at = 0, end; (end = text.find('\n', at)) != text.npos; at = end + 1)
      lines.push_back(text.substr(text.find("\"level\"", at), end - text.find("\"level\"", at)));
    return lines;
  }

  SteadyTime now{1000s};
  std::optional<Outages> outages;

 private:
  int ends_[2] = {-1, -1};
};

TEST_F(OutagesTest, AreToldOnceForAllSourcesOfARegistry) {
  EXPECT_TRUE(outages->begin(0, "registry r", "timeout", now));
  EXPECT_TRUE(outages->begin(1, "registry r", "timeout", now + 1s));
  EXPECT_FALSE(outages->begin(0, "registry r", "refused", now + 2s));
  outages->end(2, now + 3s);
  outages->end(0, now + 4s);
  outages->end(1, now + 5s);
  outages->end(1, now + 6s);
  const auto told = lines();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0], R"("level":"warning","msg":"polling is held up","by":"registry r","error":"timeout"})");
  EXPECT_EQ(told[1], R"("level":"info","msg":"polling goes on","by":"registry r","outage":"5s"})");
}

TEST_F(OutagesTest, OfSourcesThatAreGoneHaveNoEnd) {
  EXPECT_TRUE(outages->begin(0, "registry r", "timeout", now));
  EXPECT_TRUE(outages->begin(1, "registry r", "timeout", now));
  outages->forget(0);
  outages->forget(0);
  outages->forget(1);
  EXPECT_FALSE(outages->end(1, now + 1s));
  EXPECT_TRUE(outages->begin(2, "registry r", "timeout", now + 2s));
  EXPECT_EQ(lines().size(), 2u) << "it was held up twice, and that is all";
}

TEST_F(OutagesTest, MayChangeTheirReason) {
  EXPECT_TRUE(outages->begin(0, "registry r", "timeout", now));
  EXPECT_TRUE(outages->begin(0, "r/app:1", "not found", now + 1s));
  EXPECT_FALSE(outages->begin(0, "r/app:1", "not found", now + 2s));
  const auto told = lines();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_NE(told[1].find("polling goes on"), std::string::npos);
  EXPECT_NE(told[2].find("\"by\":\"r/app:1\""), std::string::npos);
}

}  // namespace
}  // namespace windlass
