#include "config/networks.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/scalars.h"

namespace windlass {
namespace {

constexpr std::string_view kHostCharacters = "abcdefghijklmnopqrstuvwxyz0123456789.-";

std::string masked(int family, const std::string& address, unsigned bits) {
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(family, address.c_str(), bytes.data()) != 1) return "";
  const unsigned width = family == AF_INET ? 32 : 128;
  if (bits > width) return "";
  for (unsigned bit = bits; bit < width; ++bit) bytes[bit / 8] &= static_cast<unsigned char>(~(0x80 >> bit % 8));
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, bytes.data(), text.data(), text.size());
  return fmt::format("{}/{}", text.data(), bits);
}

bool is_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    std::array<unsigned char, 16> bytes{};
    return inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), bytes.data()) == 1;
  }
  const auto labels = split(host, '.');
  return host.size() <= 253 && host.find_first_not_of(kHostCharacters) == host.npos &&
         std::all_of(labels.begin(), labels.end(), [](auto label) {
           return !label.empty() && label.size() <= 63 && !label.starts_with('-') && !label.ends_with('-');
         });
}

bool is_port(std::string_view text) {
  const auto port = parse_unsigned(text);
  return port && *port >= 1 && *port <= 65535;
}

}  // namespace

std::optional<std::string> canonical_network(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos || text.find('\0') != text.npos) return std::nullopt;
  const std::string address(text.substr(0, slash));
  const auto prefix = text.substr(slash + 1);
  const auto bits = parse_unsigned(prefix);
  if (!bits || *bits > 128 || (prefix.size() > 1 && prefix.front() == '0')) return std::nullopt;
  const int family = address.find(':') == address.npos ? AF_INET : AF_INET6;
  auto network = masked(family, address, static_cast<unsigned>(*bits));
  if (network.empty()) return std::nullopt;
  return network;
}

std::optional<std::string> registry_host(std::string_view text) {
  auto host = lower(text);
  const std::string_view view = host;
  const auto after_address = view.rfind(']');
  const auto colon = view.find(':', after_address == view.npos ? 0 : after_address);
  if (colon != view.npos && !is_port(view.substr(colon + 1))) return std::nullopt;
  if (!is_host(view.substr(0, colon))) return std::nullopt;
  return host;
}

}  // namespace windlass
