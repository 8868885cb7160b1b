// `windlass validate`: checks a folder that is to become an artifact as the service would, for use in CI (api/L3b).
#pragma once

#include <string>

#include "config/settings.h"

namespace windlass {

struct ValidateCommand {
  std::string folder;
  bool is_strict = false;  // unknown keys are faults
  bool as_json = false;
};

// The exit code: 0 when it would be taken, 1 when not, 2 when there is no such folder. Standard output gets the stacks,
// or one JSON object; standard error every fault and warning, with file, line and key.
int validate(const ValidateCommand& command, const Environment& environment);

}  // namespace windlass
