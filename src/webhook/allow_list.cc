#include "webhook/allow_list.h"

#include <algorithm>

#include "base/text.h"
#include "webhook/glob.h"

namespace windlass {

AllowList::AllowList(const std::vector<std::string>& entries) {
  for (const auto& text : entries) {
    const auto hash = std::min(text.find('#'), text.size());
    Entry entry{.glob = lower(trim(text.substr(0, hash))), .is_pinned = hash < text.size()};
    if (entry.is_pinned) entry.target = trim(std::string_view(text).substr(hash + 1));
    if (entry.glob.starts_with("docker.io/")) entry.glob.insert(0, "index.");
    entries_.push_back(std::move(entry));
  }
}

bool AllowList::allows(const Reference& reference, std::string_view target) const {
  if (entries_.empty()) return true;
  const auto source = reference.source_id();
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return (!entry.is_pinned || entry.target == target) && glob_matches(entry.glob, source);
  });
}

}  // namespace windlass
