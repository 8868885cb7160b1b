#include "deploy/sync_journal.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <tuple>

#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

class SyncJournalTest : public ::testing::Test {
 protected:
  SyncJournalTest() : folder(fs::temp_directory_path() / ("windlass-" + new_uuid_v7())) {
    fs::create_directories(folder);
  }
  ~SyncJournalTest() override { fs::remove_all(folder); }

  std::string text() const {
    for (const auto& file : fs::directory_iterator(folder)) return read_file(file.path(), 256 << 20).value_or("");
    return "(no journal)";
  }

  fs::path folder;
  SyncJournal journal{folder, Log({.file_descriptor = -1})};
  const Digest digest = Digest::of_sha256_hex(std::string(64, '1'));
};

// What an update of windlass finds after a crash was written by the release before it.
TEST_F(SyncJournalTest, IsWrittenAsItAlwaysWas) {
  const UnpackedTree tree{
      .root = "/data/staging/1",
      .entries = {{.path = "conf", .type = EntryType::folder, .mode = 0755},
                  {.path = "conf/a", .type = EntryType::file, .mode = 0644, .size_bytes = 12, .content = "0f"},
                  {.path = "\xff", .type = EntryType::link, .content = "conf"}},
      .plain_root = "/run/\"plain\""};
  ASSERT_TRUE(journal.write("ghcr.io/my/app", digest, {.force = true, .in_place = {"conf/a"}}, tree));
  EXPECT_EQ(text(), R"({"live_path":"ghcr.io/my/app","digest":"sha256:)" + std::string(64, '1') +
                        R"(","force":true,"in_place_hex":["636f6e662f61"],"staging":"/data/staging/1",)"
                        R"("plain":"/run/\"plain\"","entries":[)"
                        R"({"path_hex":"636f6e66","type":1,"mode":493,"size_bytes":0,"content_hex":""},)"
                        R"({"path_hex":"636f6e662f61","type":0,"mode":420,"size_bytes":12,"content_hex":"3066"},)"
                        R"({"path_hex":"ff","type":2,"mode":0,"size_bytes":0,"content_hex":"636f6e66"}]})");
}

TEST_F(SyncJournalTest, IsReadAsItWasWrittenWhateverItsSize) {  // of no entry, of one piece, of several
  for (const int count : {0, 1, 100, 2'000}) {
    SCOPED_TRACE(count);
    UnpackedTree tree{.root = "/data/staging/1"};
    for (int i = 0; i < count; ++i)
      tree.entries.push_back({.path = fmt::format("folder/{:05}", i),
                              .mode = 0600u + static_cast<unsigned>(i % 8),
                              .size_bytes = static_cast<std::uint64_t>(i) << 20,
                              .content = fmt::format("{:064x}", i)});
    ASSERT_TRUE(journal.write("app", digest, {}, tree));
    const auto found = journal.find("app");
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->live_path, "app");
    EXPECT_EQ((*found)->digest, digest);
    EXPECT_FALSE((*found)->options.force);
    EXPECT_EQ((*found)->tree.root, tree.root);
    ASSERT_EQ((*found)->tree.entries.size(), tree.entries.size());
    for (std::size_t i = 0; i < tree.entries.size(); ++i) {
      const auto &read = (*found)->tree.entries[i], &written = tree.entries[i];
      ASSERT_EQ(std::tie(read.path, read.type, read.mode, read.size_bytes, read.content),
                std::tie(written.path, written.type, written.mode, written.size_bytes, written.content));
    }
  }
}

}  // namespace
}  // namespace windlass
