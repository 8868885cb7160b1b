#include "secrets/jmespath_lexer.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/text.h"

namespace windlass {
namespace {

using Token = JmesToken;

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Sign {
  std::string_view text;
  Token::Kind kind;
};

// Of two that begin alike the longer one first.
constexpr Sign kSigns[] = {
    {"[]", Token::Kind::flatten},
    {"[?", Token::Kind::filter},
    {"[", Token::Kind::open_bracket},
    {"]", Token::Kind::close_bracket},
    {"{", Token::Kind::open_brace},
    {"}", Token::Kind::close_brace},
    {"(", Token::Kind::open_parenthesis},
    {")", Token::Kind::close_parenthesis},
    {".", Token::Kind::dot},
    {"*", Token::Kind::star},
    {",", Token::Kind::comma},
    {":", Token::Kind::colon},
    {"@", Token::Kind::current},
    {"||", Token::Kind::either},
    {"|", Token::Kind::pipe},
    {"&&", Token::Kind::both},
    {"&", Token::Kind::reference},
    {"!=", Token::Kind::comparison},
    {"!", Token::Kind::negation},
    {"==", Token::Kind::comparison},
    {"<=", Token::Kind::comparison},
    {"<", Token::Kind::comparison},
    {">=", Token::Kind::comparison},
    {">", Token::Kind::comparison},
};

class Cutter {
 public:
  explicit Cutter(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> cut() {
    while (true) {
      at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
      if (at_ == text_.size()) break;
      auto token = take();
      if (!token) return tl::unexpected(token.error());
      tokens_.push_back(*std::move(token));
    }
    tokens_.push_back({.at = at_});
    return std::move(tokens_);
  }

 private:
  Result<Token> take() {
    const char first = text_[at_];
    if (is_name_start(first)) return take_name();
    if (is_digit(first) || first == '-') return take_number();
    if (first == '"') return take_quoted_name();
    if (first == '\'') return take_raw();
    if (first == '`') return take_literal();
    for (const auto& sign : kSigns) {
      if (!text_.substr(at_).starts_with(sign.text)) continue;
      Token token{.kind = sign.kind, .at = at_, .text = std::string(sign.text)};
      at_ += sign.text.size();
      return token;
    }
    return jmespath_fault(at_, fmt::format("{} is not expected here", printable(text_.substr(at_, 1))));
  }

  Token take_name() {
    const auto begin = at_;
    while (at_ < text_.size() && (is_name_start(text_[at_]) || is_digit(text_[at_]))) ++at_;
    return {.kind = Token::Kind::name, .at = begin, .text = std::string(text_.substr(begin, at_ - begin))};
  }

  Result<Token> take_number() {
    const auto begin = at_++;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    Token token{.kind = Token::Kind::number, .at = begin, .text = std::string(text_.substr(begin, at_ - begin))};
    const auto* end = token.text.data() + token.text.size();
    const auto [read, error] = std::from_chars(token.text.data(), end, token.number);
    if (error != std::errc() || read != end)
      return jmespath_fault(begin, fmt::format("{} is not a number", token.text));
    return token;
  }

  // What stands between two such marks; a mark behind a backslash is part of it, both stay.
  std::optional<std::string_view> take_between(char mark) {
    const auto begin = ++at_;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == mark) {
        return text_.substr(begin, at_++ - begin);
      }
    }
    return std::nullopt;
  }

  static std::string without_escapes_of(char mark, std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool is_escape = text[i] == '\\' && i + 1 < text.size() && text[i + 1] == mark;
      plain += text[is_escape ? ++i : i];
    }
    return plain;
  }

  Result<Token> take_quoted_name() {
    const auto begin = at_;
    if (!take_between('"')) return jmespath_fault(begin, "\" is not closed");
    const auto name = parse_json(text_.substr(begin, at_ - begin));
    if (!name) return jmespath_fault(begin, "what stands in double quotes is written as a JSON string");
    return Token{.kind = Token::Kind::quoted_name, .at = begin, .text = std::string(name->get_string())};
  }

  Result<Token> take_raw() {
    const auto begin = at_;
    const auto text = take_between('\'');
    if (!text) return jmespath_fault(begin, "' is not closed");
    return Token{.kind = Token::Kind::literal, .at = begin, .value = json::string(without_escapes_of('\'', *text))};
  }

  Result<Token> take_literal() {
    const auto begin = at_;
    const auto text = take_between('`');
    if (!text) return jmespath_fault(begin, "` is not closed");
    auto value = parse_json(without_escapes_of('`', *text));
    if (!value)
      return jmespath_fault(begin, "what stands between ` and ` is JSON; 'text' is a shorter way to write one");
    return Token{.kind = Token::Kind::literal, .at = begin, .value = *std::move(value)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

tl::unexpected<Error> jmespath_fault(std::size_t at, std::string_view fault) {
  return fail(Kind::invalid, fmt::format("byte {}: {}", at + 1, fault));
}

Result<std::vector<JmesToken>> cut_jmespath(std::string_view expression) { return Cutter(expression).cut(); }

}  // namespace windlass
