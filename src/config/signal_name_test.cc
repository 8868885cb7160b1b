#include "config/signal_name.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

TEST(SignalName, IsWhatTheEngineTakes) {
  for (const auto* text :
       {"HUP", "SIGHUP", "sigusr1", "term", "1", "15", "64", "RTMIN", "SIGRTMIN+15", "RTMAX-14", "RTMAX"})
    EXPECT_TRUE(is_signal(text)) << text;
  for (const auto* text : {"", "SIG", "NOSUCH", "0", "65", "-1", "1.5", "+1", "a&t=0", "SIGSIGHUP", "RTMIN+16",
                           "RTMIN+", "RTMIN-1", "RTMAX-15", "HUP "})
    EXPECT_FALSE(is_signal(text)) << text;
}

}  // namespace
}  // namespace windlass
