// What a zstd stream holds: one or more frames, nothing else (RFC 8878).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sys/byte_stream.h"

struct ZSTD_DCtx_s;

namespace windlass {

class ZstdStream final : public ByteStream {
 public:
  // `source` must outlive it.
  explicit ZstdStream(ByteStream& source);

  // Kind::invalid: cut, damaged, a frame that holds another number of bytes than it announces, bytes after the last
  // frame, too many empty frames in a row, a window over 8 MiB (what every decoder must support, and what container
  // tools write; more would be the archive's author choosing how much memory we need).
  Result<std::string_view> next() override;

 private:
  struct FreeContext {
    void operator()(ZSTD_DCtx_s* context) const noexcept;
  };
  Status count(std::string_view taken, std::size_t given_bytes, bool is_over);

  ByteStream& source_;
  std::unique_ptr<ZSTD_DCtx_s, FreeContext> context_;
  std::string_view input_;
  std::string output_;
  bool in_frame_ = true;
  std::string frame_head_;              // the first bytes of this frame
  unsigned long long frame_bytes_ = 0;  // that it has held so far
  int empty_frames_ = 0;                // frames that ended since bytes came out
};

}  // namespace windlass
