#include "sys/tar_writer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/text.h"
#include "sys/gzip_sink.h"
#include "sys/gzip_stream.h"
#include "sys/tar_reader.h"
#include "sys/zstd_sink.h"
#include "sys/zstd_stream.h"

namespace windlass {
namespace {

struct StringSink final : ByteSink {
  std::string bytes;
  bool is_finished = false;
  Status write(std::string_view piece) override {
    bytes += piece;
    return {};
  }
  Status finish() override {
    is_finished = true;
    return {};
  }
};

class StringStream final : public ByteStream {
 public:
  explicit StringStream(std::string_view bytes) : left_(bytes) {}
  Result<std::string_view> next() override { return std::exchange(left_, {}); }

 private:
  std::string_view left_;
};

std::string read_stream(ByteStream& stream) {
  std::string all;
  for (;;) {
    const auto piece = stream.next();
    if (!piece) return piece.error().message;
    if (piece->empty()) return all;
    all += *piece;
  }
}

// "type name mode size link" of every entry, with the content of files behind a '='.
std::vector<std::string> entries_of(const std::string& archive) {
  StringStream source(archive);
  TarReader reader(source, 1 << 20);
  std::vector<std::string> rows;
  for (TarEntry entry;;) {
    const auto more = reader.next(entry);
    if (!more) rows.push_back(more.error().message);
    if (!more || !*more) return rows;
    const char type = entry.type == TarType::folder ? 'd' : entry.type == TarType::link ? 'l' : 'f';
    rows.push_back(fmt::format("{} {} {:o} {} {}", type, entry.name, entry.mode, entry.size_bytes, entry.link));
    EXPECT_EQ(entry.mtime_unix, 0);
    while (true) {
      const auto piece = reader.data();
      if (!piece || piece->bytes.empty()) break;
      rows.back() += "=" + std::string(piece->bytes);
    }
  }
}

TEST(TarWriter, IsReadBackAsItWasWritten) {
  StringSink sink;
  TarWriter tar(sink);
  ASSERT_TRUE(tar.add_folder("conf", 0755));
  ASSERT_TRUE(tar.begin_file("conf/app.ini", 0644, 5));
  ASSERT_TRUE(tar.data("he"));
  ASSERT_TRUE(tar.data("llo"));
  ASSERT_TRUE(tar.end_file());
  ASSERT_TRUE(tar.begin_file("empty", 0755, 0));
  ASSERT_TRUE(tar.end_file());
  ASSERT_TRUE(tar.add_link("latest", "conf/app.ini"));
  ASSERT_TRUE(tar.finish());
  EXPECT_TRUE(sink.is_finished);
  EXPECT_EQ(sink.bytes.size() % 512, 0u);
  EXPECT_EQ(entries_of(sink.bytes), (std::vector<std::string>{"d conf/ 755 0 ", "f conf/app.ini 644 5 =hello",
                                                              "f empty 755 0 ", "l latest 777 0 conf/app.ini"}));
}

TEST(TarWriter, SaysLongNamesAndLinksSoThatNothingIsCut) {
  const std::string part(60, 'p'), name_of_100(100, 'n'), name_of_101(101, 'n');
  const std::string names[] = {name_of_100,
                               name_of_101,                                // no slash to split at
                               part + "/" + part,                          // split into prefix and name
                               std::string(155, 'a') + "/" + name_of_100,  // the most that ustar holds
                               std::string(156, 'a') + "/" + name_of_100,  // one more
                               part + "/" + name_of_101,
                               part + "/\xc3\xbc" + std::string(200, 'u')};
  for (const auto& name : names) {
    SCOPED_TRACE(name);
    StringSink sink;
    TarWriter tar(sink);
    ASSERT_TRUE(tar.begin_file(name, 0644, 1));
    ASSERT_TRUE(tar.data("x"));
    ASSERT_TRUE(tar.end_file());
    ASSERT_TRUE(tar.add_folder(name + ".d", 0755));
    ASSERT_TRUE(tar.add_link("l", name));
    ASSERT_TRUE(tar.finish());
    EXPECT_EQ(entries_of(sink.bytes),
              (std::vector<std::string>{fmt::format("f {} 644 1 =x", name), fmt::format("d {}.d/ 755 0 ", name),
                                        fmt::format("l l 777 0 {}", name)}));
  }
}

TEST(TarWriter, InsistsOnTheSizeThatWasAnnounced) {
  StringSink sink;
  TarWriter tar(sink);
  ASSERT_TRUE(tar.begin_file("f", 0644, 3));
  EXPECT_EQ(tar.data("1234").error().message, "more bytes than were announced");
  ASSERT_TRUE(tar.data("12"));
  EXPECT_EQ(tar.end_file().error().message, "1 bytes less than were announced");
}

// What compresses: the same bytes whatever the pieces, and what they hold comes back.
template <class Sink, class Stream, class Inflate>
void check_compression(Inflate inflate) {
  std::string content;
  for (int i = 0; i < 50'000; ++i) content += fmt::format("{} ", i * 7919 % 10'007);
  std::string first;
  for (const std::size_t piece_bytes : {content.size(), std::size_t{4096}, std::size_t{7}}) {
    StringSink out;
    Sink sink(out);
    for (std::size_t at = 0; at < content.size(); at += piece_bytes)
      ASSERT_TRUE(sink.write(std::string_view(content).substr(at, piece_bytes)));
    ASSERT_TRUE(sink.finish());
    EXPECT_TRUE(out.is_finished);
    EXPECT_LT(out.bytes.size(), content.size() / 2);
    if (first.empty()) first = out.bytes;
    EXPECT_TRUE(first == out.bytes) << "pieces of " << piece_bytes;
    StringStream packed(out.bytes);
    Stream stream(packed, inflate());
    EXPECT_TRUE(read_stream(stream) == content);
  }
}

TEST(GzipSink, GivesOneMemberThatDoesNotDependOnThePieces) {
  check_compression<GzipSink, GzipStream>(fastest_inflater);
}

TEST(ZstdSink, GivesOneFrame) {
  StringSink out;
  ZstdSink sink(out);
  const std::string content(3'000'000, 'z');
  ASSERT_TRUE(sink.write(content));
  ASSERT_TRUE(sink.finish());
  StringStream packed(out.bytes);
  ZstdStream stream(packed);
  EXPECT_TRUE(read_stream(stream) == content);
}

// Pinned: another digest here is another digest of everybody's artifacts.
TEST(GzipSink, GivesTheSameBytesOnEveryMachine) {
  StringSink out;
  GzipSink sink(out);
  ASSERT_TRUE(sink.write("windlass\n"));
  ASSERT_TRUE(sink.finish());
  EXPECT_EQ(to_hex(out.bytes), "1f8b08000000000000ff2bcfcc4bc9492c2ee60200de64ab9809000000");
}

}  // namespace
}  // namespace windlass
