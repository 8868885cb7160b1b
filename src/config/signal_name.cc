#include "config/signal_name.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace windlass {
namespace {

// The engine's own table for Linux, without the real-time ones.
constexpr std::array<std::string_view, 36> kNames = {
    "ABRT", "ALRM", "BUS",  "CHLD", "CLD",  "CONT",  "FPE",  "HUP",  "ILL",   "INT",   "IO",     "IOT",
    "KILL", "PIPE", "POLL", "PROF", "PWR",  "QUIT",  "SEGV", "STOP", "SYS",   "TERM",  "TRAP",   "TSTP",
    "TTIN", "TTOU", "URG",  "USR1", "USR2", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX", "STKFLT", "VTALRM"};

std::optional<int> number_in(std::string_view digits) {
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

bool is_between(std::optional<int> number, int least, int most) {
  return number && *number >= least && *number <= most;
}

}  // namespace

bool is_signal(std::string_view text) {
  if (is_between(number_in(text), 1, 64)) return true;
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string_view name = upper;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  if (name.starts_with("RTMIN+")) return is_between(number_in(name.substr(6)), 1, 15);
  if (name.starts_with("RTMAX-")) return is_between(number_in(name.substr(6)), 1, 14);
  return std::ranges::find(kNames, name) != kNames.end();
}

}  // namespace windlass
