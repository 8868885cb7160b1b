#include "webhook/allow_list.h"

#include <algorithm>

#include "base/text.h"

namespace windlass {
namespace {

// Linear in text times glob: the last star that may grow is the only one to come back to, but a `*` may not grow over a
// slash, and then the last `**` before it has to.
bool matches(std::string_view glob, std::string_view text) {
  struct Star {
    std::size_t glob = std::string_view::npos;  // what follows the star
    std::size_t text = 0;                       // where its match ends at present
  };
  Star one, any;
  std::size_t g = 0, t = 0;
  for (;;) {
    if (g < glob.size() && glob[g] == '*') {
      const bool is_any = glob.substr(g).starts_with("**");
      while (g < glob.size() && glob[g] == '*') ++g;
      (is_any ? any : one) = {g, t};
      if (is_any) one = {};
      continue;
    }
    if (g == glob.size() && t == text.size()) return true;
    if (g < glob.size() && t < text.size() && glob[g] == text[t]) {
      ++g, ++t;
    } else if (one.glob != text.npos && one.text < text.size() && text[one.text] != '/') {
      g = one.glob;
      t = ++one.text;
    } else if (any.glob != text.npos && any.text < text.size()) {
      one = {};
      g = any.glob;
      t = ++any.text;
    } else {
      return false;
    }
  }
}

}  // namespace

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
    return (!entry.is_pinned || entry.target == target) && matches(entry.glob, source);
  });
}

}  // namespace windlass
