#include "sys/http_retry.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <random>
#include <string>

#include "base/text.h"

namespace windlass {

bool is_worth_a_retry(int status) {
  constexpr int kStatuses[] = {408, 429, 499, 500, 502, 503, 504, 522};
  return std::find(std::begin(kStatuses), std::end(kStatuses), status) != std::end(kStatuses);
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, WallTime now) {
  constexpr std::chrono::seconds most = std::chrono::hours(24);
  value = trim(value);
  long seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error == std::errc::result_out_of_range) return most;
  if (error == std::errc() && end == value.data() + value.size() && seconds >= 0)
    return std::min(std::chrono::seconds(seconds), most);
  std::tm date{};
  const std::string text(value);
  const char* rest = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (!rest || *rest) return std::nullopt;
  // in seconds: the year 9999 is beyond the clock's own unit
  const auto wait =
      std::chrono::seconds(::timegm(&date)) - std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  return std::clamp(wait, std::chrono::seconds(0), most);
}

std::chrono::milliseconds backoff(int round, std::chrono::milliseconds base, std::chrono::milliseconds max) {
  const auto most = std::min<std::chrono::milliseconds>(base * (1LL << std::min(round, 20)), max);
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::chrono::milliseconds(std::uniform_int_distribution<long>(0, most.count())(random));
}

}  // namespace windlass
