#include "oci/entry_name.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace windlass {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

Result<std::string> clean_entry_name(std::string_view name, const UnpackLimits& limits) {
  if (name.empty()) return fail(Kind::invalid, "name is empty");
  if (name.size() >= limits.path_bytes_max)  // PATH_MAX counts the NUL behind it
    return fail(Kind::invalid, fmt::format("name of {} bytes, limit {}", name.size(), limits.path_bytes_max - 1));
  if (name.front() == '/') return fail(Kind::invalid, "path traversal detected: name is absolute");
  if (std::any_of(name.begin(), name.end(), is_control)) return fail(Kind::invalid, "control byte in the name");
  if (name.find('\\') != name.npos) return fail(Kind::invalid, "backslash in the name");
  std::string clean;
  std::size_t depth = 0;
  for (const auto part : split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return fail(Kind::invalid, "path traversal detected: '..' in the name");
    if (part.size() > limits.name_bytes_max)
      return fail(Kind::invalid,
                  fmt::format("part of {} bytes in the name, limit {}", part.size(), limits.name_bytes_max));
    if (++depth > limits.depth_max)
      return fail(Kind::invalid, fmt::format("name is deeper than {} folders", limits.depth_max));
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return clean;
}

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

std::string_view base_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

}  // namespace windlass
