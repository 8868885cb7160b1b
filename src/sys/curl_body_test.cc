// Bodies, as they are sent and taken: whole, piece by piece, and the pages of errors.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sys/curl_fixture.h"

namespace windlass {
namespace {

using CurlBodyTest = CurlFixture;

TEST_F(CurlBodyTest, PostsABody) {
  std::string head;
  RawServer server([&](const Peer& peer) {
    head = peer.read_head();
    peer.write(kOk);
  });
  auto request = get(server.url());
  request.method = "POST";
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "text/plain"}, {"X-Empty", ""}};
  request.body = "{}";
  ASSERT_TRUE(send(request));
  const auto host = server.url("").substr(7);
  EXPECT_EQ(head, "POST /x HTTP/1.1\r\nHost: " + host +
                      "\r\nContent-Type: application/json\r\nAccept: text/plain\r\nX-Empty:\r\n"
                      "User-Agent: windlass\r\nContent-Length: 2\r\n\r\n");
}

UploadBody upload_of(const std::string& bytes) {
  return {bytes.size(), [bytes](std::uint64_t offset, char* out, std::size_t out_bytes) -> Result<std::size_t> {
            return bytes.copy(out, std::min<std::size_t>(out_bytes, 7), offset);
          }};
}

TEST_F(CurlBodyTest, UploadsABodyPieceByPiece) {
  std::string head, body;
  RawServer server([&](const Peer& peer) {
    head = peer.read_head();
    body = peer.read_bytes(1000);
    peer.write(kOk);
  });
  auto request = get(server.url());
  request.method = "PUT";
  request.headers = {{"Content-Type", "application/octet-stream"}};
  request.upload = upload_of(std::string(1000, 'x'));
  const auto response = send(request);
  ASSERT_TRUE(response) << response.error().message;
  const auto host = server.url("").substr(7);
  EXPECT_EQ(head, "PUT /x HTTP/1.1\r\nHost: " + host +
                      "\r\nAccept: */*\r\nContent-Type: application/octet-stream\r\n"
                      "User-Agent: windlass\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_EQ(body, std::string(1000, 'x'));
}

TEST_F(CurlBodyTest, EndsAnUploadWhoseBodyCannotBeRead) {
  RawServer server([&](const Peer& peer) { peer.wait_for_end(); });
  auto request = get(server.url());
  request.method = "PUT";
  request.upload = {10, [](std::uint64_t, char*, std::size_t) -> Result<std::size_t> {
                      return fail(Kind::internal, "the disk is broken");
                    }};
  const auto error = error_of(request);
  EXPECT_EQ(error.kind, Kind::internal);
  EXPECT_EQ(error.message, "PUT " + server.url() + ": the disk is broken");
}

TEST_F(CurlBodyTest, GivesHeadersAndBodyOfAnyStatus) {
  RawServer server(
      answering("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
                "HTTP/1.1 404 Not Found\r\nX-A: 1\r\nx-a:  2 \r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"));
  const auto response = send(get(server.url()));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->header("X-a"), "1");
  EXPECT_EQ(response->header("X-Early"), "");
  EXPECT_EQ(response->headers.size(), 3u);
  EXPECT_EQ(response->body, "abcde");
}

TEST_F(CurlBodyTest, StreamsTheBodyWhenWanted) {
  RawServer server(answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"));
  std::string taken;
  auto request = get(server.url());
  request.body_bytes_max = 4;
  const auto response = transport.stream(
      request, [](const HttpResponse& head) { return head.status == 200; },
      [&](std::string_view bytes) {
        taken += bytes;
        return Status();
      },
      Deadline::in(5s));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(taken, "0123456789");
  EXPECT_EQ(response->body, "");
}

TEST_F(CurlBodyTest, EndsWithTheErrorOfTheSink) {
  RawServer server(answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"));
  const auto response = transport.stream(
      get(server.url()), [](const HttpResponse&) { return true; },
      [](std::string_view) -> Status { return fail(Kind::unavailable, "no space left on device"); }, Deadline::in(5s));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message, "GET " + server.url() + ": no space left on device");
}

// oci 3.4: a page that is too long hides neither that it is an error nor which
TEST_F(CurlBodyTest, CutsThePageOfAnError) {
  const auto said = [](const std::string& status, std::size_t bytes) {
    return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", status, bytes, std::string(bytes, 'a'));
  };
  const std::string chunk = "1000\r\n" + std::string(4096, 'a') + "\r\n";
  const std::uint64_t none = HttpRequest().error_body_bytes_max;
  const struct {
    std::string name, bytes;
    std::uint64_t error_bytes_max;
    std::string result;
  } rows[] = {
      {"at the limit", said("503 Unavailable", 1000), none, "503 1000"},
      {"over the limit", said("503 Unavailable", 9999), none, "503 1000"},
      {"in chunks", "HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk, none, "502 1000"},
      {"without an end", "HTTP/1.1 404 Not Found\r\n\r\n" + std::string(2000, 'a'), none, "404 1000"},
      {"over the limit of errors", said("400 Bad Request", 500), 10, "400 10"},
      {"no error", said("200 OK", 500), 10, "200 500"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    RawServer server(answering(row.bytes));
    auto request = get(server.url());
    request.body_bytes_max = 1000;
    request.error_body_bytes_max = row.error_bytes_max;
    const auto response = send(request);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(fmt::format("{} {}", response->status, response->body.size()), row.result);
  }
}

// Of whatever status: a registry may answer with another range than it was asked for (oci 3.3).
TEST_F(CurlBodyTest, CutsWhatIsSentInPlaceOfAStream) {
  const std::pair<std::string, int> rows[] = {
      {"503 Unavailable", 503},
      {"206 Partial Content\r\nContent-Range: bytes 0-9998/9999", 206},
      {"307 Temporary Redirect\r\nLocation: /y", 307},
  };
  for (const auto& [head, status] : rows) {
    SCOPED_TRACE(head);
    RawServer server(
        answering(fmt::format("HTTP/1.1 {}\r\nContent-Length: 9999\r\n\r\n{}", head, std::string(9999, 'a'))));
    auto request = get(server.url());
    request.header_timeout = request.idle_timeout = 5s;
    request.body_bytes_max = 1000;
    const auto response = transport.stream(
        request, [](const HttpResponse& answer) { return answer.status == 200; },
        [](std::string_view) -> Status { return fail(Kind::internal, "not for the sink"); }, Deadline::in(5s));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, status);
    EXPECT_EQ(response->body.size(), 1000u);
  }
}

}  // namespace
}  // namespace windlass
