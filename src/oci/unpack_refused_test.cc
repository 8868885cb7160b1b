// Hostile archives, row by row (reliability/T9 and 5).
#include "oci/unpack_fixture.h"

namespace windlass {
namespace {

using namespace std::string_literals;

struct Row {
  std::string entries;  // the hostile ones, without an end marker
  std::string rule;     // the message after "layer 1 of 1: "
};

class UnpackRefuses : public UnpackFixture {
 protected:
  // As the only layer, as a second one, and with the hostile entry before and after the config file.
  void expect_refused(const std::vector<Row>& rows) {
    const auto config = TarBuilder().file(".doco-cd.yaml", "name: a\n").bytes();
    for (const auto& [entries, rule] : rows) {
      SCOPED_TRACE(rule);
      EXPECT_EQ(refusal({ended(entries)}), "layer 1 of 1: " + rule);
      EXPECT_EQ(refusal({ended(entries + config)}), "layer 1 of 1: " + rule);
      EXPECT_EQ(refusal({ended(config + entries)}), "layer 1 of 1: " + rule);
      EXPECT_EQ(refusal({ended(config), gzipped(ended(entries))}), "layer 2 of 2: " + rule);
    }
  }
  // What cannot have anything after it.
  void expect_layer_refused(const std::vector<Row>& layers) {
    const auto config = TarBuilder().file(".doco-cd.yaml", "name: a\n").bytes();
    for (const auto& [layer, rule] : layers) {
      SCOPED_TRACE(rule);
      EXPECT_EQ(refusal({layer}), "layer 1 of 1: " + rule);
      EXPECT_EQ(refusal({ended(config), layer}), "layer 2 of 2: " + rule);
    }
  }
};

// Rows 1 to 5.
TEST_F(UnpackRefuses, Names) {
  const std::string canary = (folder / "canary").string();
  const auto traversal = [](const std::string& name, const std::string& why) {
    return "entry '" + name + "': path traversal detected: " + why;
  };
  const std::string climb = "'..' in the name", absolute = "name is absolute";
  expect_refused({
      {TarBuilder().file(canary), traversal(canary, absolute)},
      {TarBuilder().file("//x"), traversal("//x", absolute)},
      {TarBuilder().entry({.name = "canary", .prefix = "/tmp"}), traversal("/tmp/canary", absolute)},
      {TarBuilder().pax({{"path", canary}}).file("a"), traversal(canary, absolute)},
      {TarBuilder().long_name(canary).file("a"), traversal(canary, absolute)},
      {TarBuilder().file("../canary"), traversal("../canary", climb)},
      {TarBuilder().file("a/../../../canary"), traversal("a/../../../canary", climb)},
      {TarBuilder().folder(".."), traversal("..", climb)},
      {TarBuilder().folder("a/../"), traversal("a/../", climb)},
      {TarBuilder().entry({.name = "canary", .prefix = ".."}), traversal("../canary", climb)},
      {TarBuilder().pax({{"path", "../canary"}}).file("a"), traversal("../canary", climb)},
      {TarBuilder().long_name("../canary").file("a"), traversal("../canary", climb)},
      {TarBuilder().file("..\\canary"), "entry '..\\canary': backslash in the name"},
      {TarBuilder().pax({{"path", "a\0b"s}}).file("a"), "entry 'a\\x00b': control byte in the name"},
      {TarBuilder().long_name("a\0b"s).file("a"), "NUL in a GNU long name"},
      {TarBuilder().file(""), "entry '': name is empty"},
      {TarBuilder().file("."), "entry '.': names the artifact's root"},
      {TarBuilder().file("a/."), "entry 'a/.': a file named '.'"},
      {TarBuilder().link(".", "a"), "entry '.': names the artifact's root"},
      {TarBuilder().file("a\nb"), "entry 'a\\x0ab': control byte in the name"},
      {TarBuilder().file("a\x7f"), "entry 'a\\x7f': control byte in the name"},
      {TarBuilder().long_name(std::string(256, 'a')).file("a"),
       "entry '" + std::string(256, 'a') + "': part of 256 bytes in the name, limit 255"},
  });
}

// Rows 21 to 23.
TEST_F(UnpackRefuses, TypesOfEntries) {
  const auto typed = [](char type, std::string size = {}) {
    return TarBuilder().entry({.name = ".env", .type = type, .link = "b", .size = std::move(size)}).bytes();
  };
  const auto hidden = TarBuilder().file("hidden").bytes();
  const std::string sized = "entry '.env': only files may have a size";
  expect_refused({
      {typed('3'), "entry '.env': devices are not allowed"},
      {typed('4'), "entry '.env': devices are not allowed"},
      {typed('3') + TarBuilder().file(".env").bytes(), "entry '.env': devices are not allowed"},
      {typed('6'), "entry '.env': pipes are not allowed"},
      {typed('5', "00000002000") + hidden, sized},
      {typed('2', "00000002000") + hidden, sized},
      {typed('1', "00000002000") + hidden, sized},
      {typed('Z'), "entry '.env': unknown type 'Z'"},
      {typed('M'), "entry '.env': unknown type 'M'"},
      {typed('V'), "entry '.env': unknown type 'V'"},
  });
}

// Rows 24 and 25.
TEST_F(UnpackRefuses, Sizes) {
  const auto sized = [](std::string size) {
    return TarBuilder().entry({.name = "a", .size = std::move(size)}).bytes();
  };
  const auto pax = [](std::string size) { return TarBuilder().pax({{"size", std::move(size)}}).file("a").bytes(); };
  const std::string huge = "entry 'a': file of 2305843009213693952 bytes, limit 536870912";
  expect_refused({
      {sized(base_256_field(-1, 12)), "bad size"},
      {sized(base_256_field(-512, 12)), "bad size"},
      {sized(base_256_field(std::int64_t{1} << 61, 12)), huge},
      {sized(base_256_field(std::int64_t{1} << 62, 12)), "bad size"},
      {sized("77777777777"), "entry 'a': file of 8589934591 bytes, limit 536870912"},
      {sized("\x80" + std::string(3, '\0') + std::string(8, '\xff')), "bad size"},
      {sized("\xbf" + std::string(11, '\xff')), "bad size"},
      {sized("-0000000001"), "bad size"},
      {sized("0000000000z"), "bad size"},
      {sized("1 000000000"), "bad size"},
      {pax("-1"), "bad PAX size"},
      {pax("many"), "bad PAX size"},
      {pax(""), "bad PAX size"},
      {pax("9223372036854775807"), "bad PAX size"},
      {pax(std::string(26, '9')), "bad PAX size"},
  });
}

// Row 26.
TEST_F(UnpackRefuses, SparseFiles) {
  const auto sparse = [](const std::string& size, const std::string& map, const std::string& name) {
    return TarBuilder()
        .pax({{"GNU.sparse.name", name}, {"GNU.sparse.size", size}, {"GNU.sparse.map", map}})
        .file("a", "abcdef")
        .bytes();
  };
  expect_refused({
      {sparse("1099511627776", "0,6", "a"), "entry 'a': file of 1099511627776 bytes, limit 536870912"},
      {sparse("10", "0,3,2,3", "a"), "sparse file: pieces overlap or are out of order"},
      {sparse("10", "8,6", "a"), "sparse file: a piece lies beyond the end"},
      {sparse("10", "0,3", "a"), "sparse file: its pieces are not what is stored"},
      {sparse("10", "0,3,4", "a"), "sparse file: odd map"},
      {sparse("6", "0,6", "../canary"), "entry '../canary': path traversal detected: '..' in the name"},
  });
}

// Rows 27 and 28.
TEST_F(UnpackRefuses, Metadata) {
  const auto pax = [](std::string content) { return TarBuilder().metadata('x', std::move(content)).file("a").bytes(); };
  const std::string big(1'048'577, 'a');
  std::string names;
  for (int i = 0; i < 1000; ++i) names += TarBuilder().long_name("a").bytes();
  expect_refused({
      {pax("99 path=b\n"), "PAX record with a wrong length"},
      {pax("3 path=b\n"), "PAX record with a wrong length"},
      {pax("8 path=b\n"), "PAX record without a line end"},
      {pax("7 path\n"), "PAX record without key and '='"},
      {pax("5 =b\n"), "PAX record without key and '='"},
      {pax(std::string(23, '1') + " path=b\n"), "PAX record without a length"},
      {TarBuilder().pax({{"path", "b"}}).pax({{"path", "c"}}).file("a"), "two PAX headers in a row"},
      {TarBuilder().metadata('g', pax_record("path", "b")).file("a"), "global PAX header with path"},
      {TarBuilder().metadata('x', pax_record("comment", big)).file("a"),
       "metadata header of 1048594 bytes, limit 1048576"},
      {TarBuilder().long_name(big).file("a"), "metadata header of 1048578 bytes, limit 1048576"},
      {names, "two GNU long names in a row"},
  });
}

// Rows 29 and 31.
TEST_F(UnpackRefuses, WhatIsCutOrNoArchive) {
  const auto file = TarBuilder().file("a", std::string(2000, 'a')).bytes();
  auto wrong_sum = file + file;
  wrong_sum[file.size() + 5] = '!';
  const std::string no_tar =
      "media type 'application/vnd.oci.image.layer.v1.tar' without a title: "
      "neither a tar archive nor a named file";
  expect_layer_refused({
      {wrong_sum, "wrong header check sum"},
      {file + file.substr(0, 300), "cut in a header"},
      {file.substr(0, 1000), "entry 'a': cut in the data"},
      {file.substr(0, 2513), "cut in the data"},
      {file + TarBuilder().long_name("b").bytes(), "metadata without an entry after it"},
      {TarBuilder().metadata('x', "30 path=b").bytes().substr(0, 520), "cut in a metadata header"},
      {"", no_tar},
      {"<html>not here</html>", no_tar},
      {"PK\x03\x04" + std::string(2000, 'z'), no_tar},
      {"BZh9" + std::string(2000, 'z'), no_tar},
      {"\xfd"
       "7zXZ" +
           std::string(2000, 'z'),
       no_tar},
      {gzipped(gzipped(ended(file))), no_tar},
      {ended(file) + "x", "bytes after the end of the archive"},
      {ended(file) + file, "bytes after the end of the archive"},
      {file + std::string(512, '\0') + file, "bytes after the end of the archive"},
  });
  EXPECT_EQ(refusal({std::string(1024, '\0')}), "the artifact has no entry at all");
  EXPECT_EQ(refusal({}), "the artifact has no entry at all");
}

// Row 30.
TEST_F(UnpackRefuses, BrokenGzipAndZstd) {
  const auto good = gzipped(TarBuilder().file("a", "content").end()), zstd = zstd_packed(TarBuilder().file("a").end());
  const auto edited = [&good](std::size_t at) {
    auto bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    return bytes;
  };
  auto reserved = good;
  reserved[3] = '\xe0';
  expect_layer_refused({
      {good.substr(0, good.size() / 2), "gzip: cut short"},
      {good.substr(0, good.size() - 1), "gzip: cut short"},
      {edited(good.size() - 8), "gzip: wrong check sum or length"},
      {edited(good.size() - 4), "gzip: wrong check sum or length"},
      {reserved, "gzip: reserved flags are set"},
      {good + "after it, more", "gzip: bytes after the end of the stream"},
      {zstd.substr(0, zstd.size() - 1), "zstd: cut short"},
      {zstd + "after it", "zstd: Unknown frame descriptor"},
  });
  // Among zeros a copy from elsewhere can be the same copy: then, and only then, a flipped bit changes nothing.
  for (std::size_t at = 10; at < good.size(); ++at) {
    const auto tree = unpack_archives({edited(at)});
    if (!tree) continue;
    EXPECT_EQ(listing(*tree), "a") << "flipped byte " << at;
    EXPECT_EQ(content_of("a"), "content") << "flipped byte " << at;
    std::filesystem::remove_all(root);
  }
}

// Row 37.
TEST_F(UnpackRefuses, FilesUsedAsFolders) {
  expect_refused({
      {TarBuilder().file("a").file("a/b"), "entry 'a/b': 'a' is a file, not a folder"},
      {TarBuilder().file("a").folder("a"), "entry 'a': replaces an entry of another kind in the same layer"},
      {TarBuilder().file("a/b").file("a"), "entry 'a': replaces an entry of another kind in the same layer"},
  });
}

}  // namespace
}  // namespace windlass
