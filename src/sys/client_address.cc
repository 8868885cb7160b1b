#include "sys/client_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace windlass {
namespace {

using Bytes = ClientAddresses::Bytes;

constexpr int kRelaysMax = 8;  // that are counted apart: the sender decides how many it claims

std::optional<Bytes> parse_address(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof terminated) return std::nullopt;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  Bytes bytes{};
  if (::inet_pton(AF_INET6, terminated, bytes.data()) == 1) return bytes;
  bytes[10] = bytes[11] = 0xFF;  // ::ffff:a.b.c.d
  if (::inet_pton(AF_INET, terminated, bytes.data() + 12) == 1) return bytes;
  return std::nullopt;
}

bool is_ipv4(const Bytes& bytes) {
  constexpr Bytes prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return std::equal(bytes.begin(), bytes.begin() + 12, prefix.begin());
}

// With brackets for IPv6.
std::string to_text(const Bytes& bytes) {
  char text[INET6_ADDRSTRLEN];
  if (is_ipv4(bytes)) return ::inet_ntop(AF_INET, bytes.data() + 12, text, sizeof text);
  return fmt::format("[{}]", ::inet_ntop(AF_INET6, bytes.data(), text, sizeof text));
}

// One entry of a list: an address, perhaps in quotes, in brackets, with a port.
std::optional<Bytes> parse_entry(std::string_view entry) {
  entry = trim(entry);
  if (entry.size() >= 2 && entry.front() == '"' && entry.back() == '"') entry = entry.substr(1, entry.size() - 2);
  if (entry.starts_with('[')) return parse_address(entry.substr(1, entry.find(']') - 1));
  if (std::count(entry.begin(), entry.end(), ':') == 1) entry = entry.substr(0, entry.find(':'));
  return parse_address(entry);
}

// The `for=` values of Forwarded (RFC 7239), in order.
void append_forwarded(std::string_view value, std::vector<std::string_view>& chain) {
  for (const auto element : split(value, ','))
    for (const auto pair : split(element, ';')) {
      const auto equals = pair.find('=');
      if (equals != pair.npos && same_name(trim(pair.substr(0, equals)), "for"))
        chain.push_back(pair.substr(equals + 1));
    }
}

}  // namespace

Result<ClientAddresses> ClientAddresses::make(const std::vector<std::string>& trusted_networks, std::string header) {
  ClientAddresses result;
  if (!header.empty()) result.header_ = std::move(header);
  for (const auto& text : trusted_networks) {
    const auto refused = [&] {
      return fail(Kind::invalid, fmt::format("invalid trusted proxy network \"{}\": expected CIDR", text));
    };
    const auto slash = text.find('/');
    if (slash == text.npos) return refused();
    const auto base = parse_address(std::string_view(text).substr(0, slash));
    int bits = -1;
    const auto end = text.data() + text.size();
    const auto number = std::from_chars(text.data() + slash + 1, end, bits);
    const bool is_short = base && text.find(':') == text.npos;
    if (!base || number.ec != std::errc() || number.ptr != end || bits < 0 || bits > (is_short ? 32 : 128))
      return refused();
    result.trusted_.push_back({*base, is_short ? bits + 96 : bits});
  }
  return result;
}

bool ClientAddresses::is_trusted(const Bytes& address) const {
  return std::any_of(trusted_.begin(), trusted_.end(), [&](const Network& network) {
    const int whole = network.bits / 8, rest = network.bits % 8;
    if (!std::equal(address.begin(), address.begin() + whole, network.base.begin())) return false;
    const auto mask = static_cast<std::uint8_t>(0xFF00 >> rest);
    return rest == 0 || (address[whole] & mask) == (network.base[whole] & mask);
  });
}

ClientAddresses::Client ClientAddresses::client_of(const std::vector<std::string_view>& chain) const {
  std::optional<Bytes> leftmost;
  Client client;
  int relays = 0;
  const auto relay = [&](const Bytes& address) {
    if (++relays <= kRelaysMax) client.relayed_by.insert(0, " by " + to_text(address));
  };
  for (auto entry = chain.rbegin(); entry != chain.rend(); ++entry) {
    const auto address = parse_entry(*entry);
    if (!address) continue;  // "unknown", "_hidden", nonsense (webhook/I6)
    if (leftmost) relay(*leftmost);
    leftmost = address;
    if (!is_trusted(*address)) break;
  }
  if (leftmost) client.address = to_text(*leftmost);
  return client;
}

ClientAddresses::Client ClientAddresses::client_of(const ServerRequest& request) const {
  const auto peer = parse_entry(request.peer);
  if (!peer || !is_trusted(*peer)) return {};
  if (same_name(header_, "X-Forwarded-For")) {
    std::vector<std::string_view> chain, forwarded;
    for (const auto& header : request.headers) {
      if (same_name(header.name, "X-Forwarded-For"))
        for (const auto entry : split(header.value, ',')) chain.push_back(entry);
      if (same_name(header.name, "Forwarded")) append_forwarded(header.value, forwarded);
    }
    auto client = client_of(chain);
    return client.address.empty() ? client_of(forwarded) : client;
  }
  const auto address = parse_address(trim(request.header(header_)));
  return address ? Client{.address = to_text(*address), .relayed_by = ""} : Client{};
}

std::string ClientAddresses::of(const ServerRequest& request) const {
  const auto client = client_of(request);
  if (client.address.empty()) return request.peer;
  return client.address + request.peer.substr(request.peer.rfind(':'));
}

std::string ClientAddresses::counted_as(const ServerRequest& request) const {
  const auto peer = without_port(request.peer);
  const auto [address, relayed_by] = client_of(request);
  if (address.empty() || (address == peer && relayed_by.empty())) return std::string(peer);
  return fmt::format("{}{} by {}", address, relayed_by, peer);
}

std::string_view without_port(std::string_view address_and_port) {
  return address_and_port.substr(0, address_and_port.rfind(':'));
}

}  // namespace windlass
