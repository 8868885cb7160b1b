#include "sops/document.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "sops/formats.h"

namespace windlass::sops {
namespace {

// "-1.25e+03" -> "-1250"
std::string without_exponent(std::string_view text) {
  std::string sign;
  if (text.starts_with('-')) {
    sign = "-";
    text.remove_prefix(1);
  }
  const auto e = text.find('e');
  int exponent = 0;
  auto power = text.substr(e + 1);
  if (power.starts_with('+')) power.remove_prefix(1);
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  const int behind = static_cast<int>(digits.size()) - 1 - exponent;  // the point
  if (behind <= 0) return sign + digits + std::string(static_cast<std::size_t>(-behind), '0');
  if (exponent < 0) digits.insert(0, static_cast<std::size_t>(-exponent), '0');
  digits.insert(digits.size() - static_cast<std::size_t>(behind), ".");
  return sign + digits;
}

}  // namespace

std::string_view to_string(Format format) {
  switch (format) {
    case Format::yaml:
      return "yaml";
    case Format::json:
      return "json";
    case Format::dotenv:
      return "dotenv";
    case Format::ini:
      return "ini";
    case Format::binary:
      return "binary";
  }
  return "";
}

Format format_of(std::string_view path) {
  constexpr std::pair<std::string_view, Format> kEndings[] = {{".yaml", Format::yaml},
                                                              {".yml", Format::yaml},
                                                              {".json", Format::json},
                                                              {".env", Format::dotenv},
                                                              {".ini", Format::ini}};
  for (const auto& [ending, format] : kEndings)
    if (path.ends_with(ending)) return format;
  return Format::binary;
}

const Value* Value::find(std::string_view key) const {
  for (const auto& member : members)
    if (member.key == key) return &member.value;
  return nullptr;
}

std::optional<Value> integer_value(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return Value{Value::Kind::integer, std::to_string(number), {}, {}};
}

// The shortest digits that give the same number again, never with an exponent.
std::optional<Value> number_value(std::string_view text) {
  double number = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  // "-1.25e+03": to_chars() in fixed form would print more digits than tell the number apart.
  std::array<char, 32> digits{};
  const auto written =
      std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::scientific);
  return Value{Value::Kind::number, without_exponent({digits.data(), written.ptr}), {}, {}};
}

std::optional<Value> boolean_value(std::string_view text) {
  for (const auto yes : {"1", "t", "T", "true", "TRUE", "True"})
    if (text == yes) return Value{Value::Kind::boolean, "True", {}, {}};
  for (const auto no : {"0", "f", "F", "false", "FALSE", "False"})
    if (text == no) return Value{Value::Kind::boolean, "False", {}, {}};
  return std::nullopt;
}

Result<Branches> parse(std::string_view text, Format format, std::string_view name) {
  if (text.size() > kEncryptedBytesMax)
    return fail(Kind::invalid, fmt::format("{}: larger than {} bytes", name, kEncryptedBytesMax));
  switch (format) {
    case Format::yaml:
      return parse_yaml_branches(text, name);
    case Format::json:
    case Format::binary:
      return parse_json_branches(text, name);
    case Format::dotenv:
      return parse_dotenv_branches(text, name);
    case Format::ini:
      return parse_ini_branches(text, name);
  }
  return fail(Kind::internal, "unknown format");
}

Result<std::string> emit(const Branches& branches, Format format) {
  if (branches.empty()) return std::string();
  switch (format) {
    case Format::yaml:
      return emit_yaml(branches);
    case Format::json:
      return emit_json(branches.front());
    case Format::binary: {
      const auto* data = branches.front().find("data");
      if (data == nullptr || data->kind != Value::Kind::text)
        return fail(Kind::invalid, "its key 'data' is not a text");
      return data->text;
    }
    case Format::dotenv:
      return emit_dotenv(branches.front());
    case Format::ini:
      return emit_ini(branches.front());
  }
  return fail(Kind::internal, "unknown format");
}

}  // namespace windlass::sops
