// Time, behind a seam so that tests can turn it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace windlass {

using SteadyTime = std::chrono::steady_clock::time_point;  // spans and deadlines
using WallTime = std::chrono::system_clock::time_point;    // dates, UTC

struct Clock {
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
  virtual SteadyTime steady_now() const = 0;
};

struct SystemClock final : Clock {
  WallTime now() const override { return std::chrono::system_clock::now(); }
  SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
};

// A clock that stands until a test moves it.
struct FakeClock final : Clock {
  WallTime wall{std::chrono::seconds{1'767'323'045}};  // 2026-01-02T03:04:05Z
  SteadyTime steady{std::chrono::seconds{1000}};
  WallTime now() const override { return wall; }
  SteadyTime steady_now() const override { return steady; }
  void advance(std::chrono::milliseconds by) {
    wall += by;
    steady += by;
  }
};

std::int64_t to_unix_us(WallTime time);
WallTime from_unix_us(std::int64_t microseconds);
// The nearest time that a WallTime can hold: it ends in the year 2262, certificates may not.
WallTime from_unix_seconds(std::int64_t seconds);

// RFC 3339 in UTC, fraction with trailing zeros removed: "2026-01-02T03:04:05.1234Z" (api 3).
std::string to_rfc3339(WallTime time);
// A date and time of RFC 3339 with up to nine digits of a fraction, "Z" or an offset; nothing for any other text.
std::optional<WallTime> parse_rfc3339(std::string_view text);

// Go's way to write a span, as the logs and messages of doco-cd have it: "1.234s", "3m0s", "250ms", "0s".
std::string to_go_duration(std::chrono::nanoseconds span);

}  // namespace windlass
