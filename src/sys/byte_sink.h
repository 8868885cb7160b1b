// Bytes given away piece by piece: an archive while it is written, what compresses it, the file behind. The other way
// round of ByteStream, and for the same reason: memory stays flat.
#pragma once

#include <string_view>

#include "base/result.h"

namespace windlass {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Status write(std::string_view bytes) = 0;
  // Nothing more comes: what was held back goes out. Also of the sink behind, if there is one.
  virtual Status finish() = 0;
};

}  // namespace windlass
