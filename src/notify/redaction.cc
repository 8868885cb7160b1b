#include "notify/redaction.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "sys/json.h"

namespace windlass {
namespace {

constexpr std::size_t kAnswerBytesMax = 4096;
constexpr std::string_view kTelling[] = {"url",     "uri",    "token", "secret",  "pass",  "credential",
                                         "webhook", "target", "auth",  "api_key", "apikey"};
constexpr std::string_view kRedacted = "[REDACTED]";
constexpr std::string_view kRedactedUrl = "[REDACTED_URL]";

bool is_telling(std::string_view key) {
  const auto name = lower(key);
  return std::any_of(std::begin(kTelling), std::end(kTelling),
                     [&](std::string_view part) { return name.find(part) != name.npos; });
}

bool is_scheme_character(unsigned char c) { return std::isalnum(c) || c == '+' || c == '-' || c == '.'; }
bool is_key_character(unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; }

std::string without_urls(std::string_view text) {
  std::string result;
  for (auto at = text.find("://"); at != text.npos; at = text.find("://")) {
    auto begin = at;
    while (begin > 0 && is_scheme_character(static_cast<unsigned char>(text[begin - 1]))) --begin;
    const auto end = std::min(text.find_first_of(" \t\r\n\"'<>`", at), text.size());
    result += text.substr(0, begin);
    result += begin == at ? text.substr(at, end - at) : kRedactedUrl;
    text.remove_prefix(end);
  }
  return result += text;
}

// What a key stands before: a quoted text, or a word with all that sticks to it.
std::size_t value_end(std::string_view text, std::size_t begin) {
  if (begin < text.size() && (text[begin] == '"' || text[begin] == '\'')) {
    auto end = begin + 1;
    while (end < text.size() && text[end] != text[begin]) end += text[end] == '\\' ? 2 : 1;
    return std::min(end + 1, text.size());
  }
  return std::min(text.find_first_of(",;&\r\n}", begin), text.size());
}

// "key: value" and "key=value" of a telling key, whatever the format around it.
std::string without_values(std::string_view text) {
  std::string result;
  std::size_t done = 0;
  for (auto at = text.find_first_of(":="); at != text.npos; at = text.find_first_of(":=", at)) {
    auto key_end = at;
    while (key_end > done && (text[key_end - 1] == ' ' || text[key_end - 1] == '"' || text[key_end - 1] == '\''))
      --key_end;
    auto key_begin = key_end;
    while (key_begin > done && is_key_character(static_cast<unsigned char>(text[key_begin - 1]))) --key_begin;
    ++at;
    if (!is_telling(text.substr(key_begin, key_end - key_begin))) continue;
    const auto begin = std::min(text.find_first_not_of(' ', at), text.size());
    const auto end = value_end(text, begin);
    result += text.substr(done, begin - done);
    result += kRedacted;
    at = done = end;
  }
  return result += text.substr(done);
}

void redact(json::value& value) {
  if (auto* text = value.if_string()) {
    *text = without_urls(*text);
  } else if (auto* array = value.if_array()) {
    for (auto& item : *array) redact(item);
  } else if (auto* object = value.if_object()) {
    for (auto& member : *object) {
      if (is_telling(member.key()))
        member.value() = kRedacted;
      else
        redact(member.value());
    }
  }
}

}  // namespace

std::string redacted(std::string_view text) {
  // a secret cut in two is no longer known for one, so the cut comes last
  if (auto parsed = parse_json(text); parsed && (parsed->is_object() || parsed->is_array())) {
    redact(*parsed);
    return printable(json::serialize(*parsed), kAnswerBytesMax);
  }
  return printable(without_values(without_urls(trim(text))), kAnswerBytesMax);
}

}  // namespace windlass
