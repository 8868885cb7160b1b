// How the commands show to people what a server said.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace windlass {

// Columns as wide as their widest text, two blanks between them. `rows`: the first is the heading. Control bytes of
// foreign text are shown as \xNN.
std::string table(const std::vector<std::vector<std::string>>& rows);

// Text of a server, which may have several lines, made safe for a terminal: as printable(), but line feeds stay.
std::string shown_lines(std::string_view text);

// "2026-01-02 03:04:05" of an RFC 3339 text; in UTC, as the service tells it.
std::string shown_time(std::string_view rfc3339);

// The first 12 hex digits of a digest: "sha256:1234567890ab".
std::string short_digest(std::string_view digest);

}  // namespace windlass
