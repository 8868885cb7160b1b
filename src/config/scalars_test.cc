#include "config/scalars.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TEST(Scalars, TakeTheTwelveSpellingsOfABoolean) {
  for (const auto text : {"1", "t", "T", "true", "TRUE", "True"}) EXPECT_EQ(parse_bool(text), true) << text;
  for (const auto text : {"0", "f", "F", "false", "FALSE", "False"}) EXPECT_EQ(parse_bool(text), false) << text;
  for (const auto text : {"", "yes", "no", "on", "tRUE", " true", "true ", "2"})
    EXPECT_EQ(parse_bool(text), std::nullopt) << text;
}

TEST(Scalars, TakePlainDecimalNumbersOnly) {
  EXPECT_EQ(parse_unsigned("0"), 0u);
  EXPECT_EQ(parse_unsigned("007"), 7u);
  EXPECT_EQ(parse_unsigned("18446744073709551615"), UINT64_MAX);
  for (const auto text : {"", "-1", "+1", " 1", "1 ", "0x10", "1.0", "1e3", "18446744073709551616"})
    EXPECT_EQ(parse_unsigned(text), std::nullopt) << text;
}

TEST(Scalars, TakeDurationsAsGoWritesThem) {
  const std::pair<std::string_view, nanoseconds> accepted[] = {
      {"0", 0ns},     {"+0", 0ns},    {"-0", 0ns},      {"30m", 30min},  {"1h30m", 90min},       {"1.5s", 1500ms},
      {".5s", 500ms}, {"1.s", 1s},    {"300ms", 300ms}, {"10us", 10us},  {"10µs", 10us},         {"10μs", 10us},
      {"7ns", 7ns},   {"-2m", -2min}, {"0.1s", 100ms},  {"1m1h", 61min}, {"2562047h", 2562047h},
  };
  for (const auto& [text, span] : accepted) EXPECT_EQ(parse_duration(text), span) << text;
  for (const auto text : {"", "+", "-", "5", "1", ".", ".s", "s", "1 s", " 1s", "1d", "1S", "1h30", "1..5s", "--1s",
                          "1e3s", "2562048h", "99999999999999999999s"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

}  // namespace
}  // namespace windlass
