// A template cut into text and the words of its actions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "template/template_value.h"

namespace windlass {

struct TemplateToken {
  enum class Kind { word, field, dot, variable, literal, pipe, comma, open, close, declare, assign };
  Kind kind = Kind::word;
  std::string text;  // a field without its dot, a variable with its $
  TemplateValue value;
  bool is_attached = false;  // nothing stands between it and the token before: ".A.B" is one operand, ".A .B" are two
};

struct TemplatePiece {
  bool is_action = false;
  int line = 1;                       // where it begins
  std::string text;                   // of no action, after trimming
  std::vector<TemplateToken> tokens;  // of an action
};

// Comments are gone, trim markers have been obeyed. Kind::invalid names line and fault.
Result<std::vector<TemplatePiece>> cut_template(std::string_view text);

}  // namespace windlass
