#include "sys/zstd_stream.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <algorithm>

namespace windlass {
namespace {

// Bytes in pieces of that size.
class Pieces final : public ByteStream {
 public:
  Pieces(std::string bytes, std::size_t size) : bytes_(std::move(bytes)), size_(size) {}
  Result<std::string_view> next() override {
    const auto piece = std::string_view(bytes_).substr(at_, size_);
    at_ += piece.size();
    return piece;
  }

 private:
  std::string bytes_;
  std::size_t size_, at_ = 0;
};

Result<std::string> content_of(const std::string& bytes, std::size_t piece_bytes) {
  Pieces pieces(bytes, piece_bytes);
  ZstdStream stream(pieces);
  std::string content;
  for (;;) {
    const auto piece = stream.next();
    if (!piece) return tl::unexpected(piece.error());
    if (piece->empty()) return content;
    content += *piece;
  }
}

std::string frame_of(const std::string& text) {
  std::string frame(::ZSTD_compressBound(text.size()), '\0');
  frame.resize(::ZSTD_compress(frame.data(), frame.size(), text.data(), text.size(), 3));
  return frame;
}

TEST(ZstdStream, ReadsFramesHoweverTheyArrive) {
  const std::string text(300'000, 'x');
  const auto two = frame_of(text) + frame_of("and more");
  for (const std::size_t piece : {std::size_t(1), std::size_t(7), two.size()})
    EXPECT_EQ(content_of(two, piece), text + "and more") << piece;
}

TEST(ZstdStream, RefusesAFrameThatAnnouncesAnotherSize) {
  // One empty block in a frame that announces 33 bytes.
  const std::string empty("\x28\xb5\x2f\xfd\x20\x21\x01\x00\x00", 9);
  for (const std::size_t piece : {std::size_t(1), std::size_t(4), empty.size()})
    EXPECT_FALSE(content_of(empty, piece)) << piece;
  EXPECT_EQ(content_of(empty, 1).error().message, "zstd: a frame announces 33 bytes and holds 0");
}

// A compressed block of no bytes: of a whole frame libzstd took it, of pieces it did not.
TEST(ZstdStream, SaysTheSameOfABlockHoweverItArrives) {
  const std::string frame("\x28\xb5\x2f\xfd\x24\x00\x05\x00\x00\x99\xe9\xd8\x51", 13);
  const auto in_pieces = content_of(frame, 1);
  for (const std::size_t piece : {std::size_t(6), std::size_t(9), frame.size()})
    EXPECT_EQ(content_of(frame, piece).has_value(), in_pieces.has_value()) << piece;
}

TEST(ZstdStream, RefusesFramesOfNothingWithoutEnd) {
  const std::string skippable("\x50\x2a\x4d\x18\0\0\0\0", 8), empty("\x28\xb5\x2f\xfd\x20\0\x01\0\0", 9);
  for (const auto& frame : {skippable, empty}) {
    std::string few, many;
    for (int i = 0; i < 100; ++i) few += frame;
    for (int i = 0; i < 200; ++i) many += few;
    EXPECT_EQ(content_of(few + frame_of("some") + few + frame_of(" text") + few, 4096), "some text");
    const auto refused = content_of(many + frame_of("some text"), 4096);
    ASSERT_FALSE(refused) << "was taken";
    EXPECT_EQ(refused.error().message, "zstd: too many empty frames");
  }
}

TEST(ZstdStream, RefusesWhatIsCut) {
  const auto frame = frame_of("some text that is long enough to be worth a frame");
  EXPECT_EQ(content_of(frame.substr(0, frame.size() - 1), 5).error().message, "zstd: cut short");
}

}  // namespace
}  // namespace windlass
