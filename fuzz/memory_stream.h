// For targets that read streams: bytes in memory that come in pieces of one size.
#pragma once

#include <algorithm>
#include <string_view>

#include "sys/byte_stream.h"

namespace windlass {

class MemoryStream final : public ByteStream {
 public:
  explicit MemoryStream(std::string_view bytes, std::size_t piece_bytes = 1 << 20)
      : rest_(bytes), piece_bytes_(piece_bytes) {}
  Result<std::string_view> next() override {
    const auto piece = rest_.substr(0, piece_bytes_);
    rest_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view rest_;
  std::size_t piece_bytes_;
};

}  // namespace windlass
