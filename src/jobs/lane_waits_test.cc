#include "jobs/lane_waits.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

namespace windlass {
namespace {

using namespace std::chrono_literals;

class LaneWaitsTest : public ::testing::Test {
 protected:
  LaneWaitsTest() { EXPECT_EQ(::pipe2(pipe_, O_NONBLOCK), 0); }
  ~LaneWaitsTest() override {
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }
  static QueuedJobPtr job(std::string id, Trigger trigger = Trigger::webhook) {
    auto queued = std::make_shared<QueuedJob>();
    queued->job.id = std::move(id);
    queued->job.request.trigger = trigger;
    queued->job.request.artifact = "r.test/acme/app:main";
    return queued;
  }
  LaneWaits waits() { return LaneWaits(Log({.file_descriptor = pipe_[1]})); }
  // What was logged since the last call.
  std::string said() {
    std::string text(65536, '\0');
    const auto size = ::read(pipe_[0], text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

  int pipe_[2] = {-1, -1};
  const SteadyTime start_ = std::chrono::steady_clock::now();
};

TEST_F(LaneWaitsTest, TellOnceOfAJobThatWaitsLonger) {  // webhook/C3
  auto waits = this->waits();
  waits.watch(job("one"), start_);
  waits.tell(start_ + 9ms);
  EXPECT_EQ(said(), "");
  EXPECT_EQ(waits.next_due(), start_ + 10ms);
  waits.tell(start_ + 10ms);
  const auto text = said();
  EXPECT_NE(text.find(R"("msg":"waiting for webhook artifact lock")"), text.npos) << text;
  EXPECT_NE(text.find(R"("artifact":"r.test/acme/app:main")"), text.npos) << text;
  EXPECT_NE(text.find(R"("job_id":"one")"), text.npos) << text;
  waits.tell(start_ + 1h);
  EXPECT_EQ(said(), "");
  EXPECT_FALSE(waits.next_due());
}

TEST_F(LaneWaitsTest, ForgetJobsThatBeganOrWereReplaced) {
  auto waits = this->waits();
  const auto begun = job("begun"), replaced = job("replaced"), waiting = job("waiting", Trigger::poll);
  waits.watch(begun, start_);
  waits.watch(replaced, start_ + 1ms);
  waits.watch(waiting, start_ + 2ms);
  begun->started_at = WallTime();
  replaced->replaced_by = "newer";
  EXPECT_EQ(waits.next_due(), start_ + 12ms);
  waits.tell(start_ + 1s);
  const auto text = said();
  EXPECT_EQ(std::ranges::count(text, '\n'), 1) << text;
  EXPECT_NE(text.find(R"("msg":"waiting for artifact lock")"), text.npos) << text;
}

}  // namespace
}  // namespace windlass
