#include "sys/gzip_sink.h"

#include <zlib.h>

#include <algorithm>
#include <new>

namespace windlass {
namespace {

constexpr std::size_t kOutputBytes = 64 << 10;
// All of them decide about the bytes that come out: a change gives every artifact another digest.
constexpr int kLevel = 6, kMemoryLevel = 8, kRawWindowBits = 15, kGzip = 16;
constexpr int kUnknownSystem = 255;

gz_header& fixed_header() {
  static gz_header header = [] {
    gz_header fixed{};
    fixed.os = kUnknownSystem;
    return fixed;
  }();
  return header;
}

}  // namespace

GzipSink::GzipSink(ByteSink& next) : next_(next), stream_(std::make_unique<z_stream>()), output_(kOutputBytes, '\0') {
  if (::deflateInit2(stream_.get(), kLevel, Z_DEFLATED, kRawWindowBits + kGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    throw std::bad_alloc();
  ::deflateSetHeader(stream_.get(), &fixed_header());
}

GzipSink::~GzipSink() { ::deflateEnd(stream_.get()); }

Status GzipSink::write(std::string_view bytes) {
  constexpr std::size_t piece_bytes = 1 << 20;  // zlib counts in 32 bits
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), piece_bytes)))
    if (auto done = deflate(bytes.substr(0, piece_bytes), Z_NO_FLUSH); !done) return done;
  return {};
}

Status GzipSink::finish() {
  auto done = deflate({}, Z_FINISH);
  return done ? next_.finish() : done;
}

Status GzipSink::deflate(std::string_view bytes, int flush) {
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib only reads it
  stream_->avail_in = static_cast<uInt>(bytes.size());
  do {
    stream_->next_out = reinterpret_cast<Bytef*>(output_.data());
    stream_->avail_out = static_cast<uInt>(output_.size());
    ::deflate(stream_.get(), flush);
    const auto made = output_.size() - stream_->avail_out;
    if (made > 0)
      if (auto written = next_.write(std::string_view(output_).substr(0, made)); !written) return written;
  } while (stream_->avail_out == 0);
  return {};
}

}  // namespace windlass
