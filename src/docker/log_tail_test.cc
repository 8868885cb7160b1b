#include "docker/log_tail.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

std::string frame(char stream, std::string_view text) {
  std::string bytes{stream, 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(text.size() >> shift & 0xff);
  return bytes.append(text);
}

TEST(LogTail, JoinsTheFramesOfBothOutputsHoweverTheyAreCut) {
  const auto stream = frame(1, "one\n") + frame(2, "two\n") + frame(1, "") + frame(1, std::string(300, 'x') + "\n");
  for (const std::size_t step : {1u, 3u, 7u, 1000u}) {
    LogTail tail(false, 1024);
    for (std::size_t at = 0; at < stream.size(); at += step) tail.add(std::string_view(stream).substr(at, step));
    EXPECT_EQ(tail.take(), "one\ntwo\n" + std::string(300, 'x') + "\n");
  }
}

TEST(LogTail, KeepsARawStreamAsItIs) {
  LogTail tail(true, 1024);
  tail.add("raw\r\n");
  EXPECT_EQ(tail.take(), "raw\r\n");
}

TEST(LogTail, KeepsTheLastWholeLines) {
  LogTail tail(false, 20);
  for (int i = 0; i < 1000; ++i) tail.add(frame(1, "line " + std::to_string(i) + "\n"));
  EXPECT_EQ(tail.take(), "line 998\nline 999\n");
}

TEST(LogTail, KeepsTheEndOfOneEndlessLine) {
  LogTail tail(false, 4);
  tail.add(frame(1, std::string(1000, 'a') + "bcde"));
  EXPECT_EQ(tail.take(), "bcde");
}

}  // namespace
}  // namespace windlass
