// The folders that whiteouts of one layer have gone through.
//
// A whiteout looks at all that is below a folder, for what earlier layers brought there. What comes in afterwards is of
// its own layer, which whiteouts leave alone, so no entry need be looked at twice in one layer: tens of thousands of
// whiteouts in a large folder would else take as many looks at all that is in it.
//
// Not here: what becomes of an entry that was looked at (staged_tree).
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace windlass {

class ClearedFolders {
 public:
  // From here on all entries are those of earlier layers, and to be looked at again.
  void begin_layer() { prefixes_.clear(); }

  // Shows `look` what is below `folder` ("" for the root) and below no folder cleared before it in this layer, in
  // order. `entries` is a map by path, which may change between calls but not within one.
  template <class Entries, class Look>
  void clear(const std::string& folder, const Entries& entries, Look look);

  // How many entries all calls have come across: those shown, and for each call one of each folder it passed over.
  std::uint64_t steps() const { return steps_; }

 private:
  const std::string* around(std::string_view path) const;
  void add(const std::string& prefix);
  static std::string end_of(const std::string& prefix);

  // Each with a '/' at its end, "" for the root. None lies in another one.
  std::set<std::string, std::less<>> prefixes_;
  std::uint64_t steps_ = 0;
};

template <class Entries, class Look>
void ClearedFolders::clear(const std::string& folder, const Entries& entries, Look look) {
  const auto prefix = folder.empty() ? "" : folder + "/";
  if (around(prefix) != nullptr) return;
  // What is below a folder stands in one run of the map from "folder/" on.
  for (auto entry = entries.lower_bound(prefix); entry != entries.end() && entry->first.starts_with(prefix);) {
    ++steps_;
    if (const auto* cleared = around(entry->first)) {
      entry = entries.lower_bound(end_of(*cleared));
      continue;
    }
    look(*entry);
    ++entry;
  }
  add(prefix);
}

}  // namespace windlass
