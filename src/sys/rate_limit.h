// Counts events by address in windows of time, in bounded memory (reliability/P13, P14). An IPv6 address counts with
// all of its /64: one subscriber has that many to choose from. An address may be followed by a space and more, which
// tells it apart from the same one without.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace windlass {

// Not thread-safe: one thread asks.
class RateLimit {
 public:
  RateLimit(std::size_t events_max, std::chrono::milliseconds window) : events_max_(events_max), window_(window) {}

  // Has this address used up what it may in its present window, or, where it has none yet, all newcomers of a flood?
  bool is_exhausted(std::string_view address, SteadyTime now) const;
  // The same without the flood of the others.
  bool has_exhausted_its_own(std::string_view address, SteadyTime now) const;
  // Counts one event; false when it is more than allowed.
  bool count(std::string_view address, SteadyTime now);

 private:
  static constexpr std::size_t kAddressesMax = 4096;
  struct Window {
    SteadyTime end;
    std::size_t events = 0;
  };
  bool is_over(const std::string& key, SteadyTime now) const;
  Window& window_of(std::string_view address, SteadyTime now);

  std::size_t events_max_;
  std::chrono::milliseconds window_;
  std::unordered_map<std::string, Window> windows_;
  SteadyTime next_clearing_;
};

}  // namespace windlass
