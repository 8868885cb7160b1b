// How long a wait may last, and who may end it early.
#pragma once

#include <algorithm>
#include <chrono>
#include <stop_token>

namespace windlass {

// Passed down to everything that blocks: no wait of windlass is without an end (reliability/P12).
struct Deadline {
  std::chrono::steady_clock::time_point at = std::chrono::steady_clock::time_point::max();
  std::stop_token stop;  // asked to stop: the caller gives up at once

  static Deadline in(std::chrono::milliseconds span, std::stop_token stop = {}) {
    return {std::chrono::steady_clock::now() + span, std::move(stop)};
  }
  // The earlier of this deadline and one in `span` from now; the same stop token.
  Deadline within(std::chrono::milliseconds span) const {
    return {std::min(at, std::chrono::steady_clock::now() + span), stop};
  }
  bool passed() const { return stop.stop_requested() || std::chrono::steady_clock::now() >= at; }
  // What is left, never negative, at most one day.
  std::chrono::milliseconds left() const {
    using namespace std::chrono_literals;
    const auto now = std::chrono::steady_clock::now();
    if (now >= at) return 0ms;
    return std::min<std::chrono::milliseconds>(
        std::chrono::ceil<std::chrono::milliseconds>(std::min(at - now, std::chrono::steady_clock::duration(24h))),
        24h);
  }
};

// Waits; false if the deadline passes or a stop comes first.
bool pause(std::chrono::milliseconds span, const Deadline& deadline);

}  // namespace windlass
