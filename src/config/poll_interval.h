// The values that `interval` of a poll configuration may have (config 11).
#pragma once

#include <chrono>

#include "base/result.h"
#include "config/yaml.h"

namespace windlass {

// Whole seconds: a number, a text of digits, or a Go duration. The error is the rule that was broken. Not here: the
// least interval, and that 0 switches polling off.
Result<std::chrono::seconds> parse_poll_interval(const YamlNode& value);

}  // namespace windlass
