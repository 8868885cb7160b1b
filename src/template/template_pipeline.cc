#include "template/template_pipeline.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "template/template_printf.h"

namespace windlass {
namespace {

using Token = TemplateToken;

constexpr int kParenthesesMax = 50;  // deep enough for people, and for the stack

std::string name_of(const Token& token) {
  constexpr std::string_view kSigns[] = {"", "", ".", "", "a value", "|", ",", "(", ")", ":=", "="};
  const auto sign = kSigns[static_cast<std::size_t>(token.kind)];
  const auto text = (token.kind == Token::Kind::field ? "." : "") + printable(token.text, 100);
  return sign.empty() ? text : std::string(sign);
}

tl::unexpected<Error> unexpected(const Token& token) {
  return fail(Kind::invalid, fmt::format("{} is not expected here", name_of(token)));
}

struct Arity {
  std::size_t least, most;
};

Arity arity_of(TemplateFunction function) {
  constexpr std::size_t kAny = 1000;
  switch (function) {
    case TemplateFunction::not_:
    case TemplateFunction::len:
    case TemplateFunction::b64enc:
    case TemplateFunction::b64dec:
    case TemplateFunction::urlencode:
    case TemplateFunction::urldecode:
    case TemplateFunction::json:
    case TemplateFunction::to_upper:
    case TemplateFunction::to_lower:
    case TemplateFunction::trim:
      return {1, 1};
    case TemplateFunction::ne:
    case TemplateFunction::lt:
    case TemplateFunction::le:
    case TemplateFunction::gt:
    case TemplateFunction::ge:
      return {2, 2};
    case TemplateFunction::eq:
      return {2, kAny};
    case TemplateFunction::and_:
    case TemplateFunction::or_:
    case TemplateFunction::index:
    case TemplateFunction::printf:
      return {1, kAny};
    case TemplateFunction::print:
      return {0, kAny};
  }
  return {1, kAny};
}

const std::string* literal_text(const TemplateOperand& operand) {
  const auto* literal = std::get_if<TemplateValue>(&operand.base);
  return literal ? literal->text() : nullptr;
}

Status check_call(const TemplateCommand& command, bool is_piped) {
  const auto count = command.operands.size() + (is_piped ? 1 : 0);
  if (!command.function) {
    if (is_piped) return fail(Kind::invalid, "what follows a | must be a function");
    if (command.operands.size() > 1) return fail(Kind::invalid, "only a function may have arguments");
    const auto* literal = std::get_if<TemplateValue>(&command.operands[0].base);
    return literal && literal->is_nil() ? fail(Kind::invalid, "nil is not a command") : Status();
  }
  const auto arity = arity_of(*command.function);
  if (count < arity.least || count > arity.most)
    return fail(Kind::invalid, fmt::format("{} has {} arguments, want {}{}", to_string(*command.function), count,
                                           arity.least == arity.most ? "" : "at least ", arity.least));
  if (*command.function != TemplateFunction::printf || command.operands.empty()) return {};
  const auto* format = literal_text(command.operands[0]);
  return format ? check_printf(*format) : Status();
}

}  // namespace

Result<TemplatePipeline> TemplatePipelineParser::parse(bool in_range) {
  TemplatePipeline head;
  if (auto taken = take_variables(head, in_range); !taken) return tl::unexpected(taken.error());
  auto pipeline = take_commands(false);
  if (!pipeline) return pipeline;
  if (head.declares) variables_.insert(variables_.end(), head.variables.begin(), head.variables.end());
  pipeline->variables = std::move(head.variables);
  pipeline->declares = head.declares;
  return pipeline;
}

// "$x :=", "$x =", in a range also "$index, $element :=".
Status TemplatePipelineParser::take_variables(TemplatePipeline& pipeline, bool in_range) {
  using enum Token::Kind;
  const bool has_two = at(variable) && at(comma, 1) && at(variable, 2);
  const std::size_t sign = has_two ? 3 : 1;
  if (!at(variable) || !(at(declare, sign) || at(assign, sign))) return {};
  if (has_two && !in_range) return unexpected(rest_[1]);
  pipeline.declares = at(declare, sign);
  for (std::size_t index = 0; index < sign; index += 2) {
    const auto& name = rest_[index].text;
    if (name == "$") return fail(Kind::invalid, "$ cannot be assigned to");
    if (!pipeline.declares && std::ranges::find(variables_, name) == variables_.end())
      return fail(Kind::invalid, fmt::format("variable {} is not declared", printable(name, 100)));
    pipeline.variables.push_back(name);
  }
  rest_ = rest_.subspan(sign + 1);
  return {};
}

Result<TemplatePipeline> TemplatePipelineParser::take_commands(bool in_parentheses) {
  TemplatePipeline pipeline{.line = line_};
  while (true) {
    auto command = take_command(!pipeline.commands.empty());
    if (!command) return tl::unexpected(command.error());
    pipeline.commands.push_back(*std::move(command));
    if (!at(Token::Kind::pipe)) break;
    rest_ = rest_.subspan(1);
  }
  if (in_parentheses && rest_.empty()) return fail(Kind::invalid, "( is not closed");
  if (!in_parentheses && !rest_.empty()) return unexpected(rest_[0]);
  return pipeline;
}

Result<TemplateCommand> TemplatePipelineParser::take_command(bool is_piped) {
  TemplateCommand command;
  if (at(Token::Kind::word)) command.function = template_function(rest_[0].text, dialect_);
  if (command.function) rest_ = rest_.subspan(1);
  while (!rest_.empty() && !at(Token::Kind::pipe) && !at(Token::Kind::close)) {
    const bool is_next = command.function || !command.operands.empty();
    if (is_next && rest_[0].is_attached) return unexpected(rest_[0]);
    auto operand = take_operand();
    if (!operand) return tl::unexpected(operand.error());
    command.operands.push_back(*std::move(operand));
  }
  if (!command.function && command.operands.empty()) return fail(Kind::invalid, "a command is missing");
  if (auto fits = check_call(command, is_piped); !fits) return tl::unexpected(fits.error());
  return command;
}

Result<TemplateOperand> TemplatePipelineParser::take_operand() {
  if (at(Token::Kind::open)) return take_parentheses();
  const auto& token = rest_[0];
  TemplateOperand operand;
  if (token.kind == Token::Kind::field) {
    operand.fields.push_back(token.text);
  } else if (token.kind == Token::Kind::variable) {
    if (token.text != "$" && std::ranges::find(variables_, token.text) == variables_.end())
      return fail(Kind::invalid, fmt::format("variable {} is not declared", printable(token.text, 100)));
    operand.base = TemplateOperand::Variable{token.text};
  } else if (token.kind == Token::Kind::literal) {
    operand.base = token.value;
  } else if (token.text == "true" || token.text == "false") {
    operand.base = TemplateValue(token.text == "true");
  } else if (token.text == "nil") {
    operand.base = TemplateValue();
  } else if (token.kind == Token::Kind::word) {
    return fail(Kind::invalid, template_function(token.text, dialect_)
                                   ? fmt::format("{} as an argument must stand in parentheses", token.text)
                                   : fmt::format("function {} is not supported", printable(token.text, 100)));
  } else if (token.kind != Token::Kind::dot) {
    return unexpected(token);
  }
  const bool has_fields = token.kind == Token::Kind::field || token.kind == Token::Kind::variable;
  rest_ = rest_.subspan(1);
  for (; has_fields && at(Token::Kind::field) && rest_[0].is_attached; rest_ = rest_.subspan(1))
    operand.fields.push_back(rest_[0].text);
  return operand;
}

Result<TemplateOperand> TemplatePipelineParser::take_parentheses() {
  if (++depth_ > kParenthesesMax) return fail(Kind::invalid, "parentheses are nested too deep");
  rest_ = rest_.subspan(1);
  auto inner = take_commands(true);
  if (!inner) return tl::unexpected(inner.error());
  if (!at(Token::Kind::close)) return unexpected(rest_[0]);
  rest_ = rest_.subspan(1);
  --depth_;
  TemplateOperand operand{.base = std::make_unique<TemplatePipeline>(*std::move(inner))};
  for (; at(Token::Kind::field) && rest_[0].is_attached; rest_ = rest_.subspan(1))
    operand.fields.push_back(rest_[0].text);
  return operand;
}

}  // namespace windlass
