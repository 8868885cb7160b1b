#include "config/source_path.h"

#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr std::size_t kPathBytesMax = 4096;  // PATH_MAX

bool is_plain_path(std::string_view path) {
  return !path.empty() && path.size() <= kPathBytesMax && path.front() != '/' && path.front() != '-' &&
         path.find("://") == path.npos &&
         std::none_of(path.begin(), path.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

// With `path`, which is seen from the root, in place of where it lies, and without the folder of the source.
tl::unexpected<Error> seen_from(const std::filesystem::path& root, const std::string& path, Error error) {
  auto& text = error.message;
  const auto full = (root / path).string();
  if (const auto at = text.find(full); at != text.npos) text.replace(at, full.size(), path);
  const auto folder = " " + root.string();  // "b leads out of /tmp/x"
  if (text.ends_with(folder)) text.replace(text.size() - folder.size(), folder.size(), " the source");
  return tl::unexpected(std::move(error));
}

}  // namespace

std::optional<std::string> clean_source_path(std::string_view base, std::string_view path) {
  if (!is_plain_path(path)) return std::nullopt;
  std::vector<std::string> parts;
  for (const auto text : {base, path}) {
    for (const auto part : split(text, '/')) {
      if (part.empty() || part == ".") continue;
      if (part != "..") {
        parts.emplace_back(part);
      } else {
        if (parts.empty()) return std::nullopt;
        parts.pop_back();
      }
    }
  }
  if (parts.empty()) return ".";
  if (parts.front().starts_with('-')) return std::nullopt;  // "./-f" would become an option
  return join(parts, "/");
}

Status check_source_file(const std::filesystem::path& root, const std::string& path) {
  const auto opened = open_beneath(root, path);
  if (!opened) return seen_from(root, path, opened.error());
  struct stat status {};
  if (::fstat(opened->get(), &status) != 0 || !S_ISREG(status.st_mode))
    return fail(Kind::invalid, path + " is not a regular file");
  return {};
}

Result<std::string> read_source_file(const SourceFiles& files, const std::string& path, std::uint64_t bytes_max) {
  auto text = read_file_beneath(files.root, path, bytes_max);
  if (!text) return seen_from(files.root, path, text.error());
  if (!files.decrypt || text->find("ENC[") == text->npos) return text;
  auto plain = files.decrypt(path, *text);
  if (!plain) return tl::unexpected(plain.error());
  return *plain ? Result<std::string>(**std::move(plain)) : std::move(text);
}

}  // namespace windlass
