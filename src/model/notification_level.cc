#include "model/notification_level.h"

#include <iterator>

namespace windlass {
namespace {

constexpr std::string_view kNames[] = {"info", "success", "warning", "failure"};

}  // namespace

std::string_view to_string(NotificationLevel level) { return kNames[static_cast<std::size_t>(level)]; }

std::optional<NotificationLevel> parse_notification_level(std::string_view text) {
  for (std::size_t index = 0; index < std::size(kNames); ++index)
    if (kNames[index] == text) return static_cast<NotificationLevel>(index);
  return std::nullopt;
}

}  // namespace windlass
