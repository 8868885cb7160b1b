// The functions of JMESPath.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "secrets/jmespath_ast.h"

namespace windlass {

std::optional<JmesFunction> jmes_function(std::string_view name);
std::string_view to_string(JmesFunction function);

// Does it take so many arguments? Kind::invalid says how many it takes.
Status check_jmes_arity(JmesFunction function, std::size_t count);

// Which argument must be an expression, &…; nothing: none.
std::optional<std::size_t> jmes_reference_argument(JmesFunction function);

// What the expression that was given as an argument makes of a value.
using JmesMapping = std::function<Result<json::value>(const json::value&)>;

// `arguments` are as many as check_jmes_arity() lets through, null in place of the expression. Kind::invalid: a value
// of a type that the function does not take.
Result<json::value> call_jmes_function(JmesFunction function, std::vector<json::value> arguments,
                                       const JmesMapping& mapping);

// "null", "boolean", "number", "string", "array", "object"
std::string_view jmes_type(const json::value& value);
// Equal in value: 1 is 1.0, whatever the order of an object's keys.
bool jmes_equal(const json::value& a, const json::value& b);
std::optional<double> jmes_number(const json::value& value);
// Compact, numbers in their shortest form: 3, 1.5.
std::string jmes_text(const json::value& value);

}  // namespace windlass
