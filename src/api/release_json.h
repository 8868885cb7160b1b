// Releases as JSON (api/E47).
#pragma once

#include <string>
#include <vector>

#include "model/release.h"

namespace windlass {

std::string to_json(const Release& release);
std::string to_json(const std::vector<Release>& releases);

}  // namespace windlass
