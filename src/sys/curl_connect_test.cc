// Peers that no connection comes about to.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <vector>

#include "sys/curl_fixture.h"
#include "sys/files.h"

namespace windlass {
namespace {

using CurlConnectTest = CurlFixture;
using SteadyClock = std::chrono::steady_clock;

// oci 3.4: a port that is there, and takes no more connections
TEST_F(CurlConnectTest, GivesUpADialThatNobodyTakes) {
  const auto socket = [](int flags) {
    return FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  };
  const auto listener = socket(0);
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  auto* const at = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener.get(), at, size), 0);
  ASSERT_EQ(::getsockname(listener.get(), at, &size), 0);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  std::vector<FileDescriptor> waiting;  // fill its queue
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(socket(SOCK_NONBLOCK));
    (void)::connect(waiting.back().get(), at, size);
  }
  auto request = get(fmt::format("http://127.0.0.1:{}/x", ntohs(address.sin_port)));
  request.connect_timeout = 200ms;
  const auto error = error_of(request);
  EXPECT_EQ(error.kind, Kind::unavailable);
  EXPECT_EQ(error.message, "GET " + request.url + ": no connection within 200 ms");

  request.connect_timeout = 30s;
  const auto begin = SteadyClock::now();
  const auto response = transport.send(request, Deadline::in(100ms));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message, "GET " + request.url + ": deadline passed");
  EXPECT_LT(SteadyClock::now() - begin, 10s);
}

// reliability/F40; its first part is longer than any name server takes, so none is asked
TEST_F(CurlConnectTest, NamesAHostThatIsUnknown) {
  const auto host = std::string(64, 'a') + ".example";
  auto request = get("http://" + host + "/x");
  request.connect_timeout = 5s;
  const auto error = error_of(request);
  EXPECT_EQ(error.kind, Kind::unavailable);
  EXPECT_TRUE(error.message.starts_with("GET " + request.url + ": Could not resolve host: " + host)) << error.message;
}

}  // namespace
}  // namespace windlass
