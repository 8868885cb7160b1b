// When to ask a server again, and after how long (oci 3.4).
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace windlass {

// A Retry-After above this ends the attempt: the job must not sit on a worker for so long.
constexpr std::chrono::seconds kRetryAfterMax{300};

bool is_worth_a_retry(int status);

// Seconds or an HTTP date, a day at most; nothing if it is neither.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, WallTime now);

// Full jitter: anything from nothing to base doubled `round` times, never above `max`.
std::chrono::milliseconds backoff(int round, std::chrono::milliseconds base, std::chrono::milliseconds max);

}  // namespace windlass
