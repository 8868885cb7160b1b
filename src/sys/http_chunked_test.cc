#include "sys/http_chunked.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using Progress = ChunkedBody::Progress;

TEST(ChunkedBody, PutsChunksTogetherAndLeavesTheNextRequest) {
  std::string input = "3\r\nabc\r\n0a;name=\"x\"\r\n0123456789\r\n0\r\nTrailer: ignored\r\n\r\nGET /";
  ChunkedBody chunked(100);
  ASSERT_EQ(chunked.feed(input), Progress::complete);
  EXPECT_EQ(chunked.body(), "abc0123456789");
  EXPECT_EQ(input, "GET /");
}

TEST(ChunkedBody, TakesItByteByByte) {
  const std::string text = "1\r\na\r\n1\r\nb\r\n000\r\n\r\n";
  ChunkedBody chunked(2);
  std::string input;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    input += text[i];
    ASSERT_EQ(chunked.feed(input), Progress::incomplete) << i;
  }
  input += text.back();
  EXPECT_EQ(chunked.feed(input), Progress::complete);
  EXPECT_EQ(chunked.body(), "ab");
  EXPECT_EQ(input, "");
}

// reliability/F88: at the limit, before the bytes are there
TEST(ChunkedBody, StopsAtTheLimit) {
  for (const std::string text : {"4\r\n", "3\r\nabc\r\n1\r\n", "ffffffffffffffff\r\n"}) {
    SCOPED_TRACE(text);
    ChunkedBody chunked(3);
    std::string input = text;
    EXPECT_EQ(chunked.feed(input), Progress::too_large);
  }
}

// reliability 6, row "framing"
TEST(ChunkedBody, RefusesBrokenFraming) {
  const std::pair<std::string, std::string_view> kRefused[] = {
      {"\r\n", "malformed chunk size"},
      {";x\r\n", "malformed chunk size"},
      {"-1\r\n", "malformed chunk size"},
      {"+1\r\n", "malformed chunk size"},
      {"0x1\r\n", "malformed chunk size"},
      {" 1\r\n", "malformed chunk size"},
      {"1 \r\n", "malformed chunk size"},
      {"1 ;x\r\n", "malformed chunk size"},
      {"g\r\n", "malformed chunk size"},
      {"00000000000000001\r\n", "malformed chunk size"},
      {"1\na\r\n", "a chunk line ends without a carriage return"},
      {"1;a\rb\r\n", "control character in a chunk line"},
      {"1\r\nab\r\n", "a chunk without its line end"},
      {"1\r\na\n", "a chunk without its line end"},
      {"1\r\na\rb", "a chunk without its line end"},
      {"0\r\nno colon\r\n", "malformed trailer"},
      {"0\r\n folded: x\r\n", "malformed trailer"},
      {std::string(5000, '1'), "a chunk line is too long"},
  };
  for (const auto& [text, reason] : kRefused) {
    SCOPED_TRACE(text.substr(0, 40));
    ChunkedBody chunked(1 << 20);
    std::string input = text;
    EXPECT_EQ(chunked.feed(input), Progress::refused);
    EXPECT_EQ(chunked.reason(), reason);
  }
}

}  // namespace
}  // namespace windlass
