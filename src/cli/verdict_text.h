// A verdict about a signature as people read it on a terminal.
#pragma once

#include <string>

#include "sigstore/verdict.h"

namespace windlass {

// "ok   key SHA256:…: signature: …" or "no   …", with the end of the line.
std::string step_text(const TrustStep& step);

// One line a step, and a last line that says what it comes to.
std::string verdict_text(const Verdict& verdict);

}  // namespace windlass
