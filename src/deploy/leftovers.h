// What doco-cd left beside live directories when it was killed (oci 9): it unpacks there, and never comes back to it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/log.h"

namespace windlass {

// Removes such folders, if they are an hour old. `live_paths` are all live directories, relative to `data_dir`; nothing
// inside of one is looked at. What cannot be removed is told and stays.
void remove_leftovers(const std::filesystem::path& data_dir, const std::vector<std::string>& live_paths,
                      const Log& log);

}  // namespace windlass
