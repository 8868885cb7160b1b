// What became of the stacks of a run, as the JSON text that its row keeps.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/run.h"

namespace windlass {

// "" for none.
std::string stacks_to_text(const std::vector<StackResult>& stacks);
// Text that is not ours gives no stacks: they are for display.
std::vector<StackResult> stacks_from_text(std::string_view text);

}  // namespace windlass
