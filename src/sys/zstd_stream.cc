#include "sys/zstd_stream.h"

#include <fmt/format.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <new>

namespace windlass {
namespace {

constexpr std::size_t kOutputBytes = 256 << 10;
constexpr int kWindowLogMax = 23;

}  // namespace

void ZstdStream::FreeContext::operator()(ZSTD_DCtx_s* context) const noexcept { ::ZSTD_freeDCtx(context); }

ZstdStream::ZstdStream(ByteStream& source)
    : source_(source), context_(::ZSTD_createDCtx()), output_(kOutputBytes, '\0') {
  if (!context_) throw std::bad_alloc();
  ::ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kWindowLogMax);
}

Result<std::string_view> ZstdStream::next() {
  while (true) {
    bool source_ended = false;
    if (input_.empty()) {
      auto piece = source_.next();
      if (!piece) return piece;
      input_ = *piece;
      source_ended = input_.empty();
    }
    if (source_ended && !in_frame_) return std::string_view();

    ZSTD_inBuffer in{input_.data(), input_.size(), 0};
    ZSTD_outBuffer out{output_.data(), output_.size(), 0};
    const std::size_t code = ::ZSTD_decompressStream(context_.get(), &out, &in);
    if (::ZSTD_isError(code)) {
      if (::ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
        return fail(Kind::invalid, "zstd: a window of more than 8 MiB is needed");
      return fail(Kind::invalid, fmt::format("zstd: {}", ::ZSTD_getErrorName(code)));
    }
    input_.remove_prefix(in.pos);
    in_frame_ = code != 0;
    if (out.pos > 0) return std::string_view(output_).substr(0, out.pos);
    if (source_ended && in_frame_) return fail(Kind::invalid, "zstd: cut short");
  }
}

}  // namespace windlass
