#include "sys/tar_reader.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <vector>

#include "sys/gzip_stream.h"
#include "sys/tar_builder.h"

namespace windlass {
namespace {

// Bytes that come in pieces of one size: every border between two pieces must do.
class Pieces final : public ByteStream {
 public:
  Pieces(std::string bytes, std::size_t piece_bytes) : bytes_(std::move(bytes)), piece_bytes_(piece_bytes) {}
  Result<std::string_view> next() override {
    piece_ = bytes_.substr(at_, piece_bytes_);
    at_ += piece_.size();
    return std::string_view(piece_);
  }

 private:
  std::string bytes_, piece_;
  std::size_t piece_bytes_, at_ = 0;
};

// "name=content;" of every entry, then the error if there is one.
std::string read_all(ByteStream& source) {
  TarReader reader(source, 1 << 20);
  std::string all;
  for (TarEntry entry;;) {
    const auto more = reader.next(entry);
    if (!more) return all + more.error().message;
    if (!*more) return all;
    all += entry.name + "=";
    for (;;) {
      const auto piece = reader.data();
      if (!piece) return all + piece.error().message;
      if (piece->bytes.empty()) break;
      all += piece->bytes;
    }
    all += ";";
  }
}

std::string gzipped(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(bytes.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST(TarReader, ReadsPiecesOfAnySize) {
  const auto archive =
      TarBuilder().pax({{"path", "a"}}).file("?", "one").long_name("b").file("?", "").file("c", "3").end();
  for (const std::size_t bytes : {1, 7, 511, 512, 513, 100'000}) {
    Pieces pieces(archive, bytes);
    EXPECT_EQ(read_all(pieces), "a=one;b=;c=3;") << bytes;
  }
}

TEST(TarReader, SkipsDataThatNobodyTakes) {
  Pieces pieces(TarBuilder().file("a", std::string(5000, 'a')).file("b", "b"), 600);
  TarReader reader(pieces, 1 << 20);
  TarEntry entry;
  ASSERT_TRUE(*reader.next(entry));
  ASSERT_FALSE(reader.data()->bytes.empty());
  ASSERT_TRUE(*reader.next(entry));
  EXPECT_EQ(entry.name, "b");
  EXPECT_FALSE(*reader.next(entry));
  EXPECT_FALSE(*reader.next(entry)) << "and again after the end";
}

TEST(TarReader, SaysWhereAnArchiveIsCut) {
  const auto archive = TarBuilder().file("a", "content").bytes();
  const std::pair<std::size_t, std::string_view> cuts[] = {{0, ""},
                                                           {1, "cut in a header"},
                                                           {511, "cut in a header"},
                                                           {512, "a=cut in the data"},
                                                           {515, "a=concut in the data"},
                                                           {519, "a=content;"},  // as umoci writes it
                                                           {520, "a=content;cut in the data"},
                                                           {600, "a=content;cut in the data"},
                                                           {1024, "a=content;"}};
  for (const auto& [bytes, text] : cuts) {
    Pieces pieces(archive.substr(0, bytes), 4096);
    EXPECT_EQ(read_all(pieces), text) << bytes;
  }
}

TEST(TarReader, ReadsGnuSparseFiles) {
  auto header = TarBuilder::header({.name = "a", .type = 'S', .content = "abcdef", .magic = "ustar  "});
  const auto put = [&header](std::size_t at, std::int64_t number) {
    header.replace(at, 11, fmt::format("{:011o}", number));
  };
  put(386, 100), put(398, 4), put(410, 200), put(422, 2), put(483, 300);
  Pieces pieces(TarBuilder::sealed(header) + "abcdef" + std::string(506, '\0'), 4096);
  TarReader reader(pieces, 1 << 20);
  TarEntry entry;
  ASSERT_TRUE(*reader.next(entry));
  EXPECT_TRUE(entry.sparse);
  EXPECT_EQ(entry.size_bytes, 300u);
  const auto first = *reader.data();
  EXPECT_EQ(first.offset, 100u);
  EXPECT_EQ(first.bytes, "abcd");
  const auto second = *reader.data();
  EXPECT_EQ(second.offset, 200u);
  EXPECT_EQ(second.bytes, "ef");
  EXPECT_TRUE(reader.data()->bytes.empty());
  EXPECT_FALSE(*reader.next(entry));
}

TEST(TarReader, KnowsTheNumbersOfHeaders) {
  using namespace std::string_literals;
  EXPECT_EQ(tar_number("0000644\0"s), 0644);
  EXPECT_EQ(tar_number("   644 \0"s), 0644);
  EXPECT_EQ(tar_number(std::string(8, '\0')), 0);
  EXPECT_EQ(tar_number(base_256_field(-1, 8)), -1);
  EXPECT_EQ(tar_number(base_256_field(8'589'934'592, 12)), 8'589'934'592);
  for (const std::string bad : {"-1", "9", "7x", "1 2", "777777777777777777777777"})
    EXPECT_EQ(tar_number(bad), std::nullopt) << bad;
}

// Both inflaters, with every border inside headers, bodies and trailers of several members.
TEST(GzipStream, ReadsMembersFromPiecesOfAnySize) {
  auto with_fields = gzipped("three");
  with_fields[3] = 4 | 8 | 16 | 2;  // extra field, name, comment, header check sum
  with_fields.insert(10, std::string("\x03\0xyzname\0comment\0cc", 20));
  const auto packed = gzipped("one ") + gzipped("") + gzipped("two ") + with_fields;
  for (const bool fastest : {false, true})
    for (std::size_t bytes = 1; bytes <= packed.size(); ++bytes) {
      Pieces pieces(packed, bytes);
      GzipStream stream(pieces, fastest ? fastest_inflater() : zlib_inflater());
      std::string all;
      for (auto piece = stream.next();; piece = stream.next()) {
        ASSERT_TRUE(piece) << piece.error().message << " " << bytes;
        if (piece->empty()) break;
        all += *piece;
      }
      EXPECT_EQ(all, "one two three") << bytes;
    }
}

TEST(GzipStream, RefusesMembersOfNothingWithoutEnd) {
  std::string few, many;
  for (int i = 0; i < 100; ++i) few += gzipped("");
  for (int i = 0; i < 200; ++i) many += few;
  const std::string archive = TarBuilder().file("a", "text").end();
  const auto read = [](const std::string& packed, std::unique_ptr<Inflater> inflater) {
    Pieces pieces(packed, 4096);
    GzipStream stream(pieces, std::move(inflater));
    return read_all(stream);
  };
  for (const auto make : {fastest_inflater, zlib_inflater}) {
    EXPECT_EQ(read(few + gzipped(archive.substr(0, 100)) + few + gzipped(archive.substr(100)) + few, make()),
              "a=text;");
    EXPECT_EQ(read(many + gzipped(archive), make()), "gzip: too many empty members");
  }
}

}  // namespace
}  // namespace windlass
