#include "config/poll_interval.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/text.h"
#include "config/scalars.h"

namespace windlass {
namespace {

using std::chrono::seconds;

constexpr double kNanosecondsMax = static_cast<double>(std::numeric_limits<std::int64_t>::max());

tl::unexpected<Error> refuse(std::string_view rule) { return fail(Kind::invalid, std::string(rule)); }

// The whole text as a number, fraction and exponent allowed.
std::optional<double> number_in(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return kNanosecondsMax;
  return error == std::errc() && !std::isnan(number) ? std::optional(number) : std::nullopt;
}

Result<seconds> whole_seconds(double number) {
  if (std::abs(number) * 1e9 >= kNanosecondsMax) return refuse("out of range");
  if (number != std::floor(number)) return refuse("must be a whole number of seconds");
  return seconds(static_cast<std::int64_t>(number));
}

bool is_plain_bool(const YamlNode& value) {
  const auto word = lower(value.text);
  return !value.quoted && (word == "true" || word == "false");
}

}  // namespace

Result<seconds> parse_poll_interval(const YamlNode& value) {
  if (value.kind != YamlNode::Kind::scalar || is_plain_bool(value)) return refuse("expected number or string");
  const auto text = trim(value.text);
  if (text.empty()) return refuse("must not be empty");
  const bool has_digits_only = text.find_first_not_of("+-0123456789") == text.npos;
  if (!value.quoted || has_digits_only)
    if (const auto number = number_in(text)) return whole_seconds(*number);
  const auto span = parse_duration(text);
  if (!span) return refuse("must be seconds or a Go duration");
  const auto whole = std::chrono::duration_cast<seconds>(*span);
  if (whole != *span) return refuse("must resolve to full seconds");
  return whole;
}

}  // namespace windlass
