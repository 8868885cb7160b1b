#include "sys/client_address.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

const std::vector<std::string> kDefaultNetworks = {"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                                   "::1/128"};

std::string client(std::string peer, std::vector<HttpHeader> headers, std::string trusted_header = "") {
  const auto addresses = ClientAddresses::make(kDefaultNetworks, std::move(trusted_header));
  if (!addresses) return addresses.error().message;
  return addresses->of({.headers = std::move(headers), .peer = std::move(peer)});
}

TEST(ClientAddresses, FollowsTrustedProxiesOnly) {
  const struct {
    std::string_view id, peer;
    std::vector<HttpHeader> headers;
    std::string_view client;
  } kRows[] = {
      {"webhook 10, vectors", "10.0.0.5:4711", {{"X-Forwarded-For", "203.0.113.9, 10.0.0.5"}}, "203.0.113.9:4711"},
      {"vectors", "10.0.0.5:4711", {{"x-forwarded-for", "10.0.0.7, 10.0.0.5"}}, "10.0.0.7:4711"},
      {"vectors", "10.0.0.5:4711", {{"Forwarded", "for=\"[2001:db8::1]:443\";proto=https"}}, "[2001:db8::1]:4711"},
      {"I1", "198.51.100.1:4711", {{"X-Forwarded-For", "203.0.113.9"}}, "198.51.100.1:4711"},
      {"I2",
       "10.0.0.5:1",
       {{"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-For", "203.0.113.9, 10.1.1.1"}},
       "203.0.113.9:1"},
      {"I3",
       "10.0.0.5:1",
       {{"X-Forwarded-For", "unknown"}, {"Forwarded", "for=1.2.3.4;by=x, For=5.6.7.8"}},
       "5.6.7.8:1"},
      {"I5", "10.0.0.5:1", {}, "10.0.0.5:1"},
      {"I6", "10.0.0.5:1", {{"X-Forwarded-For", "203.0.113.9, _hidden, unknown, 1.2.3"}}, "203.0.113.9:1"},
      {"I7", "10.0.0.5:1", {{"X-Forwarded-For", "::ffff:203.0.113.9, ::ffff:10.0.0.1"}}, "203.0.113.9:1"},
      {"I8", "[::1]:99", {{"X-Forwarded-For", "2001:DB8::2"}}, "[2001:db8::2]:99"},
      {"I8", "[2001:db8::9]:99", {{"X-Forwarded-For", "1.2.3.4"}}, "[2001:db8::9]:99"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.id);
    EXPECT_EQ(client(std::string(row.peer), row.headers), row.client);
  }
}

// A container may claim any address, by itself or through the proxy.
TEST(ClientAddresses, CountApartWhoOnlyClaimsThem) {
  const auto addresses = *ClientAddresses::make(kDefaultNetworks, "");
  const auto counted = [&](std::string peer, std::string forwarded_for) {
    return addresses.counted_as({.headers = {{"X-Forwarded-For", std::move(forwarded_for)}}, .peer = std::move(peer)});
  };
  EXPECT_EQ(counted("203.0.113.9:1", ""), "203.0.113.9");
  EXPECT_EQ(counted("203.0.113.9:1", "1.2.3.4"), "203.0.113.9");
  EXPECT_EQ(counted("10.0.0.5:1", ""), "10.0.0.5");
  EXPECT_EQ(counted("10.0.0.5:1", "10.0.0.5"), "10.0.0.5");
  EXPECT_EQ(counted("10.0.0.5:1", "203.0.113.9"), "203.0.113.9 by 10.0.0.5");
  EXPECT_EQ(counted("172.17.0.3:1", "203.0.113.9"), "203.0.113.9 by 172.17.0.3");
  EXPECT_EQ(counted("10.0.0.5:1", "203.0.113.9, 172.17.0.3"), "203.0.113.9 by 172.17.0.3 by 10.0.0.5");
  EXPECT_EQ(counted("10.0.0.5:1", "172.17.0.3, 10.0.0.1"), "172.17.0.3 by 10.0.0.1 by 10.0.0.5");
  EXPECT_EQ(counted("[::1]:1", "2001:db8::2"), "[2001:db8::2] by [::1]");
  std::string many = "1.2.3.4";
  for (int i = 0; i < 1000; ++i) many += ",10.0.0.1";
  EXPECT_LT(counted("10.0.0.5:1", many).size(), 200u);
  const auto other = *ClientAddresses::make(kDefaultNetworks, "X-Real-IP");
  EXPECT_EQ(other.counted_as({.headers = {{"X-Real-IP", "203.0.113.9"}}, .peer = "10.0.0.5:1"}),
            "203.0.113.9 by 10.0.0.5");
}

// webhook/I4
TEST(ClientAddresses, TakesAnotherHeaderAsOneWholeAddress) {
  const std::vector<HttpHeader> one = {{"X-Real-IP", "203.0.113.9"}, {"X-Forwarded-For", "9.9.9.9"}};
  const std::vector<HttpHeader> list = {{"X-Real-IP", "203.0.113.9, 1.2.3.4"}, {"X-Forwarded-For", "9.9.9.9"}};
  EXPECT_EQ(client("10.0.0.5:1", one, "x-real-ip"), "203.0.113.9:1");
  EXPECT_EQ(client("10.0.0.5:1", list, "x-real-ip"), "10.0.0.5:1");
}

// webhook/I9
TEST(ClientAddresses, RefusesWhatIsNoNetwork) {
  for (const std::string text :
       {"", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "::/129", "a/8", "10.0.0.0/8x"}) {
    const auto addresses = ClientAddresses::make({text}, "");
    ASSERT_FALSE(addresses) << text;
    EXPECT_EQ(addresses.error().message, "invalid trusted proxy network \"" + text + "\": expected CIDR");
  }
}

}  // namespace
}  // namespace windlass
