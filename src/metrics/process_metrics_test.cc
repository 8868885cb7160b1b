#include "metrics/process_metrics.h"

#include <gtest/gtest.h>

#include <chrono>

namespace windlass {
namespace {

// The value behind "\n<name> ", -1 if it is not there.
double value_of(const std::string& text, const std::string& name) {
  const auto found = text.find("\n" + name + " ");
  return found == std::string::npos ? -1 : std::stod(text.substr(found + name.size() + 2));
}

TEST(ProcessMetrics, SayWhatTheKernelKnows) {
  const auto text = process_metrics();
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_GT(value_of(text, "process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(value_of(text, "process_virtual_memory_bytes"), value_of(text, "process_resident_memory_bytes"));
  EXPECT_GE(value_of(text, "process_cpu_seconds_total"), 0);
  EXPECT_GE(value_of(text, "process_threads"), 1);
  EXPECT_GE(value_of(text, "process_open_fds"), 3);
  EXPECT_GE(value_of(text, "process_max_fds"), value_of(text, "process_open_fds"));
  EXPECT_NEAR(value_of(text, "process_start_time_seconds"), now, 3600);
}

}  // namespace
}  // namespace windlass
