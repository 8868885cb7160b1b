#include "template/template_lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "template/template_literal.h"

namespace windlass {
namespace {

using Token = TemplateToken;

constexpr std::string_view kSpace = " \t\r\n";

bool is_space(char c) { return kSpace.find(c) != kSpace.npos; }
bool is_word_character(unsigned char c) { return std::isalnum(c) || c == '_' || c >= 0x80; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : rest_(text) {}

  Result<std::vector<TemplatePiece>> cut() {
    while (!rest_.empty()) {
      const auto begin = std::min(rest_.find("{{"), rest_.size());
      add_text(rest_.substr(0, begin));
      advance(begin);
      if (rest_.empty()) break;
      if (auto done = take_action(); !done)
        return fail(Kind::invalid, fmt::format("line {}: {}", line_, done.error().message));
    }
    return std::move(pieces_);
  }

 private:
  void advance(std::size_t bytes) {
    line_ += static_cast<int>(std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(bytes), '\n'));
    rest_.remove_prefix(bytes);
  }

  void skip_space() { advance(std::min(rest_.find_first_not_of(kSpace), rest_.size())); }

  void add_text(std::string_view text) {
    const auto next = rest_.substr(text.size());
    if (trims_next_) text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    trims_next_ = false;
    if (next.size() > 3 && next.starts_with("{{-") && is_space(next[3]))
      text = text.substr(0, text.find_last_not_of(kSpace) + 1);
    if (!text.empty()) pieces_.push_back({.line = line_, .text = std::string(text)});
  }

  Status take_action() {
    TemplatePiece piece{.is_action = true, .line = line_};
    const bool has_marker = rest_.size() > 3 && rest_[2] == '-' && is_space(rest_[3]);
    advance(has_marker ? 4 : 2);
    const auto first = rest_.find_first_not_of(has_marker ? kSpace : "");
    if (first != rest_.npos && rest_.substr(first).starts_with("/*")) {
      advance(first);
      return take_comment();
    }
    while (!take_end()) {
      if (rest_.empty()) return fail(Kind::invalid, "an action is not closed with }}");
      auto token = take_token();
      if (!token) return tl::unexpected(token.error());
      piece.tokens.push_back(*std::move(token));
    }
    if (piece.tokens.empty()) return fail(Kind::invalid, "an action is empty");
    pieces_.push_back(std::move(piece));
    return {};
  }

  Status take_comment() {
    const auto end = rest_.find("*/");
    if (end == rest_.npos) return fail(Kind::invalid, "a comment is not closed with */");
    advance(end + 2);
    if (take_end()) return {};
    return fail(Kind::invalid, "a comment must stand alone in its action");
  }

  // The end of an action, with its trim marker; space before it is skipped in any case.
  bool take_end() {
    const auto before = rest_.size();
    skip_space();
    is_spaced_ = rest_.size() != before;
    trims_next_ = is_spaced_ && rest_.starts_with("-}}");
    if (!trims_next_ && !rest_.starts_with("}}")) return false;
    advance(trims_next_ ? 3 : 2);
    return true;
  }

  Result<Token> take_token() {
    const bool is_attached = !is_spaced_;
    auto token = take_sign();
    if (!token) return token;
    token->is_attached = is_attached;
    return token;
  }

  Token taken(Token::Kind kind, std::size_t bytes, std::size_t without = 0) {
    Token token{.kind = kind, .text = std::string(rest_.substr(without, bytes - without))};
    advance(bytes);
    return token;
  }

  Result<Token> take_sign() {
    if (rest_.starts_with(":=")) return taken(Token::Kind::declare, 2);
    switch (rest_[0]) {
      case '=':
        return taken(Token::Kind::assign, 1);
      case '|':
        return taken(Token::Kind::pipe, 1);
      case ',':
        return taken(Token::Kind::comma, 1);
      case '(':
        return taken(Token::Kind::open, 1);
      case ')':
        return taken(Token::Kind::close, 1);
    }
    if (starts_literal(rest_)) return take_literal();
    const auto begin = rest_[0] == '.' || rest_[0] == '$' ? 1u : 0u;
    const auto end = std::find_if_not(rest_.begin() + begin, rest_.end(), is_word_character);
    const auto bytes = static_cast<std::size_t>(end - rest_.begin());
    if (bytes == 0) return unexpected();
    if (!ends_at(bytes)) {
      advance(bytes);
      return unexpected();
    }
    if (rest_[0] == '$') return taken(Token::Kind::variable, bytes);
    if (begin == 0) return taken(Token::Kind::word, bytes);
    return taken(bytes == 1 ? Token::Kind::dot : Token::Kind::field, bytes, 1);
  }

  Result<Token> take_literal() {
    std::size_t bytes = 0;
    auto value = read_literal(rest_, bytes);
    if (!value) return tl::unexpected(value.error());
    if (!ends_at(bytes)) {
      advance(bytes);
      return unexpected();
    }
    auto token = taken(Token::Kind::literal, bytes);
    token.value = *std::move(value);
    return token;
  }

  // After so many bytes, may a word end there?
  bool ends_at(std::size_t bytes) const {
    const auto next = rest_.substr(bytes);
    return next.empty() || is_space(next[0]) || std::string_view(".,|:()").find(next[0]) != std::string_view::npos ||
           next.starts_with("}}");
  }

  tl::unexpected<Error> unexpected() const {
    return fail(Kind::invalid, fmt::format("\"{}\" is not expected here", printable(rest_.substr(0, 1))));
  }

  std::string_view rest_;
  int line_ = 1;
  bool trims_next_ = false;
  bool is_spaced_ = false;
  std::vector<TemplatePiece> pieces_;
};

}  // namespace

Result<std::vector<TemplatePiece>> cut_template(std::string_view text) { return Lexer(text).cut(); }

}  // namespace windlass
