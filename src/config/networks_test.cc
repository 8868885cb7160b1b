#include "config/networks.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

TEST(CanonicalNetwork, ClearsHostBits) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"10.1.2.3/8", "10.0.0.0/8"},         {"192.0.2.7/32", "192.0.2.7/32"}, {"1.2.3.4/0", "0.0.0.0/0"},
      {"172.31.255.1/12", "172.16.0.0/12"}, {"::1/128", "::1/128"},           {"2001:DB8:0:0::5/33", "2001:db8::/33"},
  };
  for (const auto& [text, network] : rows) EXPECT_EQ(canonical_network(text), network) << text;
}

TEST(CanonicalNetwork, RefusesEverythingElse) {
  for (const auto text : {"", "10.0.0.1", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/08", "10.0.0/8",
                          "host/8", "10.0.0.0/8/8", "010.0.0.0/8", "10.0.0.0/-1", "fe80::1%eth0/64"})
    EXPECT_EQ(canonical_network(text), std::nullopt) << text;
}

TEST(RegistryHost, TakesHostsWithOrWithoutAPort) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"Registry.Example", "registry.example"}, {"reg:5000", "reg:5000"},           {"127.0.0.1:1", "127.0.0.1:1"},
      {"[::1]:65535", "[::1]:65535"},           {"[2001:DB8::1]", "[2001:db8::1]"},
  };
  for (const auto& [text, host] : rows) EXPECT_EQ(registry_host(text), host) << text;
}

TEST(RegistryHost, RefusesEverythingElse) {
  for (const auto text : {"", "http://reg", "reg/path", "user@reg", "reg:0", "reg:65536", "reg:", "reg:x", ":5000",
                          "-reg", "reg-", "a..b", "re g", "[::1", "::1", "[::g]:1", "reg:1:2", "*"})
    EXPECT_EQ(registry_host(text), std::nullopt) << text;
}

}  // namespace
}  // namespace windlass
