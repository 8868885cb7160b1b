#include "sys/query.h"

#include <algorithm>

#include "base/text.h"

namespace windlass {

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    if (text.front() != '%') {
      result += text.front();
      text.remove_prefix(1);
      continue;
    }
    const auto byte = from_hex(text.substr(1, 2));
    if (!byte || byte->size() != 1) return std::nullopt;
    result += *byte;
    text.remove_prefix(3);
  }
  return result;
}

std::string url_encode(std::string_view text, std::string_view kept) {
  constexpr std::string_view digits = "0123456789ABCDEF", marks = "-._~";
  std::string encoded;
  for (const unsigned char byte : text) {
    const bool is_letter = (byte | 32) >= 'a' && (byte | 32) <= 'z';
    const bool is_digit = byte >= '0' && byte <= '9';
    if (is_letter || is_digit || marks.find(byte) != marks.npos || kept.find(byte) != kept.npos)
      encoded += static_cast<char>(byte);
    else
      encoded += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return encoded;
}

bool has_dot_segment(std::string_view path) {
  const auto parts = split(path, '/');
  return std::any_of(parts.begin(), parts.end(), [](std::string_view part) { return part == "." || part == ".."; });
}

std::optional<std::string> query_value(std::string_view query, std::string_view key) {
  if (query.empty()) return std::nullopt;
  const auto decoded = [](std::string_view part) {
    std::string spaced(part);
    std::replace(spaced.begin(), spaced.end(), '+', ' ');
    return percent_decoded(spaced);
  };
  for (const auto pair : split(query, '&')) {
    const auto equals = std::min(pair.find('='), pair.size());
    const auto name = decoded(pair.substr(0, equals));
    if (!name || *name != key) continue;
    if (auto value = decoded(pair.substr(std::min(equals + 1, pair.size())))) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> last_segment(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  if (path.empty() || path.find('/') != path.npos) return std::nullopt;
  return path;
}

}  // namespace windlass
