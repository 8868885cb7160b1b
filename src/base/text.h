// Small text helpers that every floor needs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace windlass {

// Without leading and trailing ASCII white space.
std::string_view trim(std::string_view text);

// ASCII letters in lower case; other bytes unchanged.
std::string lower(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

// Items of a comma list, trimmed, empty ones dropped (config 1.1).
std::vector<std::string> comma_list(std::string_view text);

bool is_valid_utf8(std::string_view text);

// Foreign text made safe to show: control bytes, broken UTF-8 and bidirectional overrides become \xNN; at most
// `bytes_max` bytes, cut with "…" (reliability/P19).
std::string printable(std::string_view text, std::size_t bytes_max = 4096);

// Lower-case hexadecimal.
std::string to_hex(std::string_view bytes);
// Both letter cases; nothing if the length is odd or a character is not hexadecimal.
std::optional<std::string> from_hex(std::string_view hex);

}  // namespace windlass
