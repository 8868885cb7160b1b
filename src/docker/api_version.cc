#include "docker/api_version.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace windlass {
namespace {

constexpr ApiVersion kNewest{1, 47};  // what we know how to speak; the calls used have not changed since kOldest
constexpr ApiVersion kOldest{1, 41};  // engine 20.10

}  // namespace

std::optional<ApiVersion> parse_api_version(std::string_view text) {
  const auto number = [](std::string_view digits, int& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  ApiVersion version;
  const auto dot = text.find('.');
  if (dot == text.npos || !number(text.substr(0, dot), version.major) || !number(text.substr(dot + 1), version.minor))
    return std::nullopt;
  return version;
}

Result<ApiVersion> choose_version(const EngineVersion& server) {
  const auto newest = parse_api_version(server.api_version);
  if (!newest)
    return fail(Kind::invalid, fmt::format("API version '{}' is not a version", printable(server.api_version, 64)));
  const auto spoken = std::min(kNewest, *newest);
  if (spoken < kOldest)
    return fail(Kind::invalid, fmt::format("speaks API {}, {} or newer is needed", newest->str(), kOldest.str()));
  const auto oldest = parse_api_version(server.min_api_version).value_or(kOldest);
  if (spoken < oldest)
    return fail(Kind::invalid,
                fmt::format("needs API {} or newer, windlass speaks up to {}", oldest.str(), spoken.str()));
  return spoken;
}

}  // namespace windlass
