// A verdict about a signature as people read it on a terminal.
#pragma once

#include <string>

#include "sigstore/verdict.h"

namespace windlass {

// One line a step, "ok   key SHA256:…: signature: …" or "no   …", and a last line that says what it comes to.
std::string verdict_text(const Verdict& verdict);

}  // namespace windlass
