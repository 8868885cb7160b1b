#include "template/template_printf.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/text.h"

namespace windlass {
namespace {

constexpr int kWidthMax = 1000;  // wider is a mistake, and would fill memory
constexpr std::string_view kVerbs = "vsqdtxXobcefgEG";

struct Directive {
  bool left = false, plus = false, zero = false, space = false;
  std::optional<int> width, precision;
  char verb = 'v';
};

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }
std::size_t rune_count(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::string first_runes(std::string_view text, int count) {
  std::size_t at = 0;
  while (at < text.size() && (count > 0 || is_continuation(text[at])))
    if (!is_continuation(text[at++])) --count;
  return std::string(text.substr(0, at));
}

std::string utf8(std::int64_t code) {
  const bool is_rune = code >= 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  const auto rune = static_cast<std::uint32_t>(is_rune ? code : 0xFFFD);
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  if (rune < 0x80) return {byte(rune)};
  if (rune < 0x800) return {byte(0xC0 | rune >> 6), byte(0x80 | (rune & 63))};
  if (rune < 0x10000) return {byte(0xE0 | rune >> 12), byte(0x80 | (rune >> 6 & 63)), byte(0x80 | (rune & 63))};
  return {byte(0xF0 | rune >> 18), byte(0x80 | (rune >> 12 & 63)), byte(0x80 | (rune >> 6 & 63)),
          byte(0x80 | (rune & 63))};
}

std::string padded(std::string text, const Directive& how, bool may_be_zero = true) {
  const auto width = static_cast<std::size_t>(how.width.value_or(0));
  const auto count = rune_count(text);
  if (count >= width) return text;
  const bool zero = how.zero && !how.left && may_be_zero;
  const auto sign = zero && !text.empty() && (text[0] == '-' || text[0] == '+' || text[0] == ' ') ? 1 : 0;
  const std::string fill(width - count, zero ? '0' : ' ');
  if (how.left) return text + fill;
  return text.insert(static_cast<std::size_t>(sign), fill);
}

std::string signed_text(std::string digits, bool is_negative, const Directive& how) {
  return (is_negative ? "-" : how.plus ? "+" : how.space ? " " : "") + std::move(digits);
}

std::string formatted_integer(std::int64_t value, const Directive& how) {
  if (how.verb == 'c') return padded(utf8(value), how);
  if (how.verb == 'q') return padded(fmt::format("'{}'", utf8(value)), how);
  const int base = how.verb == 'x' || how.verb == 'X' ? 16 : how.verb == 'o' ? 8 : how.verb == 'b' ? 2 : 10;
  const auto size = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  char text[80];
  std::string digits(text, std::to_chars(text, text + sizeof text, size, base).ptr);
  if (how.verb == 'X')
    std::transform(digits.begin(), digits.end(), digits.begin(), [](char c) { return std::toupper(c); });
  const auto least = static_cast<std::size_t>(how.precision.value_or(0));
  if (digits.size() < least) digits.insert(0, least - digits.size(), '0');
  return padded(signed_text(std::move(digits), value < 0, how), how, !how.precision);
}

std::string formatted_real(double value, const Directive& how) {
  const auto size = std::abs(value);
  std::string digits;
  const char verb = how.verb == 'v' ? 'g' : how.verb;
  if (verb == 'g' && !how.precision) {
    digits = go_real(size);
  } else {
    const char format[] = {'%', '.', '*', verb, '\0'};
    char text[512 + kWidthMax];
    std::snprintf(text, sizeof text, format, how.precision.value_or(6), size);
    digits = text;
  }
  return padded(signed_text(std::move(digits), std::signbit(value), how), how);
}

std::string formatted_text(std::string_view value, const Directive& how) {
  if (how.verb == 'x' || how.verb == 'X') {
    auto hex = to_hex(value);
    if (how.verb == 'X') std::transform(hex.begin(), hex.end(), hex.begin(), [](char c) { return std::toupper(c); });
    return padded(std::move(hex), how);
  }
  auto text = how.precision ? first_runes(value, *how.precision) : std::string(value);
  return padded(how.verb == 'q' ? go_quoted(text) : std::move(text), how);
}

bool takes(const TemplateValue& value, char verb) {
  const auto is_one_of = [verb](std::string_view verbs) { return verbs.find(verb) != verbs.npos; };
  if (value.boolean()) return is_one_of("vt");
  if (value.integer()) return is_one_of("vdxXobcq");
  if (value.real()) return is_one_of("vefgEG");
  return value.text() && is_one_of("vsqxX");
}

std::string formatted(const TemplateValue& value, const Directive& how);

// The items, each by the directive, between two brackets.
template <class Items, class Of>
std::string formatted_items(const Items& items, Of&& value_of, const Directive& how, std::string_view brackets) {
  std::string text(1, brackets[0]);
  for (const auto& item : items) text += (text.size() > 1 ? " " : "") + formatted(value_of(item), how);
  return text + brackets[1];
}

std::string formatted_record(const TemplateValue::Record& record, const Directive& how) {
  const bool prints_itself = std::string_view("vsqxX").find(how.verb) != std::string_view::npos;
  if (prints_itself && !record.text.empty()) return formatted_text(record.text, how);
  return formatted_items(
      record.fields, [](const auto& field) -> const auto& { return field.second; }, how, "{}");
}

// Of a verb that is not for the value; width and flags are those of the value in it.
std::string misformatted(const TemplateValue& value, const Directive& how) {
  auto plain = how;
  plain.verb = 'v';
  return fmt::format("%!{}({}={})", how.verb, value.type(), formatted(value, plain));
}

std::string formatted(const TemplateValue& value, const Directive& how) {
  if (const auto* items = value.list())
    return formatted_items(
        *items, [](const auto& item) -> const auto& { return item; }, how, "[]");
  if (const auto* record = value.record()) return formatted_record(*record, how);
  if (value.is_nil()) return how.verb == 'v' ? padded("<nil>", how) : fmt::format("%!{}(<nil>)", how.verb);
  if (!takes(value, how.verb)) return misformatted(value, how);
  if (const auto* integer = value.integer()) return formatted_integer(*integer, how);
  if (const auto* real = value.real()) return formatted_real(*real, how);
  if (const auto* text = value.text()) return formatted_text(*text, how);
  return padded(value.str(), how);
}

// The number at the front, which is cut off; nothing: there is none.
Result<std::optional<int>> take_number(std::string_view& format) {
  int number = 0;
  const auto [end, error] = std::from_chars(format.data(), format.data() + format.size(), number);
  if (error == std::errc::invalid_argument || number < 0) return std::optional<int>();
  if (error != std::errc() || number > kWidthMax)
    return fail(Kind::invalid, fmt::format("printf: a width over {} is not supported", kWidthMax));
  format.remove_prefix(static_cast<std::size_t>(end - format.data()));
  return std::optional(number);
}

// Behind the percent sign, which is gone already.
Result<Directive> take_directive(std::string_view& format) {
  Directive how;
  for (; !format.empty(); format.remove_prefix(1)) {
    bool* const flag = format[0] == '-'   ? &how.left
                       : format[0] == '+' ? &how.plus
                       : format[0] == '0' ? &how.zero
                       : format[0] == ' ' ? &how.space
                                          : nullptr;
    if (flag == nullptr) break;
    *flag = true;
  }
  const auto width = take_number(format);
  if (!width) return tl::unexpected(width.error());
  how.width = *width;
  if (format.starts_with('.')) {
    format.remove_prefix(1);
    const auto precision = take_number(format);
    if (!precision) return tl::unexpected(precision.error());
    how.precision = precision->value_or(0);
  }
  if (format.empty()) return fail(Kind::invalid, "printf: the format ends with a lone %");
  how.verb = format[0];
  if (how.verb != '%' && kVerbs.find(how.verb) == kVerbs.npos)
    return fail(Kind::invalid, fmt::format("printf: %{} is not supported", first_runes(printable(format, 8), 1)));
  if (how.verb == 'v') how.plus = false;  // %+v is about names of fields
  format.remove_prefix(1);
  return how;
}

}  // namespace

Result<std::string> go_printf(std::string_view format, std::span<const TemplateValue> values) {
  std::string result;
  std::size_t used = 0;
  for (auto percent = format.find('%'); percent != format.npos; percent = format.find('%')) {
    result += format.substr(0, percent);
    format.remove_prefix(percent + 1);
    const auto how = take_directive(format);
    if (!how) return tl::unexpected(how.error());
    if (how->verb == '%')
      result += '%';
    else if (used == values.size())
      result += fmt::format("%!{}(MISSING)", how->verb);
    else
      result += formatted(values[used++], *how);
  }
  result += format;
  if (used == values.size()) return result;
  std::string extra;
  for (const auto& value : values.subspan(used))
    extra += (extra.empty() ? "" : ", ") + (value.is_nil() ? "<nil>" : fmt::format("{}={}", value.type(), value.str()));
  return result + fmt::format("%!(EXTRA {})", extra);
}

Status check_printf(std::string_view format) {
  for (auto percent = format.find('%'); percent != format.npos; percent = format.find('%')) {
    format.remove_prefix(percent + 1);
    if (const auto how = take_directive(format); !how) return tl::unexpected(how.error());
  }
  return {};
}

std::string go_quoted(std::string_view text) {
  std::string quoted = "\"";
  constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v\\\"", kLetters = "abfnrtv\\\"";
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text[0]);
    const std::size_t length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    const auto rune = text.substr(0, length);
    if (const auto escape = kEscaped.find(text[0]); escape != kEscaped.npos)
      quoted += {'\\', kLetters[escape]};
    else if (byte < 0x20 || byte == 0x7f || !is_valid_utf8(rune))
      quoted += fmt::format("\\x{:02x}", byte);
    else
      quoted += rune;
    text.remove_prefix(is_valid_utf8(rune) ? rune.size() : 1);
  }
  return quoted + '"';
}

}  // namespace windlass
