// ${VARIABLES} in text, as compose replaces them (config 6).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass {

constexpr std::size_t kVariableBytesMax = 128 << 10;  // what the kernel takes for one variable of a child

using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

// $NAME and ${NAME}: the value, "" when unset. ${NAME:-word} and ${NAME-word}: the word when unset, with the colon also
// when empty. ${NAME:+word}, ${NAME+word}: the word when set. ${NAME:?word}, ${NAME?word}: an error when unset. $$: a
// dollar sign. Words may hold variables. Values are not looked at again. Errors never quote the text: it may be a
// secret.
Result<std::string> substitute(std::string_view text, const Lookup& lookup);

}  // namespace windlass
