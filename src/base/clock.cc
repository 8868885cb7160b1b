#include "base/clock.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace windlass {
namespace {

// "5", 120000000 of 1e9 -> "5.12"
std::string with_fraction(std::int64_t whole, std::int64_t part, int digits) {
  if (part == 0) return fmt::format("{}", whole);
  std::string fraction = fmt::format("{:0{}}", part, digits);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return fmt::format("{}.{}", whole, fraction);
}

// Exactly `count` digits at the front of `text`, which loses them.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return number;
}

// The number of two or four digits, then one of the characters `after` (none: nothing follows).
std::optional<int> take_field(std::string_view& text, std::size_t digits, std::string_view after) {
  const auto number = take_digits(text, digits);
  if (!number || after.empty()) return number;
  if (text.empty() || after.find(text.front()) == after.npos) return std::nullopt;
  text.remove_prefix(1);
  return number;
}

// ".123" at the front of `text`, which loses it.
std::optional<std::chrono::nanoseconds> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return std::chrono::nanoseconds(0);
  text.remove_prefix(1);
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > 9) return std::nullopt;
  std::int64_t number = *take_digits(text, digits);
  for (auto i = digits; i < 9; ++i) number *= 10;
  return std::chrono::nanoseconds(number);
}

// "Z", "+01:00"
std::optional<std::chrono::minutes> offset_of(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::minutes(0);
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_field(text, 2, ":");
  const auto minutes = take_field(text, 2, "");
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return std::chrono::minutes(sign * (*hours * 60 + *minutes));
}

}  // namespace

std::int64_t to_unix_us(WallTime time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

WallTime from_unix_us(std::int64_t microseconds) {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::microseconds(microseconds)));
}

WallTime from_unix_seconds(std::int64_t seconds) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max() / 1'000'000'000 - 1;
  return WallTime(std::chrono::seconds(std::clamp<std::int64_t>(seconds, -most, most)));
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto years = take_field(text, 4, "-"), months = take_field(text, 2, "-"), days = take_field(text, 2, "Tt");
  const auto hours = take_field(text, 2, ":"), minutes = take_field(text, 2, ":"), seconds = take_field(text, 2, "");
  if (!years || !months || !days || !hours || !minutes || !seconds) return std::nullopt;
  const auto fraction = take_fraction(text);
  const auto offset = offset_of(text);
  const year_month_day date{year(*years), month(static_cast<unsigned>(*months)), day(static_cast<unsigned>(*days))};
  if (!fraction || !offset || !date.ok() || *hours > 23 || *minutes > 59 || *seconds > 60) return std::nullopt;
  const auto whole = sys_days(date).time_since_epoch() + std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
                     std::chrono::seconds(*seconds) - *offset;
  return from_unix_seconds(duration_cast<std::chrono::seconds>(whole).count()) +
         duration_cast<WallTime::duration>(*fraction);
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
