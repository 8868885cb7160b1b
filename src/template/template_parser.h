// From the words of a template to what it is made of.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "template/template_ast.h"

namespace windlass {

// Kind::invalid names the line and what is wrong or not supported there.
Result<std::vector<TemplateNode>> parse_template(std::string_view text, TemplateDialect dialect);

}  // namespace windlass
