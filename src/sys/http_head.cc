#include "sys/http_head.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace windlass {
namespace {

constexpr auto kTokenBytes = [] {
  std::array<bool, 256> table{};
  for (unsigned char c :
       std::string_view("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
    table[c] = true;
  return table;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return kTokenBytes[c]; });
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return (c >= 0x20 && c != 0x7F) || c == '\t'; });
}

// A fragment never goes on the wire; bytes outside visible ASCII are no part of a URL.
bool is_target(std::string_view text) {
  return text.starts_with('/') &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7F && c != '#'; });
}

// Enough for names, addresses and ports; no blank, no comma list, no user and no path.
bool is_host(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (kTokenBytes[c] && c != '#' && c != '^' && c != '`' && c != '|') || c == ':' || c == '[' || c == ']';
  });
}

// Calls `take` with every non-empty member of a comma list.
template <class Take>
void for_each_member(std::string_view list, Take take) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (const auto member = without_blanks(list.substr(0, comma)); !member.empty()) take(member);
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
  }
}

}  // namespace

bool HttpHeadParser::deny(int status, std::string_view reason) {
  refusal_ = {status, std::string(reason)};
  return false;
}

HttpHeadParser::Progress HttpHeadParser::refuse(int status, std::string_view reason) {
  deny(status, reason);
  return Progress::refused;
}

HttpHeadParser::Progress HttpHeadParser::parse(std::string_view input) {
  // Bytes that can begin no method: a TLS greeting on the plain port, a stray line end, an old binary protocol.
  if (!has_request_line_ && !input.empty() && !kTokenBytes[static_cast<unsigned char>(input.front())])
    return refuse(400, "not an HTTP request");
  for (;;) {
    const auto end = input.find('\n', position_ + seen_);
    const auto line_size = (end == input.npos ? input.size() : end) - position_;
    if (line_size > kLineBytesMax) return refuse(431, "a line is longer than 16 KiB");
    if (position_ + line_size > kHeadBytesMax) return refuse(431, "the header is longer than 64 KiB");
    if (end == input.npos) {
      seen_ = line_size;
      return Progress::incomplete;
    }
    auto line = input.substr(position_, line_size);
    if (!line.ends_with('\r')) return refuse(400, "a line ends without a carriage return");
    line.remove_suffix(1);
    position_ = end + 1;
    seen_ = 0;
    if (!has_request_line_) {
      if (!take_request_line(line)) return Progress::refused;
    } else if (line.empty()) {
      return settle() ? Progress::complete : Progress::refused;
    } else if (!take_field(line)) {
      return Progress::refused;
    }
  }
}

bool HttpHeadParser::take_request_line(std::string_view line) {
  has_request_line_ = true;
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == line.npos || first == last) return deny(400, "malformed request line");
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_token(method)) return deny(400, "malformed method");
  if (!is_target(target)) return deny(400, "malformed request target");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    const bool other = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' &&
                       version.find_first_not_of("0123456789.", 5) == version.npos;
    return deny(other ? 505 : 400, other ? "unsupported protocol version" : "malformed protocol version");
  }
  version_1_0_ = version.back() == '0';
  head_.keep_alive = !version_1_0_;
  head_.method = method;
  const auto question = target.find('?');
  head_.path = target.substr(0, question);
  if (question != target.npos) head_.query = target.substr(question + 1);
  return true;
}

bool HttpHeadParser::take_field(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return deny(400, "folded header line");
  if (head_.headers.size() == kFieldsMax) return deny(431, "more than 200 header fields");
  const auto colon = line.find(':');
  if (colon == line.npos) return deny(400, "header line without a colon");
  const auto name = line.substr(0, colon);
  const auto value = without_blanks(line.substr(colon + 1));
  if (!is_token(name)) return deny(400, "malformed header name");
  if (!is_field_value(value)) return deny(400, "control character in a header value");
  if (!take_known_field(name, value)) return false;
  if (head_.headers.empty()) head_.headers.reserve(8);
  head_.headers.push_back({std::string(name), std::string(value)});
  return true;
}

// The fields that decide where this request ends and what happens to the connection.
bool HttpHeadParser::take_known_field(std::string_view name, std::string_view value) {
  if (same_name(name, "Host")) {
    if (++hosts_ > 1) return deny(400, "more than one Host");
    if (!is_host(value)) return deny(400, "malformed Host");
  } else if (same_name(name, "Content-Length")) {
    if (has_length_) return deny(400, "more than one Content-Length");
    has_length_ = true;
    const auto end = value.data() + value.size();
    const auto digits = std::from_chars(value.data(), end, head_.content_length);
    if (value.empty() || digits.ec != std::errc() || digits.ptr != end) return deny(400, "malformed Content-Length");
  } else if (same_name(name, "Transfer-Encoding")) {
    if (head_.chunked) return deny(400, "more than one Transfer-Encoding");
    if (!same_name(value, "chunked")) return deny(501, "unsupported Transfer-Encoding");
    head_.chunked = true;
  } else if (same_name(name, "Connection")) {
    for_each_member(value, [&](std::string_view option) {
      if (same_name(option, "close")) head_.keep_alive = false;
      if (same_name(option, "keep-alive") && version_1_0_) head_.keep_alive = true;
    });
  } else if (same_name(name, "Expect")) {
    if (!same_name(value, "100-continue")) return deny(417, "unsupported expectation");
    head_.expects_continue = !version_1_0_;
  }
  return true;
}

// Rules about the head as a whole.
bool HttpHeadParser::settle() {
  if (hosts_ == 0 && !version_1_0_) return deny(400, "missing Host");
  if (head_.chunked && has_length_) return deny(400, "both Content-Length and Transfer-Encoding");
  if (head_.chunked && version_1_0_) return deny(400, "Transfer-Encoding in HTTP/1.0");
  return true;
}

}  // namespace windlass
