#include "config/key_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cmath>

#include "base/text.h"
#include "config/slips.h"

namespace windlass {
namespace {

// "text "x"", "a list", …: what stands there instead of what was expected.
std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::mapping:
      return "a mapping";
    case YamlNode::Kind::scalar:
      break;
  }
  if (node.is_null()) return "null";
  if (yaml_bool(node) && !node.quoted) return printable(node.text, 100);
  if (yaml_integer(node)) return "number " + printable(node.text, 100);
  return fmt::format("text \"{}\"", printable(node.text, 100));
}

// "<where>: <what>", or the half that there is.
std::string told(std::string_view where, std::string_view what) {
  if (where.empty() || what.empty()) return std::string(where.empty() ? what : where);
  return fmt::format("{}: {}", where, what);
}

// The known key that was probably meant; "" when none is near. A wrong letter in three may be a slip, more is another
// word: a guess that leads astray is worse than none.
std::string nearest_key(const std::set<std::string>& known, std::string_view key) {
  constexpr std::size_t slips_max = 3;
  return nearest(known, lower(key), std::min(key.size() / 3, slips_max));
}

// Digits of a base with a prefix as Go reads them: 0x, 0o, 0b, and a leading 0 for octal.
std::optional<long long> based_integer(std::string_view digits) {
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    const auto letter = lower(digits.substr(1, 1));
    base = letter == "x" ? 16 : letter == "b" ? 2 : 8;
    digits.remove_prefix(base != 8 || letter == "o" ? 2 : 1);
  }
  long long number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (digits.starts_with('-') || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<bool> yaml_bool(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::scalar) return std::nullopt;
  const auto any_of = [&](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), node.text) != words.end();
  };
  if (!node.quoted && any_of({"true", "True", "TRUE"})) return true;
  if (!node.quoted && any_of({"false", "False", "FALSE"})) return false;
  if (any_of({"y", "Y", "yes", "Yes", "YES", "on", "On", "ON"})) return true;  // quoted ones too
  if (any_of({"n", "N", "no", "No", "NO", "off", "Off", "OFF"})) return false;
  return std::nullopt;
}

std::optional<long long> yaml_integer(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::scalar || node.quoted || node.text.empty() || node.text.size() > 64)
    return std::nullopt;
  std::string text = node.text;
  std::erase(text, '_');
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.erase(0, 1);
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  if (const auto number = based_integer(text)) return negative ? -*number : *number;
  if (text.find_first_not_of("0123456789.eE+-") != text.npos) return std::nullopt;
  double number = 0;  // 180.0 and 1e3 are integers too
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number != std::floor(number) || number > 1e15)
    return std::nullopt;
  return static_cast<long long>(negative ? -number : number);
}

const YamlNode* KeyReader::take(const std::string& key) {
  known_.insert(key);
  const auto* entry = mapping_.find(key);
  return entry == nullptr ? nullptr : entry->value;
}

void KeyReader::text(const std::string& key, std::string& target) {
  const auto* node = take(key);
  if (node == nullptr || node->is_null()) return;
  if (node->kind == YamlNode::Kind::scalar)
    target = node->text;
  else
    wrong_type(key, "text", *node);
}

void KeyReader::flag(const std::string& key, bool& target) {
  const auto* node = take(key);
  if (node == nullptr || node->is_null()) return;
  if (const auto value = yaml_bool(*node))
    target = *value;
  else
    wrong_type(key, "true or false", *node);
}

void KeyReader::integer(const std::string& key, int& target) {
  const auto* node = take(key);
  if (node == nullptr || node->is_null()) return;
  const auto value = yaml_integer(*node);
  if (!value)
    wrong_type(key, "an integer", *node);
  else if (*value < INT_MIN || *value > INT_MAX)
    fault(key, fmt::format("{} is out of range", *value));
  else
    target = static_cast<int>(*value);
}

void KeyReader::list(const std::string& key, std::vector<std::string>& target) {
  const auto* node = take(key);
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::sequence && !node->is_null()) return wrong_type(key, "a list", *node);
  target.clear();
  for (const auto* item : node->items)
    if (const auto text = item_text(key, *item, "a list of texts")) target.push_back(*text);
}

void KeyReader::map(const std::string& key, std::map<std::string, std::string>& target) {
  const auto* node = take(key);
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::mapping && !node->is_null()) return wrong_type(key, "a mapping", *node);
  target.clear();
  for (const auto& entry : node->entries)
    if (const auto text = item_text(key, *entry.value, "a mapping of texts")) target[entry.key] = *text;
}

std::optional<std::string> KeyReader::item_text(const std::string& key, const YamlNode& item,
                                                std::string_view expected) {
  if (item.kind == YamlNode::Kind::scalar) return item.is_null() ? "" : item.text;
  const auto fault = fmt::format("expected {}, got {} in it", expected, describe(item));
  faults_.push_back(kUndecodable + told(told(place_of(item.line), key), fault));
  return std::nullopt;
}

std::string KeyReader::place(const std::string& key) const {
  const auto* entry = mapping_.find(key);
  return told(place_of(entry == nullptr ? mapping_.line : entry->line), key);
}

std::string KeyReader::place_of(int line) const { return line == 0 ? file_ : fmt::format("{}:{}", file_, line); }

void KeyReader::fault(const std::string& key, std::string_view text) { faults_.push_back(told(place(key), text)); }

void KeyReader::wrong_type(const std::string& key, std::string_view expected, const YamlNode& got) {
  undecodable(key, fmt::format("expected {}, got {}", expected, describe(got)));
}

void KeyReader::undecodable(const std::string& key, std::string_view text) {
  faults_.push_back(kUndecodable + told(place(key), text));
}

std::vector<std::string> KeyReader::unknown_keys() const {
  std::vector<std::string> lines;
  for (const auto& entry : mapping_.entries) {
    if (known_.contains(entry.key)) continue;
    auto line = told(place_of(entry.line), fmt::format("unknown key \"{}\"", printable(entry.key, 100)));
    if (const auto meant = nearest_key(known_, entry.key); !meant.empty())
      line += fmt::format(", did you mean \"{}\"?", meant);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace windlass
