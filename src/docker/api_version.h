// Which version of the Engine API is spoken with an engine.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "docker/answers.h"

namespace windlass {

struct ApiVersion {
  int major = 0, minor = 0;
  auto operator<=>(const ApiVersion&) const = default;
  std::string str() const { return fmt::format("{}.{}", major, minor); }
};

// "1.47"; nothing if it is not two numbers.
std::optional<ApiVersion> parse_api_version(std::string_view text);

// The newest that both sides speak. Kind::invalid names the versions when there is none, or when the engine's is no
// version.
Result<ApiVersion> choose_version(const EngineVersion& server);

}  // namespace windlass
