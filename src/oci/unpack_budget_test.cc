// Budgets (oci 8; reliability/T9 and 5, rows 32 to 34), with limits small enough for quick tests.
#include "oci/layer_stream.h"
#include "oci/unpack_fixture.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using UnpackBudget = UnpackFixture;

TEST(UnpackLimits, AreThoseOfThePageByDefault) {  // oci 8
  const UnpackLimits limits;
  EXPECT_EQ(limits.bytes_max, 1ull << 30);
  EXPECT_EQ(limits.entries_max, 100'000u);
  EXPECT_EQ(limits.file_bytes_max, 512ull << 20);
  EXPECT_EQ(limits.compressed_bytes_max, 1ull << 30);
  EXPECT_EQ(limits.layers_max, 128u);
  EXPECT_EQ(limits.ratio_max, 200u);
  EXPECT_EQ(limits.ratio_free_bytes, 64ull << 20);
  EXPECT_EQ(limits.link_steps_max, 2'000'000u);
}

TEST_F(UnpackBudget, CountsEntriesOfEveryType) {
  limits.entries_max = 3;
  const std::string over = "artifact exceeds maximum allowed number of entries: 3";
  const auto numbered = [](int count, const auto& add) {
    TarBuilder archive;
    for (int i = 1; i <= count; ++i) add(archive, "e" + std::to_string(i));
    return archive.end().bytes();
  };
  const auto file = [](TarBuilder& archive, const std::string& name) { archive.file(name); };
  const auto folder = [](TarBuilder& archive, const std::string& name) { archive.folder(name); };
  const auto link = [](TarBuilder& archive, const std::string& name) { archive.link(name, "x"); };
  const auto same = [](TarBuilder& archive, const std::string&) { archive.file("same"); };
  const auto whiteout = [](TarBuilder& archive, const std::string& name) { archive.file(".wh." + name, ""); };
  const auto git = [](TarBuilder& archive, const std::string& name) { archive.file(".git/" + name); };
  const auto deny = [&](const auto& add, const std::string& name) {
    EXPECT_EQ(refusal({numbered(4, add)}), "layer 1 of 1: entry '" + name + "': " + over);
    taken({numbered(3, add)});
    std::filesystem::remove_all(root);
  };
  deny(file, "e4");
  deny(folder, "e4");
  deny(link, "e4");
  deny(same, "same");
  deny(whiteout, ".wh.e4");
  deny(git, ".git/e4");
  EXPECT_EQ(refusal({numbered(2, file), numbered(2, file)}), "layer 2 of 2: entry 'e2': " + over);
  EXPECT_EQ(refusal({TarBuilder().file("a/b/c/d").end()}), "layer 1 of 1: entry 'a/b/c/d': " + over)
      << "implied folders";
}

TEST_F(UnpackBudget, CountsBytesOfNames) {
  limits.names_bytes_max = 10;
  const std::string over = "artifact exceeds maximum allowed size of all names: 10 bytes";
  taken({TarBuilder().file("1234").file("123456").end()});
  std::filesystem::remove_all(root);
  EXPECT_EQ(refusal({TarBuilder().file("1234").file("1234567").end()}), "layer 1 of 1: entry '1234567': " + over);
  EXPECT_EQ(refusal({TarBuilder().folder("123456").end(), TarBuilder().folder("12345").end()}),
            "layer 2 of 2: entry '12345': " + over);
  EXPECT_EQ(refusal({TarBuilder().file("12345").link("1", "12345").end()}), "layer 1 of 1: entry '1': " + over)
      << "targets";
  EXPECT_EQ(refusal({TarBuilder().file("1234/678").end()}), "layer 1 of 1: entry '1234/678': " + over)
      << "implied folders";
}

// reliability/P13
TEST_F(UnpackBudget, LetsFewLargeTreesBeInMemoryAtOnce) {
  Slots places(1, "a place");
  limits.large_places = &places;
  limits.small_entries_max = 2;
  limits.small_names_bytes_max = 10;
  const auto full = TarBuilder().file("a").file("b").file("c").end().bytes();
  const auto names = TarBuilder().file("12345").file("123456").end().bytes();
  const auto within = [&](const std::string& archive, std::chrono::milliseconds time) {
    std::filesystem::remove_all(root);
    return unpack({this->layer(archive)}, root, limits, Secret("key"), Deadline::in(time));
  };
  {
    const auto first = within(full, 10s);
    ASSERT_TRUE(first) << first.error().message;
    for (const auto& archive : {full, names}) {
      const auto second = within(archive, 20ms);
      ASSERT_FALSE(second);
      EXPECT_EQ(second.error().kind, Kind::unavailable);
      EXPECT_NE(second.error().message.find("gave up waiting for a place"), std::string::npos)
          << second.error().message;
      EXPECT_FALSE(std::filesystem::exists(root));
    }
    EXPECT_TRUE(within(TarBuilder().file("a").file("b").end().bytes(), 10s)) << "small ones need none";
  }
  EXPECT_TRUE(within(names, 10s));
}

TEST_F(UnpackBudget, CountsBytesOfFilesAndCopies) {
  limits.file_bytes_max = 1000;
  limits.bytes_max = 2500;
  const std::string full(1000, 'a'), over = "artifact exceeds maximum allowed extraction size: 2500 bytes";
  const std::string two = TarBuilder().file("a", full).file("b", full).end();
  taken({two, TarBuilder().file("c", std::string(500, 'c')).end()});
  std::filesystem::remove_all(root);
  EXPECT_EQ(refusal({TarBuilder().file("a", full + "a").end()}),
            "layer 1 of 1: entry 'a': file of 1001 bytes, limit 1000");
  EXPECT_EQ(refusal({two, TarBuilder().file("c", full).end()}), "layer 2 of 2: entry 'c': " + over);
  EXPECT_EQ(refusal({two, TarBuilder().hard_link("c", "a").end()}), "layer 2 of 2: entry 'c': " + over);
  EXPECT_EQ(refusal({TarBuilder().pax({{"GNU.sparse.size", "1001"}, {"GNU.sparse.map", "0,1"}}).file("a").end()}),
            "layer 1 of 1: entry 'a': file of 1001 bytes, limit 1000");
  EXPECT_EQ(message_of(unpack({layer(full + "a", {{"org.opencontainers.image.title", "a"}})}, root, limits,
                              Secret("key"), deadline)),
            "layer 1 of 1: file 'a': file of 1001 bytes, limit 1000");
}

TEST_F(UnpackBudget, EndsWhatExpandsTooFar) {
  limits.ratio_free_bytes = 1 << 20;
  const std::string zeros(8 << 20, '\0'), ratio = "expands to more than 200 times its size";
  const auto file = TarBuilder().file("a", zeros).bytes();
  TarBuilder many;
  for (int i = 0; i < 80; ++i) many.file("f" + std::to_string(i), zeros.substr(0, 100 << 10));
  const auto after_end = ended(TarBuilder().file("a").bytes()) + zeros;
  const auto skipped = TarBuilder().file(".git/a", zeros).end().bytes();
  for (const auto& archive : {ended(file), after_end, skipped, many.end().bytes()})
    for (const auto& packed : {gzipped(archive), zstd_packed(archive)}) EXPECT_TRUE(refusal({packed}).ends_with(ratio));
  taken({ended(file)});
}

// Row 32, where the bytes of no single file, or of no file at all, are over a limit.
TEST_F(UnpackBudget, CountsBombsInSeveralLayersAndInMetadata) {
  limits.bytes_max = 15 << 20;
  const auto zeros = [](const std::string& name) {
    return zstd_packed(TarBuilder().file(name, std::string(8 << 20, '\0')).end());
  };
  EXPECT_EQ(refusal({zeros("a"), zeros("b")}),
            "layer 2 of 2: entry 'b': artifact exceeds maximum allowed extraction size: 15728640 bytes");
  EXPECT_EQ(refusal({gzipped(TarBuilder().metadata('x', std::string(8 << 20, '\0')).file("a").end())}),
            "layer 1 of 1: metadata header of 8388608 bytes, limit 1048576");
}

TEST_F(UnpackBudget, CountsLayersAndTheirBytes) {
  const std::string one = TarBuilder().file("a").end();
  EXPECT_EQ(refusal(std::vector(129, one)), "129 layers, limit 128");
  limits.compressed_bytes_max = 2 * one.size() - 1;
  EXPECT_EQ(refusal({one, one}), "layers of 4096 bytes together, limit 4095");
  taken({one});
}

TEST_F(UnpackBudget, EndsWithItsTime) {
  deadline = Deadline::in(std::chrono::milliseconds(0));
  const auto late = unpack_archives({TarBuilder().file("a").end()});
  ASSERT_FALSE(late) << "was taken";
  EXPECT_EQ(late.error().kind, Kind::unavailable);
  EXPECT_EQ(late.error().message, "layer 1 of 1: the time for pulling the artifact is over");
  EXPECT_FALSE(std::filesystem::exists(root));
}

// A member of empty blocks that never ends: read to its last byte it would be cut short.
TEST_F(UnpackBudget, EndsWithItsTimeWhileNothingComesOut) {
  std::string blocks, packed = gzipped("").substr(0, 10);
  for (int i = 0; i < 100'000; ++i) blocks.append("\0\0\0\xff\xff", 5);
  for (int i = 0; i < 64; ++i) packed += blocks;
  const auto endless = layer(packed);
  deadline = Deadline::in(std::chrono::milliseconds(5));
  const auto stream = LayerStream::open(endless, limits, deadline);
  ASSERT_TRUE(stream) << stream.error().message;
  const auto late = (*stream)->next();
  ASSERT_FALSE(late) << "was taken";
  EXPECT_EQ(late.error().message, "the time for pulling the artifact is over");
}

}  // namespace
}  // namespace windlass
