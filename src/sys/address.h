// IP addresses by what they may be used for: the rule of who may be connected to (oci 3.1, reliability/P20, T6, T7).
#pragma once

#include <optional>
#include <string_view>

struct sockaddr;

namespace windlass {

enum class AddressScope {
  open,        // the public Internet
  loopback,    // this machine
  rfc1918,     // 10/8, 172.16/12, 192.168/16
  link_local,  // 169.254/16, fe80::/10: cloud metadata lives there; never contacted
  other,       // unspecified, shared, unique local, multicast, reserved
};

// Of a connected or about to be connected address. IPv6 forms that carry an IPv4 address (mapped, compatible, NAT64,
// 6to4) count as that address, so that no spelling hides a link-local one. Not IP at all: other.
AddressScope scope_of(const sockaddr& address);

// Of an IP literal: "10.0.0.1", "::1", "[::1]". Nothing for a host name, and for IPv4 in any but the dotted form.
std::optional<AddressScope> scope_of_literal(std::string_view host);

// "localhost", what ends in ".localhost", and literals of loopback addresses.
bool is_loopback_host(std::string_view host);

}  // namespace windlass
