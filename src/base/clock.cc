#include "base/clock.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace windlass {
namespace {

// "5", 120000000 of 1e9 -> "5.12"
std::string with_fraction(std::int64_t whole, std::int64_t part, int digits) {
  if (part == 0) return fmt::format("{}", whole);
  std::string fraction = fmt::format("{:0{}}", part, digits);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return fmt::format("{}.{}", whole, fraction);
}

}  // namespace

std::int64_t to_unix_us(WallTime time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

WallTime from_unix_us(std::int64_t microseconds) {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::microseconds(microseconds)));
}

std::string to_rfc3339(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto part = std::chrono::duration_cast<std::chrono::nanoseconds>(time - seconds).count();
  std::string text = fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
  if (part != 0) text += with_fraction(0, part, 9).substr(1);
  return text + "Z";
}

std::string to_go_duration(std::chrono::nanoseconds span) {
  std::int64_t ns = span.count();
  if (ns == 0) return "0s";
  const std::string sign = ns < 0 ? "-" : "";
  if (ns < 0) ns = -ns;
  if (ns < 1'000) return fmt::format("{}{}ns", sign, ns);
  if (ns < 1'000'000) return sign + with_fraction(ns / 1'000, ns % 1'000, 3) + "µs";
  if (ns < 1'000'000'000) return sign + with_fraction(ns / 1'000'000, ns % 1'000'000, 6) + "ms";
  const std::int64_t total_seconds = ns / 1'000'000'000;
  const std::int64_t hours = total_seconds / 3600;
  const std::int64_t minutes = total_seconds / 60 % 60;
  std::string text = sign;
  if (hours > 0) text += fmt::format("{}h", hours);
  if (total_seconds >= 60) text += fmt::format("{}m", minutes);
  return text + with_fraction(total_seconds % 60, ns % 1'000'000'000, 9) + "s";
}

}  // namespace windlass
