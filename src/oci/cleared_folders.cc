#include "oci/cleared_folders.h"

#include <iterator>

namespace windlass {

// The cleared folder that a path lies in, or null. As none lies in another, only the one before the path can be it.
const std::string* ClearedFolders::around(std::string_view path) const {
  const auto after = prefixes_.upper_bound(path);
  if (after == prefixes_.begin()) return nullptr;
  const auto& before = *std::prev(after);
  return path.starts_with(before) ? &before : nullptr;
}

void ClearedFolders::add(const std::string& prefix) {
  for (auto inner = prefixes_.lower_bound(prefix); inner != prefixes_.end() && inner->starts_with(prefix);)
    inner = prefixes_.erase(inner);
  prefixes_.insert(prefix);
}

// Where a map by path goes on behind all that is below a folder. Nobody passes over the root, which has no '/'.
std::string ClearedFolders::end_of(const std::string& prefix) {
  return prefix.substr(0, prefix.size() - 1) + '0';  // it comes after '/'
}

}  // namespace windlass
