// What every fuzz target has: one function that takes foreign bytes, and rules that must hold for what it accepted.
#pragma once

#include <string_view>

namespace windlass {

// The target's own: parses `input` as what the file is named after and checks the outcome. Any input is allowed.
void fuzz(std::string_view input);

// Ends the run with the rule that was broken, so that libFuzzer keeps the input.
void require(bool holds, std::string_view rule);

// Rules for every message that is shown or logged: no control bytes, and bounded whatever the input was.
void require_printable(std::string_view message);

}  // namespace windlass
