// The text of a URL: percent-encoding and query parameters.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace windlass {

// Every %XX decoded once; nothing if a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text);

// Percent-encoded but for letters, digits, "-._~" (RFC 3986, 2.3) and the bytes of `kept`.
std::string url_encode(std::string_view text, std::string_view kept = {});

// Whether a part of the path, between slashes, is "." or "..": url_encode() leaves them as they are, and servers, or
// proxies before them, take them for a way to another path (RFC 3986, 5.2.4).
bool has_dot_segment(std::string_view path);

// The first value of that parameter, decoded, '+' as a space. A pair that cannot be decoded is passed over.
std::optional<std::string> query_value(std::string_view query, std::string_view key);

// The one segment behind `prefix`, still encoded: "/v1/api/run/" and "/v1/api/run/x" give "x"; empty and several give
// nothing.
std::optional<std::string_view> last_segment(std::string_view path, std::string_view prefix);

}  // namespace windlass
