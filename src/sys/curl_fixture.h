// What the tests of CurlTransport share: short patience, and servers that give one answer.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <utility>

#include "sys/curl_transport.h"
#include "sys/raw_server.h"

namespace windlass {

using namespace std::chrono_literals;

inline RawServer::Serve answering(std::string bytes) {
  return [bytes](const Peer& peer) {
    peer.read_head();
    peer.write(bytes);
    peer.wait_for_end();
  };
}

inline const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class CurlFixture : public testing::Test {
 protected:
  CurlFixture() { std::signal(SIGPIPE, SIG_IGN); }

  static HttpRequest get(std::string url) {
    return {.url = std::move(url), .connect_timeout = 1s, .header_timeout = 200ms, .idle_timeout = 200ms};
  }
  Result<HttpResponse> send(const HttpRequest& request) { return transport.send(request, Deadline::in(5s)); }
  Error error_of(const HttpRequest& request) {
    auto response = send(request);
    return response ? Error{Kind::internal, fmt::format("was answered with {}", response->status)} : response.error();
  }

  CurlTransport transport{CurlTransport::Options{}};
};

}  // namespace windlass
