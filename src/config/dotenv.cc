#include "config/dotenv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/text.h"

namespace windlass {
namespace {

constexpr std::string_view kBlank = " \t\v\f\r";  // white space within a line

// Bytes of other scripts count as letters, as in compose.
bool is_name_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) || std::string_view("_.-[]").find(c) != std::string_view::npos;
}

void skip(std::string_view& text, std::string_view characters) {
  text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
}

// One escape at the front of `text`, which begins with a backslash: what it stands for, and it is taken off. Unknown
// ones stay as they are.
std::string take_escape(std::string_view& text) {
  constexpr std::string_view letters = "abfnrtv\"\\", meanings = "\a\b\f\n\r\t\v\"\\";
  const char letter = text.size() > 1 ? text[1] : '\0';
  if (letter == '$') {  // a dollar sign that starts no variable
    text.remove_prefix(2);
    return "$$";
  }
  if (const auto at = letters.find(letter); letter != '\0' && at != letters.npos) {
    text.remove_prefix(2);
    return std::string(1, meanings[at]);
  }
  const auto octal = text.substr(0, 5);  // \0101: three digits behind the zero, as UTF-8
  const auto digits = octal.size() == 5 && letter == '0' ? octal.substr(2) : "";
  if (!digits.empty() && digits[0] <= '3' && digits.find_first_not_of("01234567") == digits.npos) {
    text.remove_prefix(5);
    const int code = (digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0');
    if (code < 0x80) return std::string(1, static_cast<char>(code));
    return {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
  }
  text.remove_prefix(1);
  return "\\";
}

std::string expand_escapes(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto backslash = text.find('\\');
    out += text.substr(0, backslash);
    text.remove_prefix(std::min(backslash, text.size()));
    if (!text.empty()) out += take_escape(text);
  }
  return out;
}

class DotenvParser {
 public:
  DotenvParser(std::string_view text, std::string_view file, const Lookup& outer)
      : whole_(text), rest_(text), file_(file), outer_(outer) {}

  Result<std::map<std::string, std::string>> run() {
    while (go_to_statement())
      if (auto taken = take_statement(); !taken) return tl::unexpected(taken.error());
    return std::move(values_);
  }

 private:
  bool go_to_statement() {
    for (;;) {
      skip(rest_, " \t\v\f\r\n");
      if (rest_.empty()) return false;
      if (!rest_.starts_with('#')) return true;
      rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
    }
  }

  Status take_statement() {
    start_of_statement_ = rest_;
    if (rest_.starts_with("export") && rest_.size() > 6 && kBlank.find(rest_[6]) != kBlank.npos) {
      rest_.remove_prefix(6);
      skip(rest_, kBlank);
    }
    const auto end = std::find_if(rest_.begin(), rest_.end(), [](char c) { return c == '=' || c == ':' || c == '\n'; });
    const auto length = static_cast<std::size_t>(end - rest_.begin());
    const std::string name(trim(rest_.substr(0, length)));
    if (name.empty()) return fault("a value without a name");
    if (!std::all_of(name.begin(), name.end(), is_name_character))
      return fault("a name of letters, digits, \"_\", \".\" and \"-\" was expected");
    const bool has_value = length < rest_.size() && rest_[length] != '\n';
    rest_.remove_prefix(std::min(length + 1, rest_.size()));
    if (!has_value) return inherit(name);
    skip(rest_, kBlank);
    auto value = take_value();
    if (!value) return tl::unexpected(value.error());
    if (value->find('\0') != value->npos) return fault("NUL in a value");
    return keep(name, std::move(*value));
  }

  Status inherit(const std::string& name) {
    auto value = outer_(name);
    return value ? keep(name, std::move(*value)) : Status();
  }

  // Counted as they come: variables made of variables would grow far beyond the file they stand in.
  Status keep(const std::string& name, std::string value) {
    bytes_ += name.size() + value.size();
    if (bytes_ > kDotenvBytesMax) return fault(fmt::format("more than {} bytes of variables", kDotenvBytesMax));
    values_[name] = std::move(value);
    return {};
  }

  Result<std::string> take_value() {
    const char first = rest_.empty() ? '\0' : rest_[0];
    if (first == '\'' || first == '"') return take_quoted(first);
    const auto line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(line.size());
    auto value = line.substr(0, line.find(" #"));
    value = value.substr(0, value.find_last_not_of(kBlank) + 1);
    return replace_variables(value);
  }

  Result<std::string> take_quoted(char quote) {
    std::string inside;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (c == quote) {
        rest_.remove_prefix(i + 1);
        return quote == '"' ? replace_variables(expand_escapes(inside)) : Result<std::string>(inside);
      }
      if (c != '\\' || i + 1 == rest_.size()) {
        inside += c;
        continue;
      }
      const char escaped = rest_[++i];
      if (escaped != quote) inside += '\\';  // other escapes are read later, and only between double quotes
      inside += escaped;
    }
    return fault("a quoted value has no end");
  }

  Result<std::string> replace_variables(std::string_view text) {
    const Lookup lookup = [this](const std::string& name) -> std::optional<std::string> {
      if (auto value = outer_(name)) return value;
      const auto found = values_.find(name);
      return found == values_.end() ? std::nullopt : std::optional(found->second);
    };
    auto value = substitute(text, lookup);
    if (!value) return fault(value.error().message);
    return value;
  }

  tl::unexpected<Error> fault(std::string_view text) const {
    const auto before = whole_.substr(0, whole_.size() - start_of_statement_.size());
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    return fail(Kind::invalid, fmt::format("{}:{}: {}", file_, line, text));
  }

  std::string_view whole_, rest_, start_of_statement_;
  std::string file_;
  const Lookup& outer_;
  std::map<std::string, std::string> values_;
  std::size_t bytes_ = 0;
};

}  // namespace

Result<std::map<std::string, std::string>> parse_dotenv(std::string_view text, std::string_view file,
                                                        const Lookup& outer) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string lines;  // ends of lines as on this system, so that a quoted value has no stray carriage returns
  lines.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r' || text.substr(i, 2) != "\r\n") lines += text[i];
  return DotenvParser(lines, file, outer).run();
}

}  // namespace windlass
