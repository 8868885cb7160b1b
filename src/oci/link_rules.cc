#include "oci/link_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "base/text.h"
#include "oci/entry_name.h"

namespace windlass {
namespace {

constexpr int kFollowedMax = 40;  // as Linux: more is ELOOP

std::string joined(const std::vector<std::string>& parts) { return join(parts, "/"); }

}  // namespace

Status check_link_text(std::string_view target, const UnpackLimits& limits) {
  if (target.empty()) return fail(Kind::invalid, "link target is empty");
  if (target.front() == '/') return fail(Kind::invalid, "path traversal detected: link target is absolute");
  if (target.size() >= limits.path_bytes_max)
    return fail(Kind::invalid,
                fmt::format("link target of {} bytes, limit {}", target.size(), limits.path_bytes_max - 1));
  if (std::any_of(target.begin(), target.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return fail(Kind::invalid, "control byte in the link target");
  return {};
}

Status check_link_target(std::string_view path, std::string_view target, const LookUp& look_up,
                         const UnpackLimits& limits) {
  std::vector<std::string> at;  // the folder we are in, always a real one
  for (const auto part : split(parent_of(path), '/'))
    if (!part.empty()) at.emplace_back(part);
  std::deque<std::string> rest;
  const auto prepend = [&rest](std::string_view text) {
    const auto parts = split(text, '/');
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) rest.emplace_front(*part);
  };
  prepend(target);
  int followed = 0;
  std::size_t steps = 0;
  while (!rest.empty()) {
    if (++steps > limits.path_bytes_max) return fail(Kind::invalid, "link target is too long to follow");
    const std::string part = std::move(rest.front());
    rest.pop_front();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (at.empty())
        return fail(Kind::invalid, fmt::format("path traversal detected: link target '{}' leaves the artifact",
                                               printable(target, 256)));
      at.pop_back();
      continue;
    }
    at.push_back(part);
    const auto* entry = look_up(joined(at));
    if (entry == nullptr || entry->type != EntryType::link) continue;
    if (++followed > kFollowedMax) return fail(Kind::invalid, "too many links to follow");
    at.pop_back();
    prepend(entry->content);
  }
  return {};
}

}  // namespace windlass
