// The inside of one action: variables, commands, operands.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "template/template_ast.h"
#include "template/template_lexer.h"

namespace windlass {

class TemplatePipelineParser {
 public:
  // `variables`: those that may be used; what the pipeline declares is added.
  TemplatePipelineParser(std::span<const TemplateToken> tokens, int line, TemplateDialect dialect,
                         std::vector<std::string>& variables)
      : rest_(tokens), line_(line), dialect_(dialect), variables_(variables) {}

  // All tokens; with `in_range`, two variables may take the value. Kind::invalid says what is wrong, without the line.
  Result<TemplatePipeline> parse(bool in_range);

 private:
  Result<TemplatePipeline> take_commands(bool in_parentheses);
  Status take_variables(TemplatePipeline& pipeline, bool in_range);
  Result<TemplateCommand> take_command(bool is_piped);
  Result<TemplateOperand> take_operand();
  Result<TemplateOperand> take_parentheses();
  bool at(TemplateToken::Kind kind, std::size_t index = 0) const {
    return index < rest_.size() && rest_[index].kind == kind;
  }

  std::span<const TemplateToken> rest_;
  const int line_;
  const TemplateDialect dialect_;
  std::vector<std::string>& variables_;
  int depth_ = 0;
};

}  // namespace windlass
