// Whether a file may be one that SOPS has encrypted, found out while its bytes go by (secrets/Q3): nearly all are not,
// and need not be read again. It costs a memchr().
#pragma once

#include <string>
#include <string_view>

namespace windlass {

class CipherTextScan {
 public:
  void update(std::string_view bytes) {
    if (found_) return;
    // The mark may lie across two pieces.
    const auto seam = last_ + std::string(bytes.substr(0, kMark.size() - 1));
    found_ = seam.find(kMark) != seam.npos || has_mark(bytes);
    last_ = (bytes.size() < kMark.size() ? last_ + std::string(bytes)
                                         : std::string(bytes.substr(bytes.size() - (kMark.size() - 1))));
    if (last_.size() >= kMark.size()) last_.erase(0, last_.size() - (kMark.size() - 1));
  }
  bool found() const { return found_; }

 private:
  static constexpr std::string_view kMark = "ENC[";

  // By the bracket: it is rare in text and data alike, while every other sentence has an E.
  static bool has_mark(std::string_view bytes) {
    for (auto at = bytes.find('['); at != bytes.npos; at = bytes.find('[', at + 1))
      if (at >= 3 && bytes.substr(at - 3, kMark.size()) == kMark) return true;
    return false;
  }

  std::string last_;  // the last bytes of what has gone by, fewer than the mark has
  bool found_ = false;
};

}  // namespace windlass
