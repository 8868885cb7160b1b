// Fields of the API's JSON objects.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "sys/json.h"

namespace windlass {

// JSON is UTF-8; what a container or a registry wrote need not be.
std::string proper(std::string_view text);

// Fields that are left out when there is nothing to say.
void add_if_set(json::object& object, std::string_view key, std::string_view value);
void add_if_set(json::object& object, std::string_view key, const std::optional<WallTime>& time);

}  // namespace windlass
