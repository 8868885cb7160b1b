// What a template is made of, once it is parsed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "template/template_value.h"

namespace windlass {

enum class TemplateFunction {
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  and_,
  or_,
  not_,
  len,
  index,
  printf,
  // Of requests only:
  print,
  b64enc,
  b64dec,
  urlencode,
  urldecode,
  json,
  to_upper,
  to_lower,
  trim,
};

// What a template is for decides which functions it has.
enum class TemplateDialect { message, request };

// The function of that name; nothing for those of Go that windlass does not have, and for others.
std::optional<TemplateFunction> template_function(std::string_view name, TemplateDialect dialect);
std::string_view to_string(TemplateFunction function);

struct TemplatePipeline;

// A value, and the fields that are taken of it one after the other.
struct TemplateOperand {
  struct Dot {};
  struct Variable {
    std::string name;  // with its $
  };
  std::variant<Dot, Variable, TemplateValue, std::unique_ptr<TemplatePipeline>> base;
  std::vector<std::string> fields;
};

// A function with its arguments, or one operand.
struct TemplateCommand {
  std::optional<TemplateFunction> function;
  std::vector<TemplateOperand> operands;
};

// What a command gives is the last argument of the next.
struct TemplatePipeline {
  int line = 0;
  std::vector<std::string> variables;  // that take its value: one, or two in a range
  bool declares = false;               // := rather than =
  std::vector<TemplateCommand> commands;
};

struct TemplateNode {
  enum class Kind { text, output, if_, with, range };
  Kind kind = Kind::text;
  std::string text;
  TemplatePipeline pipeline;  // of all but text
  std::vector<TemplateNode> body, otherwise;
};

}  // namespace windlass
