// Which files of a release the containers of a stack see as files: those they mount, and their configs and secrets.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "oci/unpack.h"
#include "sys/json.h"

namespace windlass {

// The paths of the release among those that `counts`. `model`: resolved, its paths below `live_root`. Links of the
// release are followed as far as they stay in it; below a mounted folder what lies in .git, .github, .vscode, .idea and
// node_modules is left out (secrets/Q9 to Q12).
std::set<std::string> mounted_files(const json::object& model, const std::string& live_root, const UnpackedTree& tree,
                                    const std::function<bool(const std::string& path)>& counts);

// Where a path of the release leads when its links are followed; nothing when it leaves the release or leads in a
// circle. It need not be there.
std::optional<std::string> resolved_in(const UnpackedTree& tree, std::string_view path);

}  // namespace windlass
