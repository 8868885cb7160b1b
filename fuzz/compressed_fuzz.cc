// What gzip and zstd streams hold; both inflaters must say the same (oci 4, reliability 5, row 30).
#include <memory>
#include <optional>

#include "fuzz/fuzz.h"
#include "fuzz/memory_stream.h"
#include "sys/gzip_stream.h"
#include "sys/zstd_stream.h"

namespace windlass {
namespace {

constexpr std::size_t kOutBytesMax = 4 << 20;  // what one input may take of our time
constexpr std::size_t kPieceBytes = 7;

// The content, nothing if the stream is broken. What goes on for too long counts as far as it was read.
std::optional<std::string> content_of(ByteStream& stream) {
  std::string content;
  while (content.size() < kOutBytesMax) {
    const auto piece = stream.next();
    if (!piece) {
      require(piece.error().kind == Kind::invalid, "a broken stream is invalid");
      require_printable(piece.error().message);
      return std::nullopt;
    }
    if (piece->empty()) {
      const auto again = stream.next();
      require(again && again->empty(), "the end stays the end");
      return content;
    }
    content += *piece;
  }
  content.resize(kOutBytesMax);
  return content;
}

std::optional<std::string> inflated(std::string_view input, std::size_t piece_bytes,
                                    std::unique_ptr<Inflater> inflater) {
  MemoryStream bytes(input, piece_bytes);
  GzipStream stream(bytes, std::move(inflater));
  return content_of(stream);
}

std::optional<std::string> unpacked(std::string_view input, std::size_t piece_bytes) {
  MemoryStream bytes(input, piece_bytes);
  ZstdStream stream(bytes);
  return content_of(stream);
}

}  // namespace

void fuzz(std::string_view input) {
  if (input.starts_with("\x1f\x8b")) {
    const auto content = inflated(input, input.size(), zlib_inflater());
    require(content == inflated(input, kPieceBytes, zlib_inflater()), "pieces change nothing");
    if (!isal_inflater()) return;
    require(content == inflated(input, input.size(), isal_inflater()), "both inflaters say the same");
    require(content == inflated(input, kPieceBytes, isal_inflater()), "in pieces too");
  } else {
    require(unpacked(input, input.size()) == unpacked(input, kPieceBytes), "pieces change nothing");
  }
}

}  // namespace windlass
