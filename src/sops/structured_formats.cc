// YAML and JSON.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/text.h"
#include "config/yaml.h"
#include "sops/formats.h"
#include "sys/json.h"

namespace windlass::sops {
namespace {

constexpr std::size_t kDepthMax = 128;

tl::unexpected<Error> only_sops(std::string_view name, int line) {
  return fail(Kind::conflict, fmt::format("{}:{}: a value is written in a way that only sops reads", name, line));
}

bool is_all(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == text.npos;
}

bool is_digits(std::string_view text) { return !text.empty() && is_all(text, "0123456789"); }

// [digits][.digits][e[sign]digits], at least one digit before the exponent
bool is_decimal(std::string_view text) {
  const auto exponent = text.find_first_of("eE");
  if (exponent != text.npos) {
    auto power = text.substr(exponent + 1);
    if (power.starts_with('+') || power.starts_with('-')) power.remove_prefix(1);
    if (!is_digits(power)) return false;
    text = text.substr(0, exponent);
  }
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot), part = dot == text.npos ? std::string_view() : text.substr(dot + 1);
  return (whole.empty() || is_digits(whole)) && (part.empty() || is_digits(part)) && !(whole.empty() && part.empty());
}

// RFC 3339 as sops writes it: whole, no zeros at the end of a fraction.
bool is_time(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  const auto fits = [&](std::string_view part, std::string_view shape) {
    if (part.size() < shape.size()) return false;
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (shape[i] == '0' ? !std::isdigit(static_cast<unsigned char>(part[i])) : part[i] != shape[i]) return false;
    return true;
  };
  if (!fits(text, kShape)) return false;
  text.remove_prefix(kShape.size());
  if (text.starts_with('.')) {
    const auto end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    if (end == 1 || end > 10 || text[end - 1] == '0') return false;
    text.remove_prefix(end);
  }
  if (text == "Z") return true;
  return text.size() == 6 && (fits(text, "+00:00") || fits(text, "-00:00")) && text.substr(1) != "00:00";
}

// How the YAML library of sops reads a plain scalar. Nothing: in one of the ways that sops itself never writes.
std::optional<Value> plain_scalar(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE" || text == "false" || text == "False" || text == "FALSE")
    return boolean_value(text);
  if (!text.empty() && std::string_view("0123456789+-.").find(text.front()) != std::string_view::npos) {
    const auto sign = text.front() == '-' || text.front() == '+' ? 1u : 0u;
    const auto rest = std::string_view(text).substr(sign);
    const bool has_odd_zero =
        rest.size() > 1 && rest[0] == '0' && rest[1] != '.' && is_all(rest, "0123456789abcdefABCDEFxXoO_");
    const bool is_date = rest.size() >= 8 && is_digits(rest.substr(0, 4)) && rest[4] == '-';
    const bool is_special = lower(rest) == ".inf" || lower(rest) == ".nan";
    if (is_time(text)) return Value{Value::Kind::time, text, {}, {}};
    if (has_odd_zero || is_date || is_special || text.front() == '+') return std::nullopt;
    if (is_digits(rest)) return integer_value(text);  // what is beyond 64 bits is nothing
    if (is_decimal(rest)) return number_value(text);
    if (rest.find('_') != rest.npos && is_all(rest, "0123456789_.eE+-")) return std::nullopt;
  }
  return text_value(text);
}

Result<Value> from_yaml(const YamlNode& node, std::string_view name, std::size_t depth) {
  if (depth > kDepthMax) return only_sops(name, node.line);
  Value value;
  switch (node.kind) {
    case YamlNode::Kind::scalar: {
      if (node.is_null()) return value;
      auto scalar = node.quoted ? text_value(node.text) : plain_scalar(node.text);
      if (!scalar) return only_sops(name, node.line);
      return *std::move(scalar);
    }
    case YamlNode::Kind::sequence:
      value.kind = Value::Kind::list;
      for (const auto* item : node.items) {
        auto inner = from_yaml(*item, name, depth + 1);
        if (!inner) return inner;
        value.items.push_back(*std::move(inner));
      }
      return value;
    case YamlNode::Kind::mapping:
      value.kind = Value::Kind::map;
      for (const auto& entry : node.entries) {
        auto inner = from_yaml(*entry.value, name, depth + 1);
        if (!inner) return inner;
        value.members.push_back({entry.key, *std::move(inner)});
      }
      return value;
  }
  return value;
}

Result<Value> from_json(const json::value& from, std::string_view name) {
  Value value;
  switch (from.kind()) {
    case json::kind::null:
      return value;
    case json::kind::bool_:
      return *boolean_value(from.get_bool() ? "true" : "false");
    case json::kind::int64:
      return *integer_value(std::to_string(from.get_int64()));
    case json::kind::uint64:
      return *number_value(std::to_string(static_cast<double>(from.get_uint64())));
    case json::kind::double_: {
      auto number = number_value(fmt::format("{}", from.get_double()));
      if (!number) return fail(Kind::conflict, fmt::format("{}: a number is out of range", name));
      return *std::move(number);
    }
    case json::kind::string:
      return text_value(std::string(from.get_string()));
    case json::kind::array:
      value.kind = Value::Kind::list;
      for (const auto& item : from.get_array()) {
        auto inner = from_json(item, name);
        if (!inner) return inner;
        value.items.push_back(*std::move(inner));
      }
      return value;
    case json::kind::object:
      value.kind = Value::Kind::map;
      for (const auto& member : from.get_object()) {
        auto inner = from_json(member.value(), name);
        if (!inner) return inner;
        value.members.push_back({std::string(member.key()), *std::move(inner)});
      }
      return value;
  }
  return value;
}

std::string quoted(const std::string& text) { return json::serialize(json::value(text)); }

// Text that every YAML reader takes for the same text without quotes.
bool is_plain_text(const std::string& text) {
  constexpr std::string_view kWords[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  if (text.empty() || !std::isalpha(static_cast<unsigned char>(text.front()))) return false;
  const auto is_safe = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '/' || c == '.'; };
  return std::all_of(text.begin(), text.end(), is_safe) &&
         std::find(std::begin(kWords), std::end(kWords), lower(text)) == std::end(kWords);
}

std::string yaml_scalar(const Value& value) {
  switch (value.kind) {
    case Value::Kind::number:  // many digits without a point would be read as a whole number, which they are too large
                               // for
      if (value.text == "-0") return "-0.0";
      if (value.text.size() > 18 && value.text.find('.') == value.text.npos)
        return fmt::format("{}", std::strtod(value.text.c_str(), nullptr));
      return value.text;
    case Value::Kind::integer:
    case Value::Kind::time:
      return value.text;
    case Value::Kind::boolean:
      return lower(value.text);
    case Value::Kind::text:
      return is_plain_text(value.text) ? value.text : quoted(value.text);
    case Value::Kind::list:
      return "[]";
    case Value::Kind::map:
      return "{}";
    case Value::Kind::null:
    case Value::Kind::comment:
      return "null";
  }
  return "null";
}

class YamlWriter {
 public:
  void map(const Value& value, std::size_t indent) {
    for (const auto& [key, inner] : value.members) {
      text += std::string(indent, ' ') + (is_plain_text(key) ? key : quoted(key)) + ":";
      rest(inner, indent);
    }
  }

  std::string text;

 private:
  // What stands behind "key:" or "-".
  void rest(const Value& value, std::size_t indent) {
    const bool is_block = !value.items.empty() || !value.members.empty();
    text += is_block ? "\n" : " " + yaml_scalar(value) + "\n";
    if (!value.items.empty()) list(value, indent + 4);
    if (!value.members.empty()) map(value, indent + 4);
  }

  void list(const Value& value, std::size_t indent) {
    for (const auto& item : value.items) {
      if (item.kind == Value::Kind::comment) continue;
      text += std::string(indent, ' ') + "-";
      rest(item, indent);
    }
  }
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
    case Value::Kind::number:
      text += value.text == "-0" ? "-0.0" : value.text;
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

Result<Branches> parse_yaml_branches(std::string_view text, std::string_view name) {
  const auto file = parse_yaml(text, name);
  const bool is_large = text.size() > kYamlBytesMax;
  if (!file) return fail(is_large ? Kind::conflict : Kind::invalid, file.error().message);
  // Merged here, while sops takes "<<" for a key like any other.
  if (text.find("<<:") != text.npos)
    return fail(Kind::conflict, fmt::format("{}: merge keys are read by sops alone", name));
  Branches branches;
  for (const auto* document : file->documents) {
    if (document->kind != YamlNode::Kind::mapping)
      return fail(Kind::invalid, fmt::format("{}:{}: not a mapping", name, document->line));
    auto branch = from_yaml(*document, name, 0);
    if (!branch) return tl::unexpected(branch.error());
    branches.push_back(*std::move(branch));
  }
  return branches;
}

Result<Branches> parse_json_branches(std::string_view text, std::string_view name) {
  const auto parsed = parse_json(text);
  if (!parsed) return fail(Kind::invalid, fmt::format("{}: {}", name, parsed.error().message));
  if (!parsed->is_object()) return fail(Kind::invalid, fmt::format("{}: not a JSON object", name));
  auto branch = from_json(*parsed, name);
  if (!branch) return tl::unexpected(branch.error());
  return Branches{*std::move(branch)};
}

std::string emit_yaml(const Branches& branches) {
  YamlWriter writer;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    if (i > 0) writer.text += "---\n";
    if (branches[i].members.empty())
      writer.text += "{}\n";
    else
      writer.map(branches[i], 0);
  }
  return std::move(writer.text);
}

std::string emit_json(const Value& branch) {
  std::string text;
  write_json(branch, 0, text);
  return text + "\n";
}

}  // namespace windlass::sops
