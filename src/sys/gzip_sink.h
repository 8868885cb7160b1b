// Compresses into one gzip member that depends on nothing but the bytes: no time, no name, no machine (RFC 1952).
//
// zlib, not the faster ISA-L: what ISA-L makes of the same bytes depends on the processor.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sys/byte_sink.h"

struct z_stream_s;

namespace windlass {

class GzipSink final : public ByteSink {
 public:
  // `next` must outlive it.
  explicit GzipSink(ByteSink& next);
  ~GzipSink() override;

  Status write(std::string_view bytes) override;
  Status finish() override;

 private:
  Status deflate(std::string_view bytes, int flush);

  ByteSink& next_;
  std::unique_ptr<z_stream_s> stream_;
  std::string output_;
};

}  // namespace windlass
