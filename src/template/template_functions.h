// The functions of templates, as Go has them.
#pragma once

#include <vector>

#include "base/result.h"
#include "template/template_ast.h"

namespace windlass {

// `arguments` are as many as the parser lets through. Kind::invalid says why there is no result. and, or: the one that
// decides; who wants to evaluate no more than needed does so himself.
Result<TemplateValue> call_template_function(TemplateFunction function, const std::vector<TemplateValue>& arguments);

}  // namespace windlass
