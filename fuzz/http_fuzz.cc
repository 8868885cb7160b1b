// Bytes of an HTTP connection: heads and chunked bodies, one request after the other (reliability 6).
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "sys/http_chunked.h"
#include "sys/http_head.h"
#include "webhook/target.h"

namespace windlass {
namespace {

using Head = HttpHeadParser::Progress;
using Body = ChunkedBody::Progress;
constexpr std::uint64_t kBodyBytesMax = 1000;

void check_head(const HttpHead& head) {
  const auto is_plain = [](unsigned char c) { return c > 0x20 && c < 0x7F; };
  require(head.path.starts_with('/') && std::all_of(head.path.begin(), head.path.end(), is_plain), "a plain path");
  require(std::all_of(head.query.begin(), head.query.end(), is_plain), "a plain query");
  require(head.headers.size() <= HttpHeadParser::kFieldsMax, "200 fields at most");
  require(!head.chunked || head.content_length == 0, "one way to tell the length");
  std::size_t hosts = 0;
  for (const auto& [name, value] : head.headers) {
    hosts += same_name(name, "host");
    require(!name.empty() && std::all_of(name.begin(), name.end(), is_plain), "a plain field name");
    require(value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos, "a field is one line");
    require(trim(value) == value, "no blanks around a value");
  }
  require(hosts <= 1, "one Host at most");
}

// Written down again the head must be read the same: nothing in it changes its meaning on the way.
void check_written_again(const HttpHead& head) {
  auto text = fmt::format("{} {}{}{} HTTP/1.{}\r\n", head.method, head.path, head.query.empty() ? "" : "?", head.query,
                          head.keep_alive ? 1 : 0);
  for (const auto& [name, value] : head.headers) text += fmt::format("{}: {}\r\n", name, value);
  HttpHeadParser again;
  if (again.parse(text + "\r\n") == Head::refused) return;  // the other version has rules of its own
  require(again.head().path == head.path && again.head().query == head.query, "the same target");
  require(again.head().content_length == head.content_length && again.head().chunked == head.chunked, "the same body");
  require(std::equal(again.head().headers.begin(), again.head().headers.end(), head.headers.begin(), head.headers.end(),
                     [](const auto& a, const auto& b) { return a.name == b.name && a.value == b.value; }),
          "the same fields");
}

void check_target(const std::string& path) {
  if (!is_webhook_path(path)) return;
  const auto target = target_of(path);
  if (!target || target->empty()) return;
  require(target->size() <= 128 && target->front() != '.' && target->front() != '-', "a target begins well");
  require(target->find_first_of("/\\%") == target->npos, "a target names no other file");
}

// The head as it comes byte by byte ends as when it comes at once.
Head check_pieces(std::string_view input, const HttpHeadParser& whole, Head outcome) {
  HttpHeadParser parser;
  auto progress = Head::incomplete;
  for (std::size_t size = 1; size <= input.size() && progress == Head::incomplete; ++size)
    progress = parser.parse(input.substr(0, size));
  require(progress == outcome, "the head ends the same in pieces");
  require(progress != Head::complete || parser.size() == whole.size(), "and as long");
  require(progress != Head::refused || parser.refusal().reason == whole.refusal().reason, "for the same reason");
  return progress;
}

Body feed_in_pieces(ChunkedBody& body, std::string_view input, std::string& rest) {
  for (std::size_t at = 0; at < input.size(); ++at) {
    rest += input[at];
    const auto progress = body.feed(rest);
    if (progress == Body::incomplete) continue;
    rest += input.substr(at + 1);
    return progress;
  }
  return Body::incomplete;
}

// False: nothing may follow on this connection. What follows stays in `input`.
bool check_chunks(std::string& input) {
  ChunkedBody whole(kBodyBytesMax), pieces(kBodyBytesMax);
  std::string rest_of_pieces;
  const auto progress_of_pieces = feed_in_pieces(pieces, input, rest_of_pieces);
  const auto progress = whole.feed(input);
  require(progress == progress_of_pieces, "the body ends the same in pieces");
  require(whole.body().size() <= kBodyBytesMax, "the body has its limit");
  require(whole.body() == pieces.body() && whole.reason() == pieces.reason(), "with the same content");
  require(progress != Body::refused || !whole.reason().empty(), "a refusal has a reason");
  require(progress != Body::complete || input == rest_of_pieces, "and the same bytes after it");
  return progress == Body::complete;
}

}  // namespace

void fuzz(std::string_view bytes) {
  for (std::string input(bytes); !input.empty();) {
    HttpHeadParser parser;
    const auto progress = parser.parse(input);
    check_pieces(input, parser, progress);
    if (progress == Head::refused) {
      require(parser.refusal().status >= 400 && parser.refusal().status <= 505, "a refusal has a status");
      require_printable(parser.refusal().reason);
    }
    if (progress != Head::complete) return;
    const auto& head = parser.head();
    require(parser.size() <= input.size() && parser.size() <= HttpHeadParser::kHeadBytesMax + 2, "a bounded head");
    check_head(head);
    check_written_again(head);
    check_target(head.path);
    input.erase(0, parser.size());
    if (head.chunked ? !check_chunks(input) : head.content_length > input.size()) return;
    if (!head.chunked) input.erase(0, head.content_length);
  }
}

}  // namespace windlass
