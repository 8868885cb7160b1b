#include "api/parameters.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "config/scalars.h"
#include "sys/http_answers.h"
#include "sys/query.h"

namespace windlass {
namespace {

constexpr std::size_t kLimitStandard = 50, kLimitMax = 200;

std::optional<std::size_t> positive_number(std::string_view text) {
  long long number = 0;
  const auto end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number <= 0) return std::nullopt;
  return static_cast<std::size_t>(number);
}

}  // namespace

tl::expected<std::size_t, ServerResponse> limit_parameter(std::string_view query, std::string_view job_id) {
  const auto written = query_value(query, "limit").value_or("");
  if (written.empty()) return kLimitStandard;
  const auto number = positive_number(written);
  if (!number)
    return tl::unexpected(
        error_answer(400, "invalid parameter: limit", "'limit' parameter must be a positive integer", job_id));
  return std::min(*number, kLimitMax);
}

tl::expected<bool, ServerResponse> wait_parameter(std::string_view query, bool standard, std::string_view job_id) {
  const auto written = query_value(query, "wait").value_or("");
  const auto wait = written.empty() ? standard : parse_bool(written);
  if (!wait)
    return tl::unexpected(
        error_answer(400, "invalid parameter: wait", "'wait' parameter must be true or false", job_id));
  return *wait;
}

}  // namespace windlass
