#include "secrets/jmespath_parser.h"

#include <fmt/format.h>

#include <initializer_list>
#include <utility>

#include "base/text.h"
#include "secrets/jmespath.h"
#include "secrets/jmespath_functions.h"
#include "secrets/jmespath_lexer.h"

namespace windlass {
namespace {

using Node = JmesNode;
using Token = JmesToken;

// How strongly a word binds what stands to its left. Below kProjectionEnd it ends the right side of a projection.
constexpr int kPipe = 1, kEither = 2, kBoth = 3, kComparison = 5, kFlatten = 9, kProjectionEnd = 10, kStar = 20,
              kFilter = 21, kDot = 40, kNegation = 45, kBracket = 55, kCall = 60;

int strength_of(Token::Kind kind) {
  switch (kind) {
    case Token::Kind::pipe:
      return kPipe;
    case Token::Kind::either:
      return kEither;
    case Token::Kind::both:
      return kBoth;
    case Token::Kind::comparison:
      return kComparison;
    case Token::Kind::flatten:
      return kFlatten;
    case Token::Kind::filter:
      return kFilter;
    case Token::Kind::dot:
      return kDot;
    case Token::Kind::open_bracket:
      return kBracket;
    case Token::Kind::open_parenthesis:
      return kCall;
    default:
      return 0;
  }
}

JmesComparison comparison_of(std::string_view sign) {
  if (sign == "==") return JmesComparison::equal;
  if (sign == "!=") return JmesComparison::unequal;
  if (sign == "<") return JmesComparison::less;
  if (sign == "<=") return JmesComparison::at_most;
  return sign == ">" ? JmesComparison::greater : JmesComparison::at_least;
}

Node node_of(Node::Kind kind, std::initializer_list<Node*> parts) {
  Node node{.kind = kind};
  for (auto* part : parts) node.parts.push_back(std::move(*part));
  return node;
}

// Top-down operator precedence: `start` reads what can begin an expression, `go_on` what can follow one.
class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<Node> parse() {
    auto node = expression(0);
    if (node && !at(Token::Kind::end)) return unexpected();
    return node;
  }

 private:
  Result<Node> expression(int strength) {
    if (++depth_ > JmesPath::kDepthMax) return jmespath_fault(here().at, "it is nested too deep");
    auto left = start();
    while (left && strength < strength_of(here().kind)) left = go_on(*std::move(left));
    --depth_;
    return left;
  }

  Result<Node> start() {
    auto& token = tokens_[next_++];
    switch (token.kind) {
      case Token::Kind::literal:
        return Node{.kind = Node::Kind::literal, .value = std::move(token.value)};
      case Token::Kind::name:
        if (at(Token::Kind::open_parenthesis)) return call(token);
        return Node{.kind = Node::Kind::field, .name = token.text};
      case Token::Kind::quoted_name:
        return Node{.kind = Node::Kind::field, .name = token.text};
      case Token::Kind::current:
        return Node{};
      case Token::Kind::star:
        return projection(Node::Kind::value_projection, Node{}, kStar);
      case Token::Kind::flatten:
        return flattened(Node{});
      case Token::Kind::filter:
        return filtered(Node{});
      case Token::Kind::open_bracket:
        if (at(Token::Kind::number) || at(Token::Kind::colon)) return indexed(Node{});
        if (at(Token::Kind::star) && at(Token::Kind::close_bracket, 1)) return projection_of_all(Node{});
        return list();
      case Token::Kind::open_brace:
        return object();
      case Token::Kind::open_parenthesis: {
        auto inner = expression(0);
        if (inner && !take(Token::Kind::close_parenthesis)) return unexpected();
        return inner;
      }
      case Token::Kind::negation:
        return wrapped(Node::Kind::negation, expression(kNegation));
      case Token::Kind::reference:
        return wrapped(Node::Kind::reference, expression(0));
      default:
        --next_;
        return unexpected();
    }
  }

  Result<Node> go_on(Node left) {
    const auto token = tokens_[next_++];
    switch (token.kind) {
      case Token::Kind::dot: {
        if (take(Token::Kind::star)) return projection(Node::Kind::value_projection, std::move(left), kDot);
        auto right = behind_dot(kDot);
        return right ? Result<Node>(node_of(Node::Kind::chain, {&left, &*right})) : right;
      }
      case Token::Kind::pipe:
        return joined(Node::Kind::chain, std::move(left), kPipe);
      case Token::Kind::either:
        return joined(Node::Kind::either, std::move(left), kEither);
      case Token::Kind::both:
        return joined(Node::Kind::both, std::move(left), kBoth);
      case Token::Kind::comparison: {
        auto node = joined(Node::Kind::comparison, std::move(left), kComparison);
        if (node) node->comparison = comparison_of(token.text);
        return node;
      }
      case Token::Kind::flatten:
        return flattened(std::move(left));
      case Token::Kind::filter:
        return filtered(std::move(left));
      case Token::Kind::open_bracket:
        if (at(Token::Kind::number) || at(Token::Kind::colon)) return indexed(std::move(left));
        if (at(Token::Kind::star)) return projection_of_all(std::move(left));
        return unexpected();
      default:
        --next_;
        return unexpected();
    }
  }

  static Result<Node> wrapped(Node::Kind kind, Result<Node> inner) {
    return inner ? Result<Node>(node_of(kind, {&*inner})) : inner;
  }

  Result<Node> joined(Node::Kind kind, Node left, int strength) {
    auto right = expression(strength);
    return right ? Result<Node>(node_of(kind, {&left, &*right})) : right;
  }

  Result<Node> behind_dot(int strength) {
    if (at(Token::Kind::name) || at(Token::Kind::quoted_name) || at(Token::Kind::star)) return expression(strength);
    if (take(Token::Kind::open_bracket)) return list();
    if (take(Token::Kind::open_brace)) return object();
    return unexpected();
  }

  // What is asked of each item; nothing is the item itself.
  Result<Node> behind_projection(int strength) {
    if (strength_of(here().kind) < kProjectionEnd) return Node{};
    if (at(Token::Kind::open_bracket) || at(Token::Kind::filter)) return expression(strength);
    if (take(Token::Kind::dot)) return behind_dot(strength);
    return unexpected();
  }

  Result<Node> projection(Node::Kind kind, Node left, int strength) {
    auto right = behind_projection(strength);
    return right ? Result<Node>(node_of(kind, {&left, &*right})) : right;
  }

  // Behind "[": "*]"
  Result<Node> projection_of_all(Node left) {
    ++next_;
    if (!take(Token::Kind::close_bracket)) return unexpected();
    return projection(Node::Kind::projection, std::move(left), kStar);
  }

  Result<Node> flattened(Node left) {
    return projection(Node::Kind::projection, node_of(Node::Kind::flatten, {&left}), kFlatten);
  }

  // Behind "[?".
  Result<Node> filtered(Node left) {
    auto condition = expression(0);
    if (!condition) return condition;
    if (!take(Token::Kind::close_bracket)) return unexpected();
    auto right = at(Token::Kind::flatten) ? Result<Node>(Node{}) : behind_projection(kFilter);
    return right ? Result<Node>(node_of(Node::Kind::filter, {&left, &*right, &*condition})) : right;
  }

  // Behind "[", at a number or a colon: an index, or a slice.
  Result<Node> indexed(Node left) {
    std::optional<std::int64_t> numbers[3];
    std::size_t colons = 0;
    for (; !at(Token::Kind::close_bracket); ++next_) {
      if (at(Token::Kind::number) && !numbers[colons])
        numbers[colons] = here().number;
      else if (!at(Token::Kind::colon) || ++colons > 2)
        return unexpected();
    }
    ++next_;
    Node inner{.kind = colons == 0 ? Node::Kind::index : Node::Kind::slice,
               .start = numbers[0],
               .stop = numbers[1],
               .step = numbers[2]};
    auto node = node_of(Node::Kind::chain, {&left, &inner});
    if (colons == 0) return node;
    return projection(Node::Kind::projection, std::move(node), kStar);
  }

  // Behind "[".
  Result<Node> list() {
    Node node{.kind = Node::Kind::list};
    do {
      auto item = expression(0);
      if (!item) return item;
      node.parts.push_back(*std::move(item));
    } while (take(Token::Kind::comma));
    if (!take(Token::Kind::close_bracket)) return unexpected();
    return node;
  }

  // Behind "{".
  Result<Node> object() {
    Node node{.kind = Node::Kind::object};
    do {
      if (!at(Token::Kind::name) && !at(Token::Kind::quoted_name)) return unexpected();
      node.keys.push_back(tokens_[next_++].text);
      if (!take(Token::Kind::colon)) return unexpected();
      auto value = expression(0);
      if (!value) return value;
      node.parts.push_back(*std::move(value));
    } while (take(Token::Kind::comma));
    if (!take(Token::Kind::close_brace)) return unexpected();
    return node;
  }

  Result<Node> call(const Token& name) {
    const auto function = jmes_function(name.text);
    if (!function) return jmespath_fault(name.at, fmt::format("there is no function {}", printable(name.text, 100)));
    Node node{.kind = Node::Kind::call, .function = *function};
    ++next_;
    while (!take(Token::Kind::close_parenthesis)) {
      if (!node.parts.empty() && !take(Token::Kind::comma)) return unexpected();
      auto argument = expression(0);
      if (!argument) return argument;
      node.parts.push_back(*std::move(argument));
    }
    if (auto fits = check_jmes_arity(*function, node.parts.size()); !fits)
      return jmespath_fault(name.at, fits.error().message);
    return node;
  }

  const Token& here() const { return tokens_[next_]; }
  bool at(Token::Kind kind, std::size_t ahead = 0) const {
    return next_ + ahead < tokens_.size() && tokens_[next_ + ahead].kind == kind;
  }
  bool take(Token::Kind kind) {
    if (!at(kind)) return false;
    ++next_;
    return true;
  }
  tl::unexpected<Error> unexpected() const {
    const auto& token = here();
    if (token.kind == Token::Kind::end) return jmespath_fault(token.at, "something is missing at the end");
    const auto shown = token.kind == Token::Kind::literal ? "a literal" : printable(token.text, 100);
    return jmespath_fault(token.at, fmt::format("{} is not expected here", shown));
  }

  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<JmesNode> parse_jmespath(std::string_view expression) {
  auto tokens = cut_jmespath(expression);
  if (!tokens) return tl::unexpected(tokens.error());
  return Parser(*std::move(tokens)).parse();
}

}  // namespace windlass
