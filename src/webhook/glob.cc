#include "webhook/glob.h"

#include <cstddef>

namespace windlass {

// Linear in text times glob: the last star that may grow is the only one to come back to, but a `*` may not grow over a
// slash, and then the last `**` before it has to.
bool glob_matches(std::string_view glob, std::string_view text) {
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

}  // namespace windlass
