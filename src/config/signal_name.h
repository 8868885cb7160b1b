// Signals as people write them for the engine.
#pragma once

#include <string_view>

namespace windlass {

// A name with or without SIG in any case ("HUP", "sigusr1", "RTMIN+3"), or a number from 1 to 64: what the engine
// takes.
bool is_signal(std::string_view text);

}  // namespace windlass
