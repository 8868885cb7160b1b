// Whose request this is, as far as trusted proxies tell. For the log and for throttling; never a reason to allow
// anything (webhook 10).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/http_server.h"

namespace windlass {

class ClientAddresses {
 public:
  ClientAddresses() = default;  // trusts nobody
  // `trusted_networks` are CIDRs; `header` is where the proxies write, empty: X-Forwarded-For. Kind::invalid
  // `invalid trusted proxy network "<x>": expected CIDR`.
  static Result<ClientAddresses> make(const std::vector<std::string>& trusted_networks, std::string header);

  // "203.0.113.9:4711" or "[2001:db8::1]:4711": the client's address, always with the peer's port.
  std::string of(const ServerRequest& request) const;

  // What throttling counts by: "203.0.113.9" for who has that address, "203.0.113.9 by 10.0.0.5" for who only says so,
  // with everybody that is said to have passed it on, the nearest to the client first. Private networks are trusted,
  // and containers are in them: what one of them claims must not count against the one whose address it claims.
  std::string counted_as(const ServerRequest& request) const;

  // An address in 16 bytes; IPv4 is mapped, so that both spellings of one are equal (webhook/I7).
  using Bytes = std::array<std::uint8_t, 16>;

 private:
  struct Network {
    Bytes base;
    int bits;
  };
  bool is_trusted(const Bytes& address) const;
  struct Client {
    std::string address;     // without a port; "": only the peer is known
    std::string relayed_by;  // " by <relay>" for each trusted one between it and the peer
  };
  // From the right the first that is not trusted, else the leftmost.
  Client client_of(const std::vector<std::string_view>& chain) const;
  Client client_of(const ServerRequest& request) const;

  std::vector<Network> trusted_;
  std::string header_ = "X-Forwarded-For";
};

// "203.0.113.9:4711" -> "203.0.113.9".
std::string_view without_port(std::string_view address_and_port);

}  // namespace windlass
