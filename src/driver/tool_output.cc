#include "driver/tool_output.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/mask_forms.h"
#include "base/text.h"

namespace windlass {
namespace {

constexpr std::size_t kErrorBytesMax = 4 << 10;

// One line of logrus, the tool's logger: time="…" level=warning msg="…"
struct LogLine {
  std::string_view level;
  std::string message;
};

std::optional<LogLine> parse_log_line(std::string_view line) {
  constexpr std::string_view level_mark = " level=";
  constexpr std::string_view message_mark = " msg=";
  const auto level_at = line.find(level_mark);
  const auto message_at = line.find(message_mark);
  if (!line.starts_with("time=") || level_at == line.npos || message_at == line.npos) return std::nullopt;
  LogLine result;
  const auto level = line.substr(level_at + level_mark.size());
  result.level = level.substr(0, level.find(' '));
  auto text = line.substr(message_at + message_mark.size());
  if (!text.starts_with('"')) {
    result.message = text;
    return result;
  }
  text.remove_prefix(1);
  for (std::size_t i = 0; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    result.message += text[i];
  }
  return result;
}

// " Container shop-web-1  Creating"; errors are repeated on a line of their own.
bool is_progress(std::string_view line) {
  constexpr std::array<std::string_view, 4> things = {" Container ", " Network ", " Volume ", " Image "};
  return std::any_of(things.begin(), things.end(), [&](auto thing) { return line.starts_with(thing); });
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

}  // namespace

void Masks::add(std::string_view value) {
  if (value.size() < kMaskBytesMin) return;
  const auto place =
      std::find_if(values_.begin(), values_.end(), [&](auto& old) { return old.size() <= value.size(); });
  values_.emplace(place, value);
}

std::string Masks::apply(std::string text) const {
  for (const auto& value : values_) text = replaced(std::move(text), value, "***");
  return text;
}

std::string error_text(std::string_view standard_error) {
  std::vector<std::string> lines;
  for (auto line : split(standard_error, '\n')) {
    if (is_progress(line)) continue;
    const auto logged = parse_log_line(line);
    if (logged && logged->level != "error" && logged->level != "fatal") continue;
    auto text = logged ? logged->message : std::string(trim(line));
    if (!text.empty() && (lines.empty() || lines.back() != text)) lines.push_back(std::move(text));
  }
  auto text = join(lines, "; ");
  if (text.size() > kErrorBytesMax) text.erase(0, text.size() - kErrorBytesMax);
  return printable(text, 2 * kErrorBytesMax);
}

std::vector<std::string> warnings_in(std::string_view standard_error) {
  std::vector<std::string> warnings;
  for (auto line : split(standard_error, '\n'))
    if (auto logged = parse_log_line(line); logged && logged->level == "warning")
      warnings.push_back(printable(logged->message, kErrorBytesMax));
  return warnings;
}

}  // namespace windlass
