// The deploy-config target in the path of a webhook (webhook/A5 to A7).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace windlass {

// "/v1/webhook" and "/v1/webhook/{one segment}" are the endpoint, whatever the segment holds.
bool is_webhook_path(std::string_view path);

// The target of such a path, decoded once: "" if it names none, nothing if it is none (is_target).
std::optional<std::string> target_of(std::string_view path);

}  // namespace windlass
