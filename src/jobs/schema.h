// The state file: opened, judged, and brought to our schema.
//
// user_version counts the schema of the whole file. A file that is damaged, or that a newer windlass wrote, is an error
// with a remedy, never a silent fresh start (reliability/P23, F25).
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "sys/sqlite.h"

namespace windlass {

// Kind::internal for a damaged file, Kind::conflict for a newer schema.
Result<std::unique_ptr<Db>> open_state(const std::filesystem::path& file);

}  // namespace windlass
