// From the words of a JMESPath expression to what it is made of.
#pragma once

#include <string_view>

#include "base/result.h"
#include "secrets/jmespath_ast.h"

namespace windlass {

// Kind::invalid names the byte and what is wrong there.
Result<JmesNode> parse_jmespath(std::string_view expression);

}  // namespace windlass
