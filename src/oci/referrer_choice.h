// Which referrers of one kind are looked at where there are more of them than may be (reliability/F48, T12).
//
// All that a list says is somebody's word: dates are their authors', the order is mostly that of pushing. So none of
// them decides alone: those with the newest dates, the last ones and the first ones of the list are taken in turn. A
// flood that is pushed after a good one, whatever its dates, leaves the good one among the first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "oci/manifest.h"

namespace windlass {

class ReferrerChoice {
 public:
  static constexpr std::size_t kKeptMax = 1000;  // the first half and the last half of a longer list

  struct Listed {
    Digest digest;
    std::uint64_t size_bytes = 0;
    std::string created;       // as its author says; "" if he does not
    std::size_t position = 0;  // in the list
  };

  void add(const Descriptor& referrer);  // in the order of the list
  std::size_t added() const { return added_; }
  // Newest first, at most `count_max`.
  std::vector<Listed> take(std::size_t count_max) const;

 private:
  std::vector<Listed> first_;
  std::deque<Listed> last_;
  std::size_t added_ = 0;
};

}  // namespace windlass
