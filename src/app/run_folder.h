// Where plain text of a run may lie (secrets/B3): a folder of this installation on tmpfs.
#pragma once

#include <filesystem>
#include <string>

#include "base/log.h"
#include "base/result.h"

namespace windlass {

// Below /run/windlass, else /dev/shm; where neither is tmpfs, in `otherwise`, with a warning. Made with mode 0700;
// empty: what a process that was killed has left is removed. `installation`: the data directory, of which only one
// process is at work. Kind::denied when somebody else has the folder's place.
Result<std::filesystem::path> open_run_folder(const std::filesystem::path& installation,
                                              const std::filesystem::path& otherwise, const Log& log);

}  // namespace windlass
