#include "template/template_literal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace windlass {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& text, std::uint32_t rune) {
  const auto add = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (rune < 0x80) return add(rune);
  if (rune < 0x800) {
    add(0xC0 | rune >> 6);
  } else {
    if (rune < 0x10000) {
      add(0xE0 | rune >> 12);
    } else {
      add(0xF0 | rune >> 18);
      add(0x80 | (rune >> 12 & 63));
    }
    add(0x80 | (rune >> 6 & 63));
  }
  add(0x80 | (rune & 63));
}

// "\x41", "\101", "\u00e4", "\U0001f600" without the backslash; `text` loses what was read.
std::optional<std::string> numbered_escape(std::string_view& text) {
  const bool is_octal = text[0] >= '0' && text[0] <= '7';
  const std::size_t digits = is_octal ? 3 : text[0] == 'x' ? 2 : text[0] == 'u' ? 4 : text[0] == 'U' ? 8 : 0;
  if (digits == 0) return std::nullopt;
  if (!is_octal) text.remove_prefix(1);
  const auto number = text.substr(0, digits);
  const bool is_byte = digits < 4;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value, is_octal ? 8 : 16);
  if (error != std::errc() || number.size() != digits || end != number.data() + digits) return std::nullopt;
  text.remove_prefix(digits);
  if (is_byte) return value <= 0xff ? std::optional(std::string(1, static_cast<char>(value))) : std::nullopt;
  if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return std::nullopt;
  std::string character;
  append_utf8(character, value);
  return character;
}

// Behind the backslash.
std::optional<std::string> escape(std::string_view& text, char quote) {
  constexpr std::string_view kLetters = "abfnrtv\\", kMeanings = "\a\b\f\n\r\t\v\\";
  if (text.empty()) return std::nullopt;
  const auto letter = kLetters.find(text[0]);
  if (letter == kLetters.npos && text[0] != quote) return numbered_escape(text);
  const char meaning = letter == kLetters.npos ? quote : kMeanings[letter];
  text.remove_prefix(1);
  return std::string(1, meaning);
}

Result<std::string> read_quoted(std::string_view text, std::size_t& bytes) {
  const char quote = text[0];
  std::string content;
  auto rest = text.substr(1);
  while (!rest.empty() && rest[0] != quote && rest[0] != '\n') {
    const bool is_escape = rest[0] == '\\';
    const char plain = rest[0];
    rest.remove_prefix(1);
    if (!is_escape) {
      content += plain;
      continue;
    }
    const auto meant = escape(rest, quote);
    if (!meant) return fail(Kind::invalid, "a text has a backslash that means nothing");
    content += *meant;
  }
  if (rest.empty() || rest[0] != quote) return fail(Kind::invalid, "a text is not closed");
  bytes = text.size() - rest.size() + 1;
  return content;
}

Result<TemplateValue> read_raw(std::string_view text, std::size_t& bytes) {
  const auto end = text.find('`', 1);
  if (end == text.npos) return fail(Kind::invalid, "a raw text is not closed");
  bytes = end + 1;
  std::string content(text.substr(1, end - 1));
  std::erase(content, '\r');  // as Go does
  return TemplateValue(std::move(content));
}

// 'x' is the number of the character.
Result<TemplateValue> read_character(std::string_view text, std::size_t& bytes) {
  const auto content = read_quoted(text, bytes);
  if (!content) return tl::unexpected(content.error());
  const auto size = content->size();
  if (size == 0 || size > 4 || !is_valid_utf8(*content)) return fail(Kind::invalid, "'…' must hold one character");
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>((*content)[at]); };
  std::int64_t rune = size == 1 ? byte(0) : byte(0) & (0x7f >> size);
  const auto length = byte(0) < 0x80 ? 1u : byte(0) >= 0xF0 ? 4u : byte(0) >= 0xE0 ? 3u : 2u;
  if (length != size) return fail(Kind::invalid, "'…' must hold one character");
  for (std::size_t at = 1; at < size; ++at) rune = rune << 6 | (byte(at) & 63);
  return TemplateValue(rune);
}

// What base the digits are of, by their beginning, which is cut off: 0x, 0o, 0b, 0.
int take_base(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  const auto letter = std::tolower(static_cast<unsigned char>(digits[1]));
  const int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
  digits.remove_prefix(base == 0 ? 1 : 2);
  return base == 0 ? 8 : base;
}

// With the sign of an exponent, which no hexadecimal number has.
std::size_t length_of_number(std::string_view text) {
  std::size_t length = 1;
  const bool is_hexadecimal = text.substr(0, 3).find_first_of("xX") != text.npos;
  for (; length < text.size(); ++length) {
    const char c = text[length];
    const bool is_exponent = !is_hexadecimal && (text[length - 1] == 'e' || text[length - 1] == 'E');
    const bool is_sign = is_exponent && (c == '+' || c == '-');
    if (!is_sign && c != '.' && c != '_' && !std::isalnum(static_cast<unsigned char>(c))) break;
  }
  return length;
}

Result<TemplateValue> read_number(std::string_view text, std::size_t& bytes) {
  bytes = length_of_number(text);
  const auto number = text.substr(0, bytes);
  const auto fault = [&] {
    return fail(Kind::invalid, fmt::format("{} is not a number that is supported", printable(number, 40)));
  };
  auto digits = number.substr(number[0] == '+' || number[0] == '-' ? 1 : 0);
  const bool is_negative = number[0] == '-';
  const bool is_hexadecimal = digits.starts_with("0x") || digits.starts_with("0X");
  if (!is_hexadecimal && digits.find_first_of(".eE") != digits.npos) {
    double value = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || stop != digits.data() + digits.size()) return fault();
    return TemplateValue(is_negative ? -value : value);
  }
  const int base = take_base(digits);
  std::string signed_digits = (is_negative ? "-" : "") + std::string(digits);
  std::int64_t value = 0;
  const auto* const last = signed_digits.data() + signed_digits.size();
  const auto [stop, error] = std::from_chars(signed_digits.data(), last, value, base);
  if (error != std::errc() || stop != last) return fault();
  return TemplateValue(value);
}

}  // namespace

bool starts_literal(std::string_view text) {
  if (text.empty()) return false;
  if (std::string_view("\"`'").find(text[0]) != std::string_view::npos || is_digit(text[0])) return true;
  const bool has_sign = text[0] == '+' || text[0] == '-';
  const auto unsigned_text = text.substr(has_sign ? 1 : 0);
  if (unsigned_text.empty()) return false;
  return (has_sign && is_digit(unsigned_text[0])) ||
         (unsigned_text.size() > 1 && unsigned_text[0] == '.' && is_digit(unsigned_text[1]));
}

Result<TemplateValue> read_literal(std::string_view text, std::size_t& bytes) {
  if (text[0] == '`') return read_raw(text, bytes);
  if (text[0] == '\'') return read_character(text, bytes);
  if (text[0] != '"') return read_number(text, bytes);
  auto content = read_quoted(text, bytes);
  if (!content) return tl::unexpected(content.error());
  return TemplateValue(*std::move(content));
}

}  // namespace windlass
