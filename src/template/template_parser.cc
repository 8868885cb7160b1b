#include "template/template_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/text.h"
#include "template/template_lexer.h"
#include "template/template_pipeline.h"

namespace windlass {
namespace {

using Node = TemplateNode;
using Nodes = std::vector<Node>;
using Words = std::span<const TemplateToken>;

constexpr int kDepthMax = 50;  // of blocks in each other
constexpr std::string_view kUnsupported[] = {"define", "block", "template", "break", "continue"};

std::optional<Node::Kind> block_of(std::string_view word) {
  if (word == "if") return Node::Kind::if_;
  if (word == "with") return Node::Kind::with;
  if (word == "range") return Node::Kind::range;
  return std::nullopt;
}

class Parser {
 public:
  Parser(std::vector<TemplatePiece> pieces, TemplateDialect dialect) : pieces_(std::move(pieces)), dialect_(dialect) {}

  Result<Nodes> parse() {
    auto nodes = take_nodes();
    if (!nodes) return at_line(nodes.error());
    if (end_ != End::none)
      return at_line({Kind::invalid, fmt::format("{{{{{}}}}} belongs to nothing", words_[0].text)});
    return nodes;
  }

 private:
  enum class End { none, end, else_ };

  tl::unexpected<Error> at_line(Error error) const {
    return fail(error.kind, fmt::format("line {}: {}", line_, error.message));
  }

  // Up to what ends them, which is then in `end_`, with its words.
  Result<Nodes> take_nodes() {
    Nodes nodes;
    const auto visible = variables_.size();
    for (end_ = End::none; next_ < pieces_.size();) {
      auto& piece = pieces_[next_++];
      if (!piece.is_action) {
        nodes.push_back({.text = std::move(piece.text)});
        continue;
      }
      line_ = piece.line;
      words_ = piece.tokens;
      const auto word = words_[0].kind == TemplateToken::Kind::word ? words_[0].text : "";
      end_ = word == "end" ? End::end : word == "else" ? End::else_ : End::none;
      if (end_ != End::none) break;
      auto node = take_node(word);
      if (!node) return tl::unexpected(node.error());
      nodes.push_back(*std::move(node));
      end_ = End::none;  // that of a block inside is not ours
    }
    variables_.resize(visible);
    if (end_ == End::end && words_.size() > 1) return fail(Kind::invalid, "{{end}} stands alone");
    return nodes;
  }

  Result<Node> take_node(const std::string& word) {
    if (std::ranges::find(kUnsupported, word) != std::end(kUnsupported))
      return fail(Kind::invalid, fmt::format("{{{{{}}}}} is not supported", word));
    if (const auto kind = block_of(word)) return take_block(*kind, word, words_.subspan(1));
    auto pipeline = take_pipeline(words_, false);
    if (!pipeline) return tl::unexpected(pipeline.error());
    return Node{.kind = Node::Kind::output, .pipeline = *std::move(pipeline)};
  }

  Result<TemplatePipeline> take_pipeline(Words words, bool in_range) {
    return TemplatePipelineParser(words, line_, dialect_, variables_).parse(in_range);
  }

  Result<Node> take_block(Node::Kind kind, std::string_view word, Words words) {
    if (++depth_ > kDepthMax) return fail(Kind::invalid, "blocks are nested too deep");
    const auto visible = variables_.size();
    const int line = line_;
    Node node{.kind = kind};
    auto pipeline = take_pipeline(words, kind == Node::Kind::range);
    if (!pipeline) return tl::unexpected(pipeline.error());
    node.pipeline = *std::move(pipeline);
    auto body = take_nodes();
    if (!body) return tl::unexpected(body.error());
    node.body = *std::move(body);
    if (end_ == End::else_)
      if (auto taken = take_else(node, word); !taken) return tl::unexpected(taken.error());
    if (end_ != End::end) {
      line_ = line;
      return fail(Kind::invalid, fmt::format("{{{{{}}}}} has no {{{{end}}}}", word));
    }
    variables_.resize(visible);
    --depth_;
    return node;
  }

  // "else if" is an if of its own in the else, with which it shares the end.
  Status take_else(Node& node, std::string_view word) {
    const auto words = words_.subspan(1);
    if (words.empty()) {
      auto otherwise = take_nodes();
      if (!otherwise) return tl::unexpected(otherwise.error());
      node.otherwise = *std::move(otherwise);
      return end_ == End::else_ ? fail(Kind::invalid, "{{else}} follows {{else}}") : Status();
    }
    const bool is_chain = node.kind == Node::Kind::if_ && words[0].text == "if";
    if (!is_chain)
      return fail(Kind::invalid,
                  fmt::format("{{{{else {}}}}} in {{{{{}}}}} is not supported",
                              words[0].kind == TemplateToken::Kind::word ? printable(words[0].text, 100) : "…", word));
    auto inner = take_block(Node::Kind::if_, word, words.subspan(1));
    if (!inner) return tl::unexpected(inner.error());
    node.otherwise.push_back(*std::move(inner));
    return {};
  }

  std::vector<TemplatePiece> pieces_;
  const TemplateDialect dialect_;
  std::size_t next_ = 0;
  std::vector<std::string> variables_;
  int depth_ = 0;
  int line_ = 1;
  End end_ = End::none;
  Words words_;
};

}  // namespace

Result<Nodes> parse_template(std::string_view text, TemplateDialect dialect) {
  auto pieces = cut_template(text);
  if (!pieces) return tl::unexpected(pieces.error());
  return Parser(*std::move(pieces), dialect).parse();
}

}  // namespace windlass
