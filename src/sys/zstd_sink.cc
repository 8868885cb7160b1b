#include "sys/zstd_sink.h"

#include <fmt/format.h>
#include <zstd.h>

#include <new>

namespace windlass {
namespace {

constexpr std::size_t kOutputBytes = 128 << 10;
constexpr int kLevel = 3;

}  // namespace

void ZstdSink::FreeContext::operator()(ZSTD_CCtx_s* context) const noexcept { ::ZSTD_freeCCtx(context); }

ZstdSink::ZstdSink(ByteSink& next) : next_(next), context_(::ZSTD_createCCtx()), output_(kOutputBytes, '\0') {
  if (!context_) throw std::bad_alloc();
  ::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
  ::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
}

Status ZstdSink::write(std::string_view bytes) { return compress(bytes, false); }

Status ZstdSink::finish() {
  auto done = compress({}, true);
  return done ? next_.finish() : done;
}

Status ZstdSink::compress(std::string_view bytes, bool is_end) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (;;) {
    ZSTD_outBuffer out{output_.data(), output_.size(), 0};
    const auto left = ::ZSTD_compressStream2(context_.get(), &out, &in, is_end ? ZSTD_e_end : ZSTD_e_continue);
    if (::ZSTD_isError(left)) return fail(Kind::internal, fmt::format("zstd: {}", ::ZSTD_getErrorName(left)));
    if (out.pos > 0)
      if (auto written = next_.write(std::string_view(output_).substr(0, out.pos)); !written) return written;
    if (is_end ? left == 0 : in.pos == in.size) return {};
  }
}

}  // namespace windlass
