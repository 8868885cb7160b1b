// What the compose files of an artifact make the compose tool read besides themselves (reliability/T20).
//
// The resolved model does not show it any more: env files and label files are values by then, included and extended
// files are merged. So it is judged in the files as they are written.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/source_path.h"

namespace windlass {

// Whether each env_file, label_file, include and extends of `files` (relative to the root), and of the files that those
// bring in, is a literal path that stays inside the artifact wherever compose counts it from. Kind::denied, "policy: …"
// with the service, the path and its line, else; Kind::invalid for a file that is no compose file.
Status check_compose_paths(const SourceFiles& sources, const std::string& working_dir,
                           const std::vector<std::string>& files);

}  // namespace windlass
