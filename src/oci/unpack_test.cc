#include "oci/unpack.h"

#include "oci/unpack_fixture.h"

namespace windlass {
namespace {

using Unpack = UnpackFixture;

TEST_F(Unpack, TakesFilesFoldersAndLinks) {
  const auto tree = taken({TarBuilder()
                               .folder("./", "0000000")
                               .file("./compose.yaml", "services: {}\n")
                               .folder("conf")
                               .file("conf/run.sh", "#!", "0000755")
                               .link("conf/current", "../compose.yaml")
                               .hard_link("copy", "conf/run.sh")
                               .file("implied/deep/x")
                               .end()});
  EXPECT_EQ(listing(tree),
            "compose.yaml conf/ conf/current>../compose.yaml conf/run.sh copy implied/ implied/deep/ implied/deep/x");
  EXPECT_EQ(content_of("compose.yaml"), "services: {}\n");
  EXPECT_EQ(content_of("copy"), "#!");
  EXPECT_EQ(std::filesystem::read_symlink(root / "conf/current"), "../compose.yaml");
  ASSERT_NE(tree.find("copy"), nullptr);
  EXPECT_EQ(tree.find("copy")->mode, 0755u);
  EXPECT_EQ(tree.find("copy")->size_bytes, 2u);
  EXPECT_EQ(tree.find("copy")->content, content_hash_hex(Secret("key"), "#!"));
  EXPECT_EQ(tree.find("absent"), nullptr);
  EXPECT_EQ(mode_of(root), 0700u);
  struct stat status {};
  ASSERT_EQ(::stat((root / "compose.yaml").c_str(), &status), 0);
  EXPECT_EQ(status.st_mtime, 014524770400);
  EXPECT_EQ(status.st_nlink, 1u);
}

TEST_F(Unpack, ForcesTheModesIntoShape) {
  const struct {
    char type;
    std::string mode;
    unsigned kept;
  } modes[] = {{'0', "0000644", 0644}, {'0', "0006755", 0755}, {'0', "0000000", 0600}, {'0', "0000444", 0644},
               {'5', "0000755", 0755}, {'5', "0007777", 0777}, {'5', "0000000", 0700}, {'5', "0000500", 0700}};
  for (const auto& [type, mode, kept] : modes) {
    SCOPED_TRACE(std::string(1, type) + mode);
    const auto tree = taken({TarBuilder().entry({.name = "a", .type = type, .mode = mode}).end()});
    EXPECT_EQ(mode_of(root / "a"), kept);
    ASSERT_NE(tree.find("a"), nullptr);
    EXPECT_EQ(tree.find("a")->mode, kept);
  }
  taken({TarBuilder().folder("./", "0006777").file("a").end()});
  EXPECT_EQ(mode_of(root), 0700u) << "the root's mode is ours";
  taken({TarBuilder().folder("d", "0000000").file("d/x", "in a folder of mode 000").end()});
  EXPECT_EQ(content_of("d/x"), "in a folder of mode 000");
}

TEST_F(Unpack, ClampsTimesAndIgnoresOwners) {
  const auto seconds_of = [this](const std::string& archive) {
    taken({archive});
    struct stat status {};
    EXPECT_EQ(::stat((root / "a").c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, ::getuid());
    return status.st_mtime;
  };
  const auto now = std::time(nullptr);
  EXPECT_EQ(seconds_of(TarBuilder().entry({.name = "a", .mtime = base_256_field(-93'000'000'000, 12)}).end()), 0);
  EXPECT_GE(seconds_of(TarBuilder().entry({.name = "a", .mtime = "77777777777"}).end()), now);
  EXPECT_GE(seconds_of(TarBuilder().pax({{"mtime", "100000000000000000000"}}).file("a").end()), now);
  EXPECT_EQ(seconds_of(TarBuilder().pax({{"mtime", "-93000000000.5"}}).file("a").end()), 0);
  EXPECT_EQ(seconds_of(TarBuilder().pax({{"mtime", "1700000000.25"}}).file("a").end()), 1'700'000'000);
  seconds_of(TarBuilder().entry({.name = "a", .owner = base_256_field(-2, 8)}).end());
  seconds_of(TarBuilder().pax({{"uid", "18446744073709551615"}, {"SCHILY.xattr.user.a", "b"}}).file("a").end());
}

TEST_F(Unpack, ReadsEveryDialectOfNames) {
  const std::string name(100, 'n'), prefix(155, 'p'), longer = std::string(200, 'l') + "/" + std::string(200, 'm');
  EXPECT_EQ(listing(taken({TarBuilder().entry({.name = name, .prefix = prefix}).end()})),
            prefix + "/ " + prefix + "/" + name);
  EXPECT_NE(taken({TarBuilder().long_name(longer).file("short").end()}).find(longer), nullptr);
  EXPECT_NE(taken({TarBuilder().pax({{"path", longer}}).file("short").end()}).find(longer), nullptr);
  EXPECT_EQ(taken({TarBuilder().long_link(longer).link("l", "short").end()}).find("l")->content, longer);
  EXPECT_EQ(taken({TarBuilder().pax({{"linkpath", longer}}).link("l", "short").end()}).find("l")->content, longer);
  // Seventh edition: no magic, NUL for files, a slash for folders. GNU's magic has no prefix.
  const TarFields folder{.name = "d/", .type = '\0', .magic = ""}, file{.name = "d/f", .type = '\0', .magic = ""};
  EXPECT_EQ(listing(taken({TarBuilder().entry(folder).entry(file).end()})), "d/ d/f");
  EXPECT_EQ(listing(taken({TarBuilder().entry({.name = "f", .prefix = "x", .magic = "ustar  "}).end()})), "f");
  EXPECT_EQ(listing(taken({TarBuilder().metadata('g', pax_record("comment", "c0ffee")).file("f").end()})), "f");
}

TEST_F(Unpack, GivesChangedFilesAnotherTimeWhateverTheArchiveSays) {
  const auto time_of = [&](const std::string& text) {
    taken({TarBuilder().file("a", text).end()});
    struct stat status {};
    EXPECT_EQ(::stat((root / "a").c_str(), &status), 0);
    return std::pair(status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  };
  const auto one = time_of("one"), two = time_of("two");
  EXPECT_EQ(one.first, two.first);
  EXPECT_NE(one.second, two.second);
  EXPECT_EQ(time_of("one"), one);
}

// The kernel takes no longer path in one call: what the rules allow must work on disk.
TEST_F(Unpack, TakesTheLongestPath) {
  std::string longest;
  for (int i = 0; i < 15; ++i) longest += std::string(255, 'a') + "/";
  longest += std::string(255, 'a');
  const auto tree = taken({TarBuilder().long_name(longest).file("short", "deep").end()});
  ASSERT_EQ(tree.entries.size(), 16u);
  EXPECT_EQ(tree.entries.back().path, longest);
  EXPECT_EQ(tree.entries.back().size_bytes, 4u);
}

TEST_F(Unpack, TakesUnusualNames) {
  for (const std::string name :
       {"-rf", "a b", "it's", "\"q\"", "$HOME", "..a", "...", "..data", "\xd0\xb6", "a.wh.b"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(listing(taken({TarBuilder().file(name).end()})), name);
  }
  EXPECT_EQ(listing(taken({TarBuilder().file("a").file("A").file("\xc3\xa9").file("e\xcc\x81").end()})),
            "A a e\xcc\x81 \xc3\xa9");
}

TEST_F(Unpack, CountsTheLastOfSeveral) {
  taken({TarBuilder().file("a", "first, longer", "0000444").file("a", "last", "0000600").end()});
  EXPECT_EQ(content_of("a"), "last");
  EXPECT_EQ(mode_of(root / "a"), 0600u);
  taken({TarBuilder().file("a", "first").hard_link("b", "a").file("b", "second").end()});
  EXPECT_EQ(content_of("a"), "first");
  EXPECT_EQ(content_of("b"), "second");
}

TEST_F(Unpack, TakesASizeThatOnlyPaxTells) {
  const auto inner = TarBuilder().file("hidden", "x").bytes();
  const TarFields file{.name = "a", .content = inner, .size = "00000000000"};
  const auto tree = taken({TarBuilder().pax({{"size", std::to_string(inner.size())}}).entry(file).end()});
  EXPECT_EQ(listing(tree), "a");
  EXPECT_EQ(content_of("a"), inner);
}

TEST_F(Unpack, FillsTheHolesOfSparseFiles) {
  const std::string whole = std::string(1000, '\0') + "abc" + std::string(997, '\0');
  const auto map = std::string("1\n1000\n3\n");
  const std::string map_block = map + std::string(512 - map.size(), '\0');
  const std::string archives[] = {
      TarBuilder()
          .pax({{"GNU.sparse.size", "2000"}, {"GNU.sparse.numblocks", "1"}, {"GNU.sparse.map", "1000,3"}})
          .file("a", "abc"),
      TarBuilder()
          .pax({{"GNU.sparse.size", "2000"}, {"GNU.sparse.offset", "1000"}, {"GNU.sparse.numbytes", "3"}})
          .file("a", "abc"),
      TarBuilder()
          .pax({{"GNU.sparse.major", "1"},
                {"GNU.sparse.minor", "0"},
                {"GNU.sparse.name", "a"},
                {"GNU.sparse.realsize", "2000"}})
          .file("GNUSparseFile.1/a", map_block + "abc"),
  };
  for (const auto& archive : archives) {
    const auto tree = taken({ended(archive)});
    EXPECT_EQ(content_of("a"), whole);
    ASSERT_NE(tree.find("a"), nullptr);
    EXPECT_EQ(tree.find("a")->content, content_hash_hex(Secret("key"), whole));
    EXPECT_EQ(tree.find("a")->size_bytes, 2000u);
  }
}

TEST_F(Unpack, LeavesGitOut) {
  const auto tree =
      taken({TarBuilder().folder(".git").file(".git/config").file("a/.git", "gitdir: b").file(".gitignore").end()});
  EXPECT_EQ(listing(tree), ".gitignore");
  EXPECT_EQ(tree.notes, (std::vector<std::string>{".git is left out", "a/.git is left out"}));
}

TEST_F(Unpack, LeavesGitOutThatWhiteoutsName) {
  for (const std::string whiteout : {".git/refs/.wh.x", ".git/.wh..wh..opq", ".git/.wh.x", ".wh..git"}) {
    SCOPED_TRACE(whiteout);
    EXPECT_EQ(listing(taken({TarBuilder().file("a").file(whiteout, "").end()})), "a");
  }
}

TEST_F(Unpack, CountsWhatItLeavesOutAfterTwentyNotes) {
  TarBuilder archive;
  archive.file("a");
  for (int i = 0; i < 25; ++i) archive.file("f" + std::to_string(i) + "/.git");
  const auto tree = taken({archive.end()});
  ASSERT_EQ(tree.notes.size(), 21u);
  EXPECT_EQ(tree.notes[19], "f19/.git is left out");
  EXPECT_EQ(tree.notes[20], "5 more are left out");
}

TEST_F(Unpack, DecompressesByTheFirstBytes) {
  const std::string archive = TarBuilder().file("a", std::string(300'000, 'a')).end();
  for (const auto& packed : {archive, gzipped(archive), zstd_packed(archive)}) {
    EXPECT_EQ(listing(taken({packed})), "a");
    EXPECT_EQ(content_of("a").size(), 300'000u);
  }
  const auto half = archive.size() / 2;
  taken({gzipped("") + gzipped(archive.substr(0, half)) + gzipped("") + gzipped(archive.substr(half)) + gzipped("")});
  EXPECT_EQ(content_of("a").size(), 300'000u);
  taken({zstd_packed(archive.substr(0, half)) + zstd_packed(archive.substr(half))});
  EXPECT_EQ(content_of("a").size(), 300'000u);
  EXPECT_EQ(listing(taken({gzipped(archive, Z_NO_COMPRESSION)})), "a") << "stored blocks";
  EXPECT_EQ(content_of("a").size(), 300'000u);
  EXPECT_EQ(listing(taken({TarBuilder().file("a").bytes()})), "a") << "missing end blocks";
}

TEST_F(Unpack, TakesManyFiles) {
  TarBuilder many;
  for (int i = 0; i < 5000; ++i) many.file("f" + std::to_string(i), "");
  EXPECT_EQ(taken({zstd_packed(many.end())}).entries.size(), 5000u);
}

TEST_F(Unpack, TakesManyZeros) {
  const std::string zeros = TarBuilder().file("zeros", std::string(48 << 20, '\0')).end();
  EXPECT_EQ(taken({zstd_packed(zeros)}).find("zeros")->size_bytes, 48u << 20);
}

TEST_F(Unpack, TakesManyLayers) {
  std::vector<std::string> layers;
  for (int i = 0; i < 100; ++i) layers.push_back(TarBuilder().file("last", std::to_string(i)).end());
  EXPECT_EQ(listing(taken(layers)), "last");
  EXPECT_EQ(content_of("last"), "99");
}

TEST_F(Unpack, WritesWhatIsNoTarAsAFileWithItsTitle) {
  const Annotations title{{"org.opencontainers.image.title", "./conf/app.yaml"}};
  auto tree = unpack({layer("a: 1\n", title)}, root, limits, Secret("key"), deadline);
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_EQ(listing(*tree), "conf/ conf/app.yaml");
  EXPECT_EQ(content_of("conf/app.yaml"), "a: 1\n");
  EXPECT_EQ(mode_of(root / "conf/app.yaml"), 0644u);
  for (const auto& packed : {gzipped("a: 1\n"), zstd_packed("a: 1\n")}) {  // a packed file is that file
    std::filesystem::remove_all(root);
    tree = unpack({layer(packed, title)}, root, limits, Secret("key"), deadline);
    ASSERT_TRUE(tree) << tree.error().message;
    EXPECT_EQ(listing(*tree), "conf/ conf/app.yaml");
    EXPECT_EQ(content_of("conf/app.yaml"), packed);
  }
  std::filesystem::remove_all(root);
  EXPECT_EQ(message_of(unpack({layer("a: 1\n", {{"org.opencontainers.image.title", "../canary"}})}, root, limits,
                              Secret("key"), deadline)),
            "layer 1 of 1: file '../canary': path traversal detected: '..' in the name");
}

TEST_F(Unpack, ChecksTheDigestOfAPackedFolder) {
  const std::string archive = TarBuilder().file("conf/a").end();
  const auto annotated = [&](const std::string& digest) {
    return layer(gzipped(archive), {{"io.deis.oras.content.unpack", "true"}, {"io.deis.oras.content.digest", digest}});
  };
  auto tree = unpack({annotated("sha256:" + sha256_hex(archive))}, root, limits, Secret("key"), deadline);
  ASSERT_TRUE(tree) << tree.error().message;
  std::filesystem::remove_all(root);
  tree = unpack({annotated("sha512:" + sha512_hex(archive))}, root, limits, Secret("key"), deadline);
  ASSERT_TRUE(tree) << tree.error().message;
  std::filesystem::remove_all(root);
  tree = unpack({annotated("")}, root, limits, Secret("key"), deadline);  // ORAS: nothing to check
  ASSERT_TRUE(tree) << tree.error().message;
  const std::string other(64, '0'), annotation = "annotation io.deis.oras.content.digest";
  const std::pair<std::string, std::string> refused[] = {
      {"sha256:" + other,
       "content has digest sha256:" + sha256_hex(archive) + ", " + annotation + " says sha256:" + other},
      {"sha512:" + other + other,
       "content has digest sha512:" + sha512_hex(archive) + ", " + annotation + " says sha512:" + other + other},
      {"md5:" + other, annotation + ": unsupported algorithm \"md5\", expected sha256 or sha512"},
      {"sha256:0", annotation + ": sha256 needs 64 hex characters, got 1"},
      {sha256_hex(archive), annotation + ": expected <algorithm>:<hex>"},
  };
  for (const auto& [digest, message] : refused) {
    SCOPED_TRACE(digest);
    std::filesystem::remove_all(root);
    EXPECT_EQ(message_of(unpack({annotated(digest)}, root, limits, Secret("key"), deadline)),
              "layer 1 of 1: " + message);
  }
}

}  // namespace
}  // namespace windlass
