#include "notify/message.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass {
namespace {

// Longer texts are logs, which services behind Apprise cut or refuse anyhow.
constexpr std::size_t kTextBytesMax = 16 << 10;

void add_line(std::string& body, std::string_view key, std::string_view value, std::string_view indent = "") {
  if (!value.empty()) body += fmt::format("\n{}{}: {}", indent, key, value);
}

// Sorted by key; "container_…" comes before "event", "service_…" after it.
std::string reconciliation_lines(const MessageContext& about) {
  std::string lines;
  const auto add_actor = [&] {
    if (about.actor_kind.empty()) return;
    add_line(lines, about.actor_kind + "_id", about.actor_id, "  ");
    add_line(lines, about.actor_kind + "_name", about.actor_name, "  ");
  };
  const bool is_first = about.actor_kind < "event";
  if (is_first) add_actor();
  add_line(lines, "event", about.reconciliation_event, "  ");
  if (!is_first) add_actor();
  add_line(lines, "trace_id", about.trace_id, "  ");
  return lines;
}

std::string context_lines(const MessageContext& about) {
  std::string lines;
  add_line(lines, "duration", about.duration);
  if (!about.is_reconciliation) add_line(lines, "job_id", about.job_id);
  add_line(lines, "repository", about.repository);
  add_line(lines, "revision", about.revision);
  add_line(lines, "stack", about.stack);
  if (!about.is_reconciliation) return lines;
  if (const auto inner = reconciliation_lines(about); !inner.empty()) lines += "\nreconciliation:" + inner;
  return lines;
}

}  // namespace

std::string_view emoji_of(NotificationLevel level) {
  switch (level) {
    case NotificationLevel::info:
      return "\u2139\ufe0f";
    case NotificationLevel::success:
      return "\u2705";
    case NotificationLevel::warning:
      return "\u26a0\ufe0f";
    case NotificationLevel::failure:
      return "\u274c";
  }
  return "";
}

std::string full_title(const Message& message) {
  return fmt::format("{} {}{}", emoji_of(message.level), message.about.is_reconciliation ? "[R] " : "", message.title);
}

std::string default_body(const Message& message) {
  auto body = message.text.substr(0, message.text.find_last_not_of("\r\n") + 1);
  if (const auto lines = context_lines(message.about); !lines.empty()) body += "\n" + lines;
  return body;
}

std::string sendable(std::string_view text) {
  std::string result;
  for (const auto line : split(text, '\n')) {
    if (result.size() >= kTextBytesMax) return result + "…";
    if (line.data() != text.data()) result += '\n';
    result += printable(line, kTextBytesMax - std::min(result.size(), kTextBytesMax));
  }
  return result;
}

}  // namespace windlass
