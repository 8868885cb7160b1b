// Paths of a resolved compose model: it is resolved against a private copy of the release and runs against the live
// directory (deploy/X14).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "sys/json.h"

namespace windlass {

// Every text value of the model that is `from` or lies below it, made to lie below `to`. The staging folder has a
// random name, so nothing else can match.
void move_paths(json::value& model, const std::string& from, const std::string& to);

// `path` relative to `root`: "" for the root itself; nothing when it lies elsewhere. Both absolute and clean.
std::optional<std::string> path_below(std::string_view root, std::string_view path);

}  // namespace windlass
