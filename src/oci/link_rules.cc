#include "oci/link_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "oci/entry_name.h"

namespace windlass {
namespace {

constexpr int kFollowedMax = 40;  // as Linux: more is ELOOP

// The next part of what is still to be walked, whose last text comes first.
std::string_view take_part(std::vector<std::string_view>& rest) {
  auto& text = rest.back();
  const auto part = text.substr(0, text.find('/'));
  if (part.size() == text.size())
    rest.pop_back();
  else
    text.remove_prefix(part.size() + 1);
  return part;
}

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

// The cost of a step is the length of its part: nothing is split or joined for what may never be walked.
Result<std::string> LinkFollower::follow(std::string_view folder, std::string_view target) {
  std::string at(folder);  // always a real folder
  std::vector<std::string_view> rest = {target};
  int followed = 0;
  std::size_t steps = 0;
  while (!rest.empty()) {
    if (++steps > limits_.path_bytes_max) return fail(Kind::invalid, "link target is too long to follow");
    if (++steps_ > limits_.link_steps_max)
      return fail(Kind::invalid,
                  fmt::format("all links together take more than {} steps to follow", limits_.link_steps_max));
    const auto part = take_part(rest);
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (at.empty())
        return fail(Kind::invalid, fmt::format("path traversal detected: link target '{}' leaves the artifact",
                                               printable(target, 256)));
      at.resize(parent_of(at).size());
      continue;
    }
    const auto folder_bytes = at.size();
    if (!at.empty()) at += '/';
    at += part;
    const auto* entry = at.size() < limits_.path_bytes_max ? look_up_(at) : nullptr;  // no entry has a longer path
    if (entry == nullptr || entry->type != EntryType::link) continue;
    if (++followed > kFollowedMax) return fail(Kind::invalid, "too many links to follow");
    if (entry->content.starts_with('/')) return fail(Kind::invalid, "path traversal detected: link target is absolute");
    at.resize(folder_bytes);
    rest.push_back(entry->content);
  }
  return at;
}

}  // namespace windlass
