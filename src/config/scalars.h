// The grammar of scalar settings (config 1.1).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace windlass {

// 1 t T true TRUE True, 0 f F false FALSE False.
std::optional<bool> parse_bool(std::string_view text);

// Base 10, digits only, no spaces.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

// As Go writes spans of time: an optional sign, then decimal numbers each with its unit, "1h30m", "1.5s", "300ms"; or
// "0". Units: ns us µs ms s m h. Nothing when it does not fit 292 years.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace windlass
