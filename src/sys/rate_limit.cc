#include "sys/rate_limit.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace windlass {
namespace {

// The address; of IPv6 the first 64 bits. "::ffff:192.0.2.1" is an IPv4 address and counts alone. What stands behind a
// space stays.
std::string key_of(std::string_view address) {
  const auto rest = address.substr(std::min(address.find(' '), address.size()));
  std::string text(address.substr(0, address.size() - rest.size()));
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  in6_addr bytes{};
  if (::inet_pton(AF_INET6, text.c_str(), &bytes) != 1 || IN6_IS_ADDR_V4MAPPED(&bytes)) return text + std::string(rest);
  std::memset(bytes.s6_addr + 8, 0, 8);
  char prefix[INET6_ADDRSTRLEN];
  return std::string(::inet_ntop(AF_INET6, &bytes, prefix, sizeof prefix)) + "/64" + std::string(rest);
}

}  // namespace

bool RateLimit::is_exhausted(std::string_view address, SteadyTime now) const {
  auto key = key_of(address);
  if (!windows_.contains(key) && windows_.size() >= kAddressesMax) key.clear();
  return is_over(key, now);
}

bool RateLimit::has_exhausted_its_own(std::string_view address, SteadyTime now) const {
  return is_over(key_of(address), now);
}

bool RateLimit::is_over(const std::string& key, SteadyTime now) const {
  const auto found = windows_.find(key);
  return found != windows_.end() && now < found->second.end && found->second.events >= events_max_;
}

bool RateLimit::count(std::string_view address, SteadyTime now) {
  auto& window = window_of(address, now);
  if (now >= window.end) window = {now + window_, 0};
  return ++window.events <= events_max_;
}

RateLimit::Window& RateLimit::window_of(std::string_view address, SteadyTime now) {
  auto key = key_of(address);
  if (const auto found = windows_.find(key); found != windows_.end()) return found->second;
  if (windows_.size() >= kAddressesMax && now >= next_clearing_) {
    std::erase_if(windows_, [&](const auto& entry) { return now >= entry.second.end; });
    next_clearing_ = now + window_;  // not at every newcomer of a flood
  }
  // Still full: a flood from everywhere. Newcomers share one window until there is room.
  if (windows_.size() >= kAddressesMax) key.clear();
  return windows_[key];
}

}  // namespace windlass
