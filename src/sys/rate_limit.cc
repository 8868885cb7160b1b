#include "sys/rate_limit.h"

namespace windlass {

bool RateLimit::is_exhausted(std::string_view address, SteadyTime now) const {
  auto found = windows_.find(std::string(address));
  if (found == windows_.end() && windows_.size() >= kAddressesMax) found = windows_.find("");
  return found != windows_.end() && now < found->second.end && found->second.events >= events_max_;
}

bool RateLimit::count(std::string_view address, SteadyTime now) {
  auto& window = window_of(address, now);
  if (now >= window.end) window = {now + window_, 0};
  return ++window.events <= events_max_;
}

RateLimit::Window& RateLimit::window_of(std::string_view address, SteadyTime now) {
  std::string key(address);
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
