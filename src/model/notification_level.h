// How much a notification matters (api/A2); the names are those on the wire.
#pragma once

#include <optional>
#include <string_view>

namespace windlass {

enum class NotificationLevel { info, success, warning, failure };  // by rank

std::string_view to_string(NotificationLevel level);
// Exact lower-case names only.
std::optional<NotificationLevel> parse_notification_level(std::string_view text);

}  // namespace windlass
