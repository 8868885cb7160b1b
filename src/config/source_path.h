// Paths that an artifact's configuration names, kept inside the source (config 4, reliability 8).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass {

// `path` seen from `base` (itself relative to the root, "." for the root), without "." and "..". Nothing if it is
// absolute, leaves the root, is empty, or could be read as something else than a path: an option, a URL, text with
// control bytes. Links are judged later, when the file is opened.
std::optional<std::string> clean_source_path(std::string_view base, std::string_view path);

// Whether `path` is a regular file beneath `root`; Kind::not_found if nothing is there. Links that stay inside are
// followed.
Status check_source_file(const std::filesystem::path& root, const std::string& path);

// The plain text of a file that somebody has encrypted (secrets/Q7); nothing when `text` is a plain one.
using Decrypt = std::function<Result<std::optional<std::string>>(const std::string& path, const std::string& text)>;

// The files of a source, for those who read them.
struct SourceFiles {
  std::filesystem::path root;
  Decrypt decrypt;  // null: as they are

  SourceFiles(std::filesystem::path folder) : root(std::move(folder)) {}  // implicit: mostly nothing is encrypted
};

// The whole file, in plain text. Messages of both name the file as seen from the root: where the source was unpacked
// means nothing to its author.
Result<std::string> read_source_file(const SourceFiles& files, const std::string& path, std::uint64_t bytes_max);

}  // namespace windlass
