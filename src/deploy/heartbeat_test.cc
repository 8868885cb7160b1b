#include "deploy/heartbeat.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "base/text.h"
#include "sys/json.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

// deploy/S19
TEST(Heartbeat, TellsThePhaseForAsLongAsItLasts) {
  int ends[2];
  std::vector<std::string> told;
  ASSERT_EQ(::pipe(ends), 0);
  {
    Heartbeat heartbeat(
        Log({.file_descriptor = ends[1]}).with({{"stack", "web"}}), "pulling images",
        [&](std::string_view phase) { told.emplace_back(phase); }, 20ms);
    std::this_thread::sleep_for(100ms);
    heartbeat.phase("creating services");
    std::this_thread::sleep_for(100ms);
  }
  ::close(ends[1]);
  std::string text(1 << 16, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(ends[0], text.data(), text.size()))));
  ::close(ends[0]);
  std::vector<std::string> phases;
  for (const auto line : split(text, '\n')) {
    if (line.empty()) continue;
    const auto event = parse_json(line)->get_object();
    EXPECT_EQ(text_of(event, "msg"), "deployment in progress");
    EXPECT_EQ(text_of(event, "stack"), "web");
    if (phases.empty() || phases.back() != text_of(event, "phase")) phases.emplace_back(text_of(event, "phase"));
  }
  EXPECT_EQ(phases, (std::vector<std::string>{"pulling images", "creating services"}));
  EXPECT_EQ(told, phases);
}

}  // namespace
}  // namespace windlass
