// Compresses into one zstd frame with a check sum (RFC 8878). Other versions of the library may give other bytes for
// the same input: who needs one digest on every machine takes gzip.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sys/byte_sink.h"

struct ZSTD_CCtx_s;

namespace windlass {

class ZstdSink final : public ByteSink {
 public:
  // `next` must outlive it.
  explicit ZstdSink(ByteSink& next);

  Status write(std::string_view bytes) override;
  Status finish() override;

 private:
  // Until the library has taken all bytes, and given all of its own if this is the end.
  Status compress(std::string_view bytes, bool is_end);

  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const noexcept;
  };
  ByteSink& next_;
  std::unique_ptr<ZSTD_CCtx_s, FreeContext> context_;
  std::string output_;
};

}  // namespace windlass
