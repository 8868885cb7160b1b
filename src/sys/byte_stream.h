// Bytes that come piece by piece: a file, and what is decompressed from one. Pulled, so memory stays flat.
#pragma once

#include <string_view>

#include "base/result.h"

namespace windlass {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // The next piece, valid until the next call; "" at the end, and again after it.
  virtual Result<std::string_view> next() = 0;
};

}  // namespace windlass
