#include "template/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "template/template_functions.h"
#include "template/template_parser.h"

namespace windlass {
namespace {

using Value = TemplateValue;
using Nodes = std::vector<TemplateNode>;

class Rendering {
 public:
  Rendering(const Value& root, const TemplateEscape& escape) : root_(root), escape_(escape), variables_{{"$", root}} {}

  Result<std::string> run(const Nodes& nodes) {
    if (auto done = walk(nodes, root_); !done)
      return fail(done.error().kind, fmt::format("line {}: {}", line_, done.error().message));
    return std::move(output_);
  }

 private:
  Status walk(const Nodes& nodes, const Value& dot) {
    const auto visible = variables_.size();
    for (const auto& node : nodes)
      if (auto done = visit(node, dot); !done) return done;
    forget_from(visible);
    return {};
  }

  Status visit(const TemplateNode& node, const Value& dot) {
    if (auto counted = step(); !counted) return counted;
    const auto visible = variables_.size();
    switch (node.kind) {
      case TemplateNode::Kind::text:
        return print(node.text);
      case TemplateNode::Kind::output: {
        const auto value = evaluate(node.pipeline, dot);
        if (!value) return tl::unexpected(value.error());
        assign(node.pipeline, *value);
        if (!node.pipeline.variables.empty()) return {};
        return print_value(value->is_nil() ? "<no value>" : value->str(), node.pipeline);
      }
      case TemplateNode::Kind::if_:
      case TemplateNode::Kind::with: {
        auto done = choose(node, dot);
        forget_from(visible);
        return done;
      }
      case TemplateNode::Kind::range: {
        auto done = repeat(node, dot);
        forget_from(visible);
        return done;
      }
    }
    return {};
  }

  Status choose(const TemplateNode& node, const Value& dot) {
    const auto value = evaluate(node.pipeline, dot);
    if (!value) return tl::unexpected(value.error());
    assign(node.pipeline, *value);
    if (!value->is_true()) return walk(node.otherwise, dot);
    return walk(node.body, node.kind == TemplateNode::Kind::with ? *value : dot);
  }

  Status repeat(const TemplateNode& node, const Value& dot) {
    const auto value = evaluate(node.pipeline, dot);
    if (!value) return tl::unexpected(value.error());
    const auto* items = value->list();
    if (items == nullptr) return fail(Kind::invalid, fmt::format("range cannot go over type {}", value->type()));
    if (items->empty()) return walk(node.otherwise, dot);
    const auto& names = node.pipeline.variables;
    for (std::size_t index = 0; index < items->size(); ++index) {
      const auto visible = variables_.size();
      if (names.size() == 2) set(names[0], Value(static_cast<std::int64_t>(index)), node.pipeline.declares);
      if (!names.empty()) set(names.back(), (*items)[index], node.pipeline.declares);
      if (auto done = walk(node.body, (*items)[index]); !done) return done;
      forget_from(visible);
    }
    return {};
  }

  Result<Value> evaluate(const TemplatePipeline& pipeline, const Value& dot) {
    line_ = pipeline.line;
    std::optional<Value> piped;
    for (const auto& command : pipeline.commands) {
      auto value = run(command, dot, std::move(piped));
      if (!value) return value;
      piped = *std::move(value);
    }
    return *std::move(piped);
  }

  Result<Value> run(const TemplateCommand& command, const Value& dot, std::optional<Value> piped) {
    if (!command.function) return evaluate(command.operands[0], dot);
    const bool is_and = command.function == TemplateFunction::and_;
    const bool is_or = command.function == TemplateFunction::or_;
    std::vector<Value> arguments;
    for (const auto& operand : command.operands) {
      auto value = evaluate(operand, dot);
      if (!value) return value;
      const bool decides = (is_and && !value->is_true()) || (is_or && value->is_true());
      arguments.push_back(*std::move(value));
      if (decides) return arguments.back();  // the others are not evaluated
    }
    if (piped) arguments.push_back(*std::move(piped));
    auto result = call_template_function(*command.function, arguments);
    if (result && result->text() && result->text()->size() > Template::kOutputBytesMax) return too_long();
    return result;
  }

  Result<Value> evaluate(const TemplateOperand& operand, const Value& dot) {
    if (auto counted = step(); !counted) return tl::unexpected(counted.error());
    if (const auto* inner = std::get_if<std::unique_ptr<TemplatePipeline>>(&operand.base)) {
      const auto value = evaluate(**inner, dot);
      return value ? field_of(*value, operand.fields) : value;
    }
    if (const auto* literal = std::get_if<Value>(&operand.base)) return *literal;
    if (const auto* variable = std::get_if<TemplateOperand::Variable>(&operand.base))
      return field_of(find(variable->name), operand.fields);
    return field_of(dot, operand.fields);
  }

  static Result<Value> field_of(const Value& value, const std::vector<std::string>& names) {
    const auto* at = &value;
    for (const auto& name : names) {
      const auto* field = at->field(name);
      if (field == nullptr)
        return fail(Kind::invalid, fmt::format("there is no field {} in {}", printable(name, 100), at->type()));
      at = field;
    }
    return *at;
  }

  // The parser has seen that it is there.
  Value& find(std::string_view name) {
    const auto found = std::find_if(variables_.rbegin(), variables_.rend() - 1,
                                    [&](const auto& variable) { return variable.first == name; });
    return found->second;
  }

  void set(const std::string& name, Value value, bool declares) {
    if (declares)
      variables_.emplace_back(name, std::move(value));
    else
      find(name) = std::move(value);
  }

  void assign(const TemplatePipeline& pipeline, const Value& value) {
    for (const auto& name : pipeline.variables) set(name, value, pipeline.declares);
  }

  void forget_from(std::size_t count) {
    variables_.erase(variables_.begin() + static_cast<std::ptrdiff_t>(count), variables_.end());
  }

  Status print_value(std::string text, const TemplatePipeline& pipeline) {
    if (!escape_) return print(text);
    const bool is_encoded = std::ranges::any_of(pipeline.commands, [](const TemplateCommand& command) {
      return command.function == TemplateFunction::urlencode;
    });
    return print(escape_(output_, std::move(text), is_encoded));
  }

  Status print(std::string_view text) {
    if (output_.size() + text.size() > Template::kOutputBytesMax) return too_long();
    output_ += text;
    return {};
  }

  Status step() {
    if (++steps_ <= Template::kStepsMax) return {};
    return fail(Kind::invalid, fmt::format("it takes more than {} steps", Template::kStepsMax));
  }

  static tl::unexpected<Error> too_long() {
    return fail(Kind::invalid, fmt::format("more than {} bytes come out of it", Template::kOutputBytesMax));
  }

  const Value& root_;
  const TemplateEscape& escape_;
  std::vector<std::pair<std::string, Value>> variables_;  // the innermost last
  std::string output_;
  int line_ = 1;
  int steps_ = 0;
};

}  // namespace

Result<Template> Template::parse(std::string_view text, TemplateDialect dialect) {
  if (text.size() > kTextBytesMax) return fail(Kind::invalid, fmt::format("it is longer than {} bytes", kTextBytesMax));
  if (!is_valid_utf8(text)) return fail(Kind::invalid, "it is not UTF-8");
  auto nodes = parse_template(text, dialect);
  if (!nodes) return tl::unexpected(nodes.error());
  return Template(*std::move(nodes));
}

Result<std::string> Template::render(const TemplateValue& dot, const TemplateEscape& escape) const {
  return Rendering(dot, escape).run(*nodes_);
}

}  // namespace windlass
