// What of a folder goes into an artifact, judged by the rules that the unpacker will have for it (oci 8), so that
// nobody learns at the deployment what could be said at the push.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "oci/unpack.h"

namespace windlass {

struct PackingList {
  std::vector<TreeEntry> entries;  // sorted by path in byte order; files are 0644 or 0755 and have no content hash
  std::uint64_t bytes = 0;         // of all files
  std::vector<std::string> notes;  // what is left out: .git
};

// Walks `folder` without following links. Every fault counts, up to 20 of them: one line each, with the path as seen
// from the folder. Kind::invalid for what the unpacker would refuse, the error of the kernel for what cannot be read.
Result<PackingList> list_folder(const std::filesystem::path& folder, const UnpackLimits& limits);

}  // namespace windlass
