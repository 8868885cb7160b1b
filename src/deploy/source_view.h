// A folder that looks like an unpacked release with some of its files in plain text: what the compose tool reads when
// files of a release are encrypted (deploy/X14, secrets/Q15).
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "oci/unpack.h"

namespace windlass {

// Makes `view`, mode 0700. The files of `plain`, by path, are written into it, mode 0600 and with the time of the
// release's own; links of the release are made anew, so that they lead to the plain ones; everything else is a link to
// what was unpacked, whole folders where nothing in them is of either kind.
Status make_source_view(const UnpackedTree& tree, const std::map<std::string, Secret>& plain,
                        const std::filesystem::path& view);

}  // namespace windlass
