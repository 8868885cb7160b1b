// Inflates the body of a gzip member: its deflate blocks and the check sum and length behind them (RFC 1952).
//
// Two of them, by what the machine has: ISA-L is about three times as fast as zlib, and inflating bounds the pull.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace windlass {

class Inflater {
 public:
  struct Step {
    std::size_t used = 0;  // bytes taken from the input
    std::size_t made = 0;  // bytes put out
    bool ended = false;    // the member is complete and its check sum is right
  };
  virtual ~Inflater() = default;
  // Ready for the next member.
  virtual void reset() = 0;
  virtual Result<Step> step(std::string_view input, char* output, std::size_t output_bytes) = 0;
};

std::unique_ptr<Inflater> zlib_inflater();
std::unique_ptr<Inflater> isal_inflater();  // null where windlass was built without ISA-L
std::unique_ptr<Inflater> fastest_inflater();

}  // namespace windlass
