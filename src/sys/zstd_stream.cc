#include "sys/zstd_stream.h"

#include <fmt/format.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <new>
#include <utility>

namespace windlass {
namespace {

constexpr std::size_t kOutputBytes = 256 << 10;
constexpr int kWindowLogMax = 23;
constexpr int kEmptyFramesMax = 10'000;         // in a row, skippable ones too; pzstd writes one before each with data
constexpr std::size_t kFrameHeadBytesMax = 18;  // RFC 8878, 3.1.1.1

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

    // Of a frame that it gets as a whole libzstd accepts and refuses other things than of one that comes in pieces, so
    // it never gets one: with a single byte more its head is complete, and nothing after it there yet.
    const auto given = frame_head_.size() < kFrameHeadBytesMax ? input_.substr(0, 1) : input_;
    ZSTD_inBuffer in{given.data(), given.size(), 0};
    ZSTD_outBuffer out{output_.data(), output_.size(), 0};
    const std::size_t code = ::ZSTD_decompressStream(context_.get(), &out, &in);
    if (::ZSTD_isError(code)) {
      if (::ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
        return fail(Kind::invalid, "zstd: a window of more than 8 MiB is needed");
      return fail(Kind::invalid, fmt::format("zstd: {}", ::ZSTD_getErrorName(code)));
    }
    const bool is_over = code == 0;
    if (auto sound = count(input_.substr(0, in.pos), out.pos, is_over); !sound) return tl::unexpected(sound.error());
    input_.remove_prefix(in.pos);
    in_frame_ = !is_over;
    if (out.pos > 0) {
      empty_frames_ = 0;
      return std::string_view(output_).substr(0, out.pos);
    }
    if (is_over && ++empty_frames_ > kEmptyFramesMax) return fail(Kind::invalid, "zstd: too many empty frames");
    if (source_ended && in_frame_) return fail(Kind::invalid, "zstd: cut short");
  }
}

// libzstd compares what a frame announces with what it holds only where it has all of it at once.
Status ZstdStream::count(std::string_view taken, std::size_t given_bytes, bool is_over) {
  frame_bytes_ += given_bytes;
  if (frame_head_.size() < kFrameHeadBytesMax) frame_head_ += taken.substr(0, kFrameHeadBytesMax - frame_head_.size());
  if (!is_over) return {};
  const auto announced = ::ZSTD_getFrameContentSize(frame_head_.data(), frame_head_.size());
  const auto held = std::exchange(frame_bytes_, 0);
  frame_head_.clear();
  if (announced == ZSTD_CONTENTSIZE_UNKNOWN || announced == ZSTD_CONTENTSIZE_ERROR || announced == held) return {};
  return fail(Kind::invalid, fmt::format("zstd: a frame announces {} bytes and holds {}", announced, held));
}

}  // namespace windlass
