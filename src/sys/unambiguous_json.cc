#include "sys/unambiguous_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"

namespace windlass {
namespace {

constexpr std::size_t kShown = 128;  // bytes of a key in an error

// The string that begins at `at`, with its quotes.
std::string_view string_at(std::string_view json, std::size_t at) {
  auto end = at + 1;
  while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2 : 1;
  return json.substr(at, end + 1 - at);
}

bool is_before_colon(std::string_view json, std::size_t at) {
  at = json.find_first_not_of(" \t\r\n", at);
  return at != json.npos && json[at] == ':';
}

// The keys of the objects around a place in the text, those of the innermost one last.
class OpenObjects {
 public:
  void begin() { begins_.push_back(keys_.size()); }

  void add(std::string_view text) {  // with its quotes
    auto key = text.substr(1, text.size() - 2);
    if (key.find('\\') != key.npos)
      if (const auto value = parse_json(text); value && value->is_string())
        key = unescaped_.emplace_back(value->get_string());
    keys_.push_back(key);
  }

  // The innermost object is over: a key that it has twice.
  std::optional<std::string_view> end() {
    const auto own = keys_.begin() + static_cast<std::ptrdiff_t>(begins_.back());
    std::sort(own, keys_.end());
    const auto twice = std::adjacent_find(own, keys_.end());
    if (twice != keys_.end()) return *twice;
    keys_.erase(own, keys_.end());
    begins_.pop_back();
    return std::nullopt;
  }

 private:
  std::vector<std::string_view> keys_;
  std::vector<std::size_t> begins_;    // where in keys_ those of each object begin
  std::deque<std::string> unescaped_;  // a deque, as keys_ points into it
};

// `json` is text that parse_json() takes.
Status refuse_repeated_keys(std::string_view json) {
  OpenObjects objects;
  for (std::size_t at = 0; at < json.size();) {
    if (json[at] == '"') {
      const auto text = string_at(json, at);
      at += text.size();
      if (is_before_colon(json, at)) objects.add(text);
      continue;
    }
    if (json[at] == '{') objects.begin();
    if (json[at] == '}')
      if (const auto key = objects.end())
        return fail(Kind::invalid, fmt::format("key '{}' stands twice in one object", printable(*key, kShown)));
    ++at;
  }
  return {};
}

}  // namespace

Result<json::value> parse_unambiguous_json(std::string_view text) {
  auto value = parse_json(text);
  if (!value) return value;
  if (const auto keys = refuse_repeated_keys(text); !keys) return tl::unexpected(keys.error());
  return value;
}

}  // namespace windlass
