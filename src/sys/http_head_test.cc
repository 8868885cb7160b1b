#include "sys/http_head.h"

#include <gtest/gtest.h>

#include <tuple>

namespace windlass {
namespace {

using Progress = HttpHeadParser::Progress;

std::string with_fields(std::string_view fields) {
  return "POST /v1/webhook HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

TEST(HttpHeadParser, ReadsARequest) {
  const std::string text =
      "POST /v1/webhook/prod?wait=true&x HTTP/1.1\r\nHost: a:80\r\nX-One:  two \t\r\nContent-Length: 12\r\n\r\n";
  HttpHeadParser parser;
  ASSERT_EQ(parser.parse(text + "next"), Progress::complete);
  EXPECT_EQ(parser.size(), text.size());
  const auto& head = parser.head();
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.path, "/v1/webhook/prod");
  EXPECT_EQ(head.query, "wait=true&x");
  EXPECT_EQ(head.content_length, 12u);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(head.headers.size(), 3u);
  EXPECT_EQ(head.headers[1].value, "two");
}

TEST(HttpHeadParser, ReadsTheSameHeadByteByByte) {
  const auto text = with_fields("Transfer-Encoding: Chunked\r\nExpect: 100-continue\r\nConnection: foo, Close\r\n");
  HttpHeadParser parser;
  for (std::size_t size = 1; size < text.size(); ++size)
    ASSERT_EQ(parser.parse(std::string_view(text).substr(0, size)), Progress::incomplete) << size;
  ASSERT_EQ(parser.parse(text), Progress::complete);
  EXPECT_TRUE(parser.head().chunked);
  EXPECT_TRUE(parser.head().expects_continue);
  EXPECT_FALSE(parser.head().keep_alive);
}

TEST(HttpHeadParser, KeepsAnOldConnectionOnlyWhenAsked) {
  HttpHeadParser closing, keeping;
  ASSERT_EQ(closing.parse("GET / HTTP/1.0\r\n\r\n"), Progress::complete);
  ASSERT_EQ(keeping.parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), Progress::complete);
  EXPECT_FALSE(closing.head().keep_alive);
  EXPECT_TRUE(keeping.head().keep_alive);
}

// reliability 6, rows "framing", "header" and "request line"
TEST(HttpHeadParser, RefusesWhatBreaksTheRules) {
  const std::tuple<std::string, int, std::string_view> kRefused[] = {
      {with_fields("Content-Length: -1\r\n"), 400, "malformed Content-Length"},
      {with_fields("Content-Length: +1\r\n"), 400, "malformed Content-Length"},
      {with_fields("Content-Length: 0x10\r\n"), 400, "malformed Content-Length"},
      {with_fields("Content-Length: ten\r\n"), 400, "malformed Content-Length"},
      {with_fields("Content-Length: 1 2\r\n"), 400, "malformed Content-Length"},
      {with_fields("Content-Length: 5, 5\r\n"), 400, "malformed Content-Length"},
      {with_fields("Content-Length:\r\n"), 400, "malformed Content-Length"},
      {with_fields("Content-Length: 18446744073709551616\r\n"), 400, "malformed Content-Length"},
      {with_fields("Content-Length: 5\r\ncontent-length: 5\r\n"), 400, "more than one Content-Length"},
      {with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400,
       "both Content-Length and Transfer-Encoding"},
      {with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400,
       "more than one Transfer-Encoding"},
      {with_fields("Transfer-Encoding: gzip, chunked\r\n"), 501, "unsupported Transfer-Encoding"},
      {with_fields("Transfer-Encoding: identity\r\n"), 501, "unsupported Transfer-Encoding"},
      {with_fields("Transfer-Encoding:\x0b chunked\r\n"), 400, "control character in a header value"},
      {with_fields("Expect: 200-ok\r\n"), 417, "unsupported expectation"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "Transfer-Encoding in HTTP/1.0"},

      {"POST / HTTP/1.1\r\n\r\n", 400, "missing Host"},
      {with_fields("Host: h\r\n"), 400, "more than one Host"},
      {"POST / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "malformed Host"},
      {"POST / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400, "malformed Host"},
      {"POST / HTTP/1.1\r\nHost: u@h/x\r\n\r\n", 400, "malformed Host"},
      {with_fields("X : y\r\n"), 400, "malformed header name"},
      {with_fields("X\t: y\r\n"), 400, "malformed header name"},
      {with_fields(": y\r\n"), 400, "malformed header name"},
      {with_fields("X[]: y\r\n"), 400, "malformed header name"},
      {with_fields("X: a\r\n b\r\n"), 400, "folded header line"},
      {with_fields("X: a\r\n\tb\r\n"), 400, "folded header line"},
      {"POST / HTTP/1.1\r\n Host: h\r\n\r\n", 400, "folded header line"},
      {with_fields("no colon here\r\n"), 400, "header line without a colon"},
      {with_fields(std::string_view("X: a\0b\r\n", 8)), 400, "control character in a header value"},
      {with_fields("X: a\rb\r\n"), 400, "control character in a header value"},
      {with_fields("X: a\r\r\n"), 400, "control character in a header value"},
      {with_fields("X: a\x7f\r\n"), 400, "control character in a header value"},
      {with_fields("X: a\nY: b\r\n"), 400, "a line ends without a carriage return"},
      {"POST / HTTP/1.1\nHost: h\n\n", 400, "a line ends without a carriage return"},
      {with_fields("X: " + std::string(16 << 10, 'a') + "\r\n"), 431, "a line is longer than 16 KiB"},
      {"POST /" + std::string(16 << 10, 'a'), 431, "a line is longer than 16 KiB"},

      {"GET /\r\n\r\n", 400, "malformed request line"},
      {"GET\r\n\r\n", 400, "malformed request line"},
      {"POST / http/1.1\r\n", 400, "malformed protocol version"},
      {"POST / HTTP/1.1 \r\n", 400, "malformed request target"},
      {"POST / x HTTP/1.1\r\n", 400, "malformed request target"},
      {"POST  / HTTP/1.1\r\n", 400, "malformed request target"},
      {"POST\t/ HTTP/1.1\r\n", 400, "malformed request line"},
      {"POST /\t HTTP/1.1\r\n", 400, "malformed request target"},
      {std::string("POST /\0 HTTP/1.1\r\n", 18), 400, "malformed request target"},
      {"POST /a\x01 HTTP/1.1\r\n", 400, "malformed request target"},
      {"POST /a#b HTTP/1.1\r\n", 400, "malformed request target"},
      {"POST /\xc3\xa4 HTTP/1.1\r\n", 400, "malformed request target"},
      {"POST v1/webhook HTTP/1.1\r\n", 400, "malformed request target"},
      {"POST http://h/v1/webhook HTTP/1.1\r\n", 400, "malformed request target"},
      {"OPTIONS * HTTP/1.1\r\n", 400, "malformed request target"},
      {"P(ST / HTTP/1.1\r\n", 400, "malformed method"},
      {"POST / HTTP/2.0\r\n", 505, "unsupported protocol version"},
      {"POST / HTTP/1.2\r\n", 505, "unsupported protocol version"},
      {"POST / HTTP/0.9\r\n", 505, "unsupported protocol version"},
      {"POST / HTTP/11\r\n", 400, "malformed protocol version"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed request target"},
      {"\x16\x03\x01\x02", 400, "not an HTTP request"},
      {"\r\nPOST / HTTP/1.1\r\n", 400, "not an HTTP request"},
      {" POST / HTTP/1.1\r\n", 400, "not an HTTP request"},
  };
  for (const auto& [text, status, reason] : kRefused) {
    SCOPED_TRACE(text.substr(0, 100));
    HttpHeadParser parser;
    EXPECT_EQ(parser.parse(text), Progress::refused);
    EXPECT_EQ(parser.refusal().status, status);
    EXPECT_EQ(parser.refusal().reason, reason);
  }
}

TEST(HttpHeadParser, BoundsTheWholeHeader) {
  std::string many, big;
  for (int i = 0; i < 200; ++i) many += "X: y\r\n";  // and Host: 201
  for (int i = 0; i < 5; ++i) big += "X: " + std::string(15 << 10, 'a') + "\r\n";
  for (const auto& [fields, reason] :
       {std::pair(many, "more than 200 header fields"), {big, "the header is longer than 64 KiB"}}) {
    HttpHeadParser parser;
    EXPECT_EQ(parser.parse(with_fields(fields)), Progress::refused);
    EXPECT_EQ(parser.refusal().status, 431);
    EXPECT_EQ(parser.refusal().reason, reason);
  }
}

}  // namespace
}  // namespace windlass
