#include <fcntl.h>
#include <gtest/gtest.h>

#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <limits>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/text.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

TEST(Clock, WritesRfc3339WithoutTrailingZeros) {  // api 3
  const WallTime time{1767323045s};
  EXPECT_EQ(to_rfc3339(time), "2026-01-02T03:04:05Z");
  EXPECT_EQ(to_rfc3339(time + 200ms), "2026-01-02T03:04:05.2Z");
  EXPECT_EQ(to_rfc3339(time + 123456us), "2026-01-02T03:04:05.123456Z");
}

TEST(Clock, ReadsRfc3339) {
  const WallTime time{std::chrono::seconds{1'767'323'045}};
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05Z"), time);
  EXPECT_EQ(parse_rfc3339("2026-01-02t03:04:05.25z"), time + 250ms);
  EXPECT_EQ(parse_rfc3339("2026-01-02T04:34:05+01:30"), time);
  EXPECT_EQ(parse_rfc3339("2026-01-01T22:04:05-05:00"), time);
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z"), WallTime(std::chrono::seconds(1'709'164'800)));
  for (const auto* wrong :
       {"", "2026-01-02", "2026-01-02T03:04:05", "2026-1-02T03:04:05Z", "2026-13-02T03:04:05Z", "2023-02-29T00:00:00Z",
        "2026-01-02T24:00:00Z", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05.1234567890Z", "2026-01-02T03:04:05+1:00",
        "2026-01-02T03:04:05Zx", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05+24:00", "-026-01-02T03:04:05Z"})
    EXPECT_FALSE(parse_rfc3339(wrong)) << wrong;
}

TEST(Clock, HoldsTheNearestTimeItCan) {
  EXPECT_LT(from_unix_seconds(253'402'300'799), WallTime::max());  // the end of the year 9999
  EXPECT_GT(from_unix_seconds(253'402'300'799), from_unix_seconds(4'102'444'800));
  EXPECT_LT(from_unix_seconds(std::numeric_limits<std::int64_t>::min()), from_unix_seconds(0));
  EXPECT_EQ(parse_rfc3339("9999-12-31T23:59:59Z"), from_unix_seconds(253'402'300'799));
}

TEST(Clock, WritesSpansAsGoDoes) {
  const std::pair<std::chrono::nanoseconds, std::string> spans[] = {
      {0ns, "0s"},    {1500us, "1.5ms"}, {250ms, "250ms"},  {1234ms, "1.234s"},
      {180s, "3m0s"}, {47s, "47s"},      {3723s, "1h2m3s"}, {3600s, "1h0m0s"},
  };
  for (const auto& [span, text] : spans) EXPECT_EQ(to_go_duration(span), text);
}

TEST(Text, ShowsForeignBytesWithoutLettingThemAct) {  // reliability/P19
  EXPECT_EQ(printable("plain ü"), "plain ü");
  EXPECT_EQ(printable("a\nb\x1b[2J"), "a\\x0ab\\x1b[2J");
  EXPECT_EQ(printable("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");
  EXPECT_EQ(printable("abcdef", 3), "abc…");
}

TEST(Text, KnowsValidUtf8) {
  EXPECT_TRUE(is_valid_utf8("aü€😀"));
  for (std::string_view bad : {"\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82"})
    EXPECT_FALSE(is_valid_utf8(bad));
}

TEST(Text, ReadsHexOfBothCases) {
  EXPECT_EQ(from_hex("0aFF"), std::string("\x0a\xff"));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
  EXPECT_EQ(to_hex("\x0a\xff"), "0aff");
}

// What a log wrote, read back through a pipe.
class LogTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe2(pipe_, O_NONBLOCK), 0); }
  void TearDown() override {
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }
  std::string written() {
    std::string text(65536, '\0');
    const auto size = ::read(pipe_[0], text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }
  Log log(LogLevel level = LogLevel::info) { return Log({.level = level, .file_descriptor = pipe_[1]}); }
  int pipe_[2] = {-1, -1};
};

TEST_F(LogTest, WritesOneJsonObjectWithSortedNestedFields) {  // api/G1 to G6
  log()
      .with({{"job_id", "j1"}})
      .info("job ended", {{"trigger.ref", "main"}, {"elapsed", 3}, {"trigger.event", "webhook"}});
  const auto line = written();
  ASSERT_TRUE(line.starts_with("{\"time\":\"")) << line;
  EXPECT_EQ(
      line.substr(line.find(",\"level\"")),
      ",\"level\":\"info\",\"msg\":\"job ended\",\"elapsed\":3,\"job_id\":\"j1\",\"trigger\":{\"event\":\"webhook\","
      "\"ref\":\"main\"}}\n");
}

TEST_F(LogTest, WritesTheTimeOfItsZone) {  // config 2, TZ
  EXPECT_EXIT(
      {
        ::setenv("TZ", "XYZ-5:30", 1);
        ::tzset();
        log().info("now");
        ::_exit(written().find("+05:30\",\"level\"") != std::string::npos ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(LogTest, MasksSecretsEvenWhereJsonEscapesThem) {  // api/G11
  const auto log = this->log();
  log.mask(Secret("pass\"word"));
  log.error("login", {{"error", "bad pass\"word given"}});
  EXPECT_NE(written().find("bad *** given"), std::string::npos);
}

// A file ends with a line feed, a program prints line by line, a tool quotes what it complains about.
TEST_F(LogTest, MasksSecretsAsOthersWriteThem) {
  const auto log = this->log();
  log.mask(Secret("hunter-two\n"));
  EXPECT_EQ(log.masked("password hunter-two, or hunter-two"), "password ***, or ***");
  log.mask_lately(Secret("-----BEGIN KEY-----\nMIIabcdefghijkl\nshort\n  MIImnopqrstuvwx\r\n-----END KEY-----\n"));
  EXPECT_EQ(log.masked("first MIIabcdefghijkl | short | MIImnopqrstuvwx"), "first *** | short | ***");
  log.mask(Secret("a \"quoted\\path\""));
  EXPECT_EQ(log.masked(R"(bad "a \"quoted\\path\"")"), "bad \"***\"");
  log.mask(Secret("tab\there"));
  EXPECT_EQ(log.masked(R"(tab\there, tab\x09here)"), "***, ***");
  log.mask(Secret("\n\n12345\n"));
  EXPECT_EQ(log.masked("12345"), "12345");
}

TEST_F(LogTest, MasksTheLongerOfSecretsThatOverlap) {
  const auto log = this->log();
  for (const auto* secret : {"opensesame", "opensesame-2", "opensesame", "short"}) log.mask(Secret(secret));
  EXPECT_EQ(log.masked("opensesame-2, opensesame, short"), "***, ***, short");
  log.mask_lately(Secret("opensesame-2-again"));
  EXPECT_EQ(log.masked("opensesame-2-again"), "***") << "whichever way it was told";
}

TEST_F(LogTest, MasksOnlyTheLastOfValuesThatChangeForEver) {
  const auto log = this->log();
  log.mask(Secret("for-ever"));
  log.mask_lately(Secret("kept-anyway"));
  log.mask(Secret("kept-anyway"));
  log.mask_lately(Secret("for-ever"));  // does not make it one that is forgotten
  log.mask_lately(Secret("short"));
  log.mask_lately(Secret("told-first"));
  for (std::size_t i = 0; i < Log::kLatelyMaskedMax - 1; ++i) log.mask_lately(Secret("value-" + std::to_string(i)));
  EXPECT_EQ(log.masked("for-ever short told-first"), "*** short ***");
  log.mask_lately(Secret("value-0"));  // known already
  EXPECT_EQ(log.masked("told-first"), "***");
  log.mask_lately(Secret("value-new"));
  EXPECT_EQ(log.masked("for-ever kept-anyway told-first value-new"), "*** *** told-first ***");
  log.mask_lately(Secret("value-newer"));
  EXPECT_EQ(log.masked("value-0, value-1,"), "***, value-1,") << "told again later";
}

TEST_F(LogTest, DropsAndCountsLinesThatNobodyReads) {  // reliability/F24
  const auto log = this->log();
  for (int i = 0; i < 2000; ++i) log.info("line", {{"text", std::string(200, 'x')}});
  EXPECT_GT(log.dropped(), 0u);
}

TEST_F(LogTest, KeepsQuietBelowItsLevel) {
  log().debug("unseen");
  EXPECT_EQ(written(), "");
}

TEST(Pause, EndsEarlyAtADeadlineOrAStop) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(pause(1h, Deadline::in(1ms)));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(pause(1h, Deadline::in(1h, stop.get_token())));
  EXPECT_TRUE(pause(1ms, Deadline::in(1h)));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

}  // namespace
}  // namespace windlass
