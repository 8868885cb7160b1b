// Rows for people: columns as wide as their widest text, two blanks between them.
#pragma once

#include <string>
#include <vector>

namespace windlass {

// `rows`: the first is the heading. Control bytes of foreign text are shown as \xNN.
std::string table(const std::vector<std::vector<std::string>>& rows);

// "2026-01-02 03:04:05" of an RFC 3339 text; in UTC, as the service tells it.
std::string shown_time(std::string_view rfc3339);

// The first 12 hex digits of a digest: "sha256:1234567890ab".
std::string short_digest(std::string_view digest);

}  // namespace windlass
