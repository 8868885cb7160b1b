// JSON, which is also what binary files are wrapped in.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "sops/formats.h"
#include "sys/json.h"

namespace windlass::sops {
namespace {

// Boost.JSON keeps no more than a double of a number, and not always the nearest one; the MAC covers the exact one. So
// numbers are taken from the text, in the order in which they stand there.
class JsonReader {
 public:
  JsonReader(std::string_view text, std::string_view name) : rest_(text), name_(name) {}

  Result<Value> read(const json::value& from) {
    Value value;
    switch (from.kind()) {
      case json::kind::null:
        return value;
      case json::kind::bool_:
        return *boolean_value(from.get_bool() ? "true" : "false");
      case json::kind::int64:
      case json::kind::uint64:
      case json::kind::double_:
        return read_number();
      case json::kind::string:
        return text_value(std::string(from.get_string()));
      case json::kind::array:
        value.kind = Value::Kind::list;
        for (const auto& item : from.get_array()) {
          auto inner = read(item);
          if (!inner) return inner;
          value.items.push_back(*std::move(inner));
        }
        return value;
      case json::kind::object:
        value.kind = Value::Kind::map;
        for (const auto& member : from.get_object()) {
          auto inner = read(member.value());
          if (!inner) return inner;
          value.members.push_back({std::string(member.key()), *std::move(inner)});
        }
        return value;
    }
    return value;
  }

  // Whether there are more numbers than were asked for: of a key that stands there twice.
  bool has_more() { return !next_number().empty(); }

 private:
  Result<Value> read_number() {
    const auto token = next_number();
    auto number = integer_value(token);
    if (!number) number = number_value(token);
    if (!number) return fail(Kind::conflict, fmt::format("{}: a number that only sops reads", name_));
    return *std::move(number);
  }

  // "" at the end. The text is valid JSON.
  std::string_view next_number() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '"') {
        skip_text();
      } else if (c == '-' || std::isdigit(static_cast<unsigned char>(c))) {
        const auto token = rest_.substr(0, rest_.find_first_not_of("-+.0123456789eE"));
        rest_.remove_prefix(token.size());
        return token;
      } else {
        rest_.remove_prefix(1);
      }
    }
    return {};
  }

  void skip_text() {
    std::size_t at = 1;
    while (at < rest_.size() && rest_[at] != '"') at += rest_[at] == '\\' ? 2 : 1;
    rest_.remove_prefix(std::min(at + 1, rest_.size()));
  }

  std::string_view rest_;
  std::string_view name_;
};

void write_json(const Value& value, std::size_t depth, std::string& text) {
  const std::string inside(depth + 1, '\t'), outside(depth, '\t');
  const auto block = [&](char open, char close, const auto& parts, const auto& write) {
    text += open;
    bool first = true;
    for (const auto& part : parts) {
      text += (first ? "\n" : ",\n") + inside;
      write(part);
      first = false;
    }
    text += first ? "" : "\n" + outside;
    text += close;
  };
  switch (value.kind) {
    case Value::Kind::map:
      return block('{', '}', value.members, [&](const Member& member) {
        text += quoted(member.key) + ": ";
        write_json(member.value, depth + 1, text);
      });
    case Value::Kind::list:
      return block('[', ']', value.items, [&](const Value& item) { write_json(item, depth + 1, text); });
    case Value::Kind::integer:
      text += value.text;
      return;
    case Value::Kind::number:
      text += written_number(value.text, 21);
      return;
    case Value::Kind::boolean:
      text += lower(value.text);
      return;
    case Value::Kind::text:
    case Value::Kind::time:
      text += quoted(value.text);
      return;
    case Value::Kind::null:
    case Value::Kind::comment:
      text += "null";
  }
}

}  // namespace

std::string quoted(const std::string& text) { return json::serialize(json::value(text)); }

Result<Branches> parse_json_branches(std::string_view text, std::string_view name) {
  // Each value but the first has a comma in front; encrypted ones have four more of their own.
  if (trim(text).starts_with('{') && static_cast<std::size_t>(std::ranges::count(text, ',')) > 5 * kEncryptedValuesMax)
    return fail(Kind::conflict, fmt::format("{}: more than {} values", name, kEncryptedValuesMax));
  const auto parsed = parse_json(text);
  if (!parsed) return fail(Kind::invalid, fmt::format("{}: {}", name, parsed.error().message));
  if (!parsed->is_object()) return fail(Kind::invalid, fmt::format("{}: not a JSON object", name));
  JsonReader reader(text, name);
  auto branch = reader.read(*parsed);
  if (!branch) return tl::unexpected(branch.error());
  if (reader.has_more()) return fail(Kind::conflict, fmt::format("{}: a key stands there twice", name));
  return Branches{*std::move(branch)};
}

std::string emit_json(const Value& branch) {
  std::string text;
  write_json(branch, 0, text);
  return text + "\n";
}

}  // namespace windlass::sops
