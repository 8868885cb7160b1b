#include "cli/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace windlass {
namespace {

constexpr std::size_t kCellMax = 400;

}  // namespace

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], printable(row[i], kCellMax).size());
    }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += fmt::format("{:<{}}  ", printable(row[i], kCellMax), widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string shown_lines(std::string_view text) {
  std::string lines;
  for (const auto line : split(text, '\n')) lines += (lines.empty() ? "" : "\n") + printable(line);
  return lines;
}

std::string shown_time(std::string_view rfc3339) {
  if (rfc3339.size() < 19) return std::string(rfc3339);
  return fmt::format("{} {}", rfc3339.substr(0, 10), rfc3339.substr(11, 8));
}

std::string short_digest(std::string_view digest) {
  const auto colon = digest.find(':');
  return std::string(digest.substr(0, colon == digest.npos ? digest.size() : colon + 13));
}

}  // namespace windlass
