#include "config/substitution.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass {
namespace {

constexpr int kNestingMax = 100;
constexpr std::size_t kShownBytes = 100;  // of a name in a message

bool begins_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool continues_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }

std::string_view take_name(std::string_view& text) {
  std::size_t length = 0;
  if (!text.empty() && begins_name(text[0]))
    while (length < text.size() && continues_name(text[length])) ++length;
  const auto name = text.substr(0, length);
  text.remove_prefix(length);
  return name;
}

// Where the brace closes that is open at the start of `text`; npos if nowhere.
std::size_t closing_brace(std::string_view text) {
  int open = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '}' && --open == 0) return i;
    if (text.substr(i, 2) == "${") ++open, ++i;
  }
  return text.npos;
}

class Substitution {
 public:
  explicit Substitution(const Lookup& lookup) : lookup_(lookup) {}

  Result<std::string> run(std::string_view text, int nesting = 0) {
    if (nesting > kNestingMax) return fail(Kind::invalid, "variables are nested too deeply");
    std::string out;
    while (!text.empty()) {
      const auto dollar = text.find('$');
      out += text.substr(0, dollar);
      text.remove_prefix(dollar == text.npos ? text.size() : dollar);
      if (!text.empty()) {
        text.remove_prefix(1);
        auto value = replace_one(text, nesting);
        if (!value) return value;
        out += *value;
      }
      if (out.size() > kVariableBytesMax)
        return fail(Kind::invalid, fmt::format("the value is longer than {} bytes", kVariableBytesMax));
    }
    return out;
  }

 private:
  // `text` stands behind a dollar sign; what belongs to it is taken off.
  Result<std::string> replace_one(std::string_view& text, int nesting) {
    if (text.starts_with('$')) {
      text.remove_prefix(1);
      return std::string("$");
    }
    if (text.starts_with('{')) {
      text.remove_prefix(1);
      const auto close = closing_brace(text);
      if (close == text.npos) return fail(Kind::invalid, "\"${\" without its \"}\"");
      const auto inside = text.substr(0, close);
      text.remove_prefix(close + 1);
      return replace_braced(inside, nesting);
    }
    const auto name = take_name(text);
    if (name.empty()) return fail(Kind::invalid, "\"$\" without the name of a variable, write \"$$\" for the sign");
    return lookup_(std::string(name)).value_or("");
  }

  Result<std::string> replace_braced(std::string_view inside, int nesting) {
    const std::string name(take_name(inside));
    if (name.empty()) return fail(Kind::invalid, "\"${\" without the name of a variable");
    const auto value = lookup_(name);
    if (inside.empty()) return value.value_or("");

    const bool empty_counts_as_unset = inside.starts_with(':');
    if (empty_counts_as_unset) inside.remove_prefix(1);
    const bool is_set = value && !(empty_counts_as_unset && value->empty());
    const char operation = inside.empty() ? '\0' : inside[0];
    if (!inside.empty()) inside.remove_prefix(1);
    switch (operation) {
      case '-':
        return is_set ? Result<std::string>(*value) : run(inside, nesting + 1);
      case '+':
        return is_set ? run(inside, nesting + 1) : Result<std::string>("");
      case '?':
        if (is_set) return *value;
        return fail(Kind::invalid,
                    fmt::format("required variable {} is missing a value", printable(name, kShownBytes)));
      default:
        return fail(Kind::invalid,
                    fmt::format("\"${{{}\" is followed by no known operator", printable(name, kShownBytes)));
    }
  }

  const Lookup& lookup_;
};

}  // namespace

Result<std::string> substitute(std::string_view text, const Lookup& lookup) { return Substitution(lookup).run(text); }

}  // namespace windlass
