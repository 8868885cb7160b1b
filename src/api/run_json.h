// A run record as the API shows it (api 3).
#pragma once

#include <string>
#include <vector>

#include "model/run.h"

namespace windlass {

std::string to_json(const RunRecord& run);
std::string to_json(const std::vector<RunRecord>& runs);

}  // namespace windlass
