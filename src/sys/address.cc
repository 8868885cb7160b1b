#include "sys/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace windlass {
namespace {

struct Block4 {
  std::uint32_t network;
  int bits;
  AddressScope scope;
};

// RFC 6890 and its registry; first row that fits.
constexpr Block4 kBlocks4[] = {
    {0x7F000000, 8, AddressScope::loopback},     // 127.0.0.0
    {0xA9FE0000, 16, AddressScope::link_local},  // 169.254.0.0
    {0x0A000000, 8, AddressScope::rfc1918},      // 10.0.0.0
    {0xAC100000, 12, AddressScope::rfc1918},     // 172.16.0.0
    {0xC0A80000, 16, AddressScope::rfc1918},     // 192.168.0.0
    {0x00000000, 8, AddressScope::other},        // 0.0.0.0, "this network"
    {0x64400000, 10, AddressScope::other},       // 100.64.0.0, shared by carriers
    {0xC0000000, 24, AddressScope::other},       // 192.0.0.0, protocol assignments
    {0xC6120000, 15, AddressScope::other},       // 198.18.0.0, benchmarks
    {0xE0000000, 3, AddressScope::other},        // 224.0.0.0 and above: multicast, reserved, broadcast
};

AddressScope scope_of_v4(std::uint32_t address) {
  for (const auto& block : kBlocks4)
    if ((address ^ block.network) >> (32 - block.bits) == 0) return block.scope;
  return AddressScope::open;
}

using Bytes6 = std::array<unsigned char, 16>;

std::uint32_t v4_at(const Bytes6& address, std::size_t at) {
  return std::uint32_t{address[at]} << 24 | std::uint32_t{address[at + 1]} << 16 | std::uint32_t{address[at + 2]} << 8 |
         address[at + 3];
}

bool starts_with(const Bytes6& address, std::initializer_list<unsigned char> prefix) {
  return std::equal(prefix.begin(), prefix.end(), address.begin());
}

AddressScope scope_of_v6(const Bytes6& address) {
  const bool upper_zero = std::all_of(address.begin(), address.begin() + 10, [](auto byte) { return byte == 0; });
  if (upper_zero && v4_at(address, 8) == 0 && v4_at(address, 12) == 1) return AddressScope::loopback;
  if (upper_zero && v4_at(address, 8) == 0 && v4_at(address, 12) == 0) return AddressScope::other;
  if (upper_zero && (v4_at(address, 8) == 0xFFFF || v4_at(address, 8) == 0)) return scope_of_v4(v4_at(address, 12));
  if (starts_with(address, {0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) return scope_of_v4(v4_at(address, 12));
  if (starts_with(address, {0x20, 0x02})) return scope_of_v4(v4_at(address, 2));
  if (address[0] == 0xFE && (address[1] & 0xC0) == 0x80) return AddressScope::link_local;
  // 2000::/3 is all that is handed out for the Internet so far
  return (address[0] & 0xE0) == 0x20 ? AddressScope::open : AddressScope::other;
}

}  // namespace

AddressScope scope_of(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return scope_of_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    Bytes6 bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return scope_of_v6(bytes);
  }
  return AddressScope::other;
}

std::optional<AddressScope> scope_of_literal(std::string_view host) {
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.size() > INET6_ADDRSTRLEN || host.find('\0') != host.npos) return std::nullopt;
  const std::string text(host);
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return scope_of_v4(ntohl(v4.s_addr));
  Bytes6 v6;
  if (inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) return scope_of_v6(v6);
  return std::nullopt;
}

bool is_loopback_host(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || scope_of_literal(host) == AddressScope::loopback;
}

}  // namespace windlass
