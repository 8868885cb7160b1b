// Go's fmt.Sprintf for the values of templates: %v %s %q %d %t %x %X %o %b %c %e %f %g %%, with width, precision and
// the flags - + 0 and space.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "template/template_value.h"

namespace windlass {

// A value that a verb is not for becomes what Go makes of it: "%!d(string=web)", "%!s(MISSING)", "%!(EXTRA int=1)".
// Kind::invalid for what is not supported (other verbs and flags, "*", "[1]") and for endless widths, naming it.
Result<std::string> go_printf(std::string_view format, std::span<const TemplateValue> values);

// Would go_printf() take that format, whatever the values?
Status check_printf(std::string_view format);

// In double quotes, as %q has it.
std::string go_quoted(std::string_view text);

}  // namespace windlass
