// Go's literals as templates have them: "text", `raw`, 'x', 12, 0x1f, 1.5, +1, -1.
#pragma once

#include <string_view>

#include "base/result.h"
#include "template/template_value.h"

namespace windlass {

// Does a literal begin here? Words (true, false, nil) are none.
bool starts_literal(std::string_view text);

// The literal at the front; `bytes` is its length. Kind::invalid says what is wrong with it.
Result<TemplateValue> read_literal(std::string_view text, std::size_t& bytes);

}  // namespace windlass
