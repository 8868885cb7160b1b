#include "sys/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>
#include <utility>

namespace windlass {
namespace {

constexpr std::pair<const char*, AddressScope> kLiterals[] = {
    {"127.0.0.1", AddressScope::loopback},
    {"127.255.0.1", AddressScope::loopback},
    {"::1", AddressScope::loopback},
    {"[::1]", AddressScope::loopback},
    {"::ffff:127.0.0.1", AddressScope::loopback},
    {"10.1.2.3", AddressScope::rfc1918},
    {"172.16.0.1", AddressScope::rfc1918},
    {"172.31.255.255", AddressScope::rfc1918},
    {"172.32.0.1", AddressScope::open},
    {"192.168.0.1", AddressScope::rfc1918},
    {"169.254.169.254", AddressScope::link_local},
    {"fe80::1", AddressScope::link_local},
    {"febf::1", AddressScope::link_local},
    {"::ffff:169.254.169.254", AddressScope::link_local},
    {"::169.254.169.254", AddressScope::link_local},
    {"64:ff9b::a9fe:a9fe", AddressScope::link_local},
    {"2002:a9fe:a9fe::1", AddressScope::link_local},
    {"0.0.0.0", AddressScope::other},
    {"::", AddressScope::other},
    {"100.64.0.1", AddressScope::other},
    {"224.0.0.1", AddressScope::other},
    {"255.255.255.255", AddressScope::other},
    {"fd00::1", AddressScope::other},
    {"ff02::1", AddressScope::other},
    {"8.8.8.8", AddressScope::open},
    {"2001:4860:4860::8888", AddressScope::open},
};

TEST(AddressScope, IsTheSameForALiteralAndASocketAddress) {
  for (const auto& [text, scope] : kLiterals) {
    SCOPED_TRACE(text);
    EXPECT_EQ(scope_of_literal(text), scope);
    if (*text == '[') continue;
    sockaddr_storage storage{};
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
      v4->sin_family = AF_INET;
    } else {
      ASSERT_EQ(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
      v6->sin6_family = AF_INET6;
    }
    EXPECT_EQ(scope_of(reinterpret_cast<const sockaddr&>(storage)), scope);
  }
}

TEST(AddressScope, IsUnknownOfNamesAndOddNumbers) {
  for (const char* text : {"localhost", "r.example", "", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
                           "169.16689662", "127.1", "010.0.0.1", "fe80::1%eth0", "[", "[]"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(scope_of_literal(text), std::nullopt);
  }
}

}  // namespace
}  // namespace windlass
