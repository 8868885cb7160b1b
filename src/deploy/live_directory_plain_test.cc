// Files of a release that the live directory has in plain text (secrets/Q17, Q18).
#include "deploy/live_directory_fixture.h"
#include "deploy/plain_content.h"
#include "deploy/sync_journal.h"

namespace windlass {
namespace {

class PlainFiles : public LiveDirectoryTest {
 protected:
  // The release, with these of its files decrypted.
  UnpackedTree stage_with(const Files& files, const Files& plain) {
    auto tree = stage(files);
    tree.plain_root = data / "plain" / std::to_string(staged);
    std::filesystem::create_directories(tree.plain_root);
    for (auto& entry : tree.entries) {
      const auto found = plain.find(entry.path);
      if (found == plain.end()) continue;
      write(tree.plain_root / entry.path, found->second);
      entry.content = mark_plain_content(content_hash_hex(Secret("key"), found->second));
      entry.size_bytes = found->second.size();
    }
    return tree;
  }
  std::string state() {
    std::string text;
    for (const auto& entry : std::filesystem::directory_iterator(data / ".windlass"))
      if (entry.is_regular_file()) text += read_file(entry.path(), 64 << 20).value_or("");
    return text;
  }
  const Files sealed = {{"conf/token", "cipher 1"}, {"db.env", "cipher 2"}};
};

TEST_F(PlainFiles, AreWrittenInPlaceOfTheCipherText) {
  ASSERT_TRUE(sync(stage_with(sealed, {{"conf/token", "planted"}}), 1));
  EXPECT_EQ(on_disk(), (Files{{"conf/", ""}, {"conf/token", "planted"}, {"db.env", "cipher 2"}}));
  EXPECT_EQ(mode_of(live / "conf/token"), 0644u);
  EXPECT_EQ(directories->decrypted_files(kPath).value_or(std::set<std::string>()), std::set<std::string>{"conf/token"});
  close();
  EXPECT_EQ(state().find("planted"), std::string::npos);
  EXPECT_EQ(state().find(sha256_hex("planted")), std::string::npos) << "a short secret could be guessed from it";
}

TEST_F(PlainFiles, StayUntouchedWhenEncryptedAnew) {  // Q22
  ASSERT_TRUE(sync(stage_with(sealed, {{"conf/token", "planted"}}), 1));
  const auto before = identity(live / "conf/token");
  const auto again =
      sync(stage_with({{"conf/token", "cipher 3"}, {"db.env", "cipher 4"}}, {{"conf/token", "planted"}}), 2);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->changed, std::vector<std::string>{"db.env"});
  EXPECT_EQ(identity(live / "conf/token"), before);
  // An installation that lost its record finds the plain text there and leaves it (a take-over from doco-cd).
  close();
  std::filesystem::remove_all(data / ".windlass");
  std::filesystem::create_directories(data / ".windlass/oci/staging");
  reopen();
  ASSERT_TRUE(sync(stage_with(sealed, {{"conf/token", "planted"}}), 3));
  EXPECT_EQ(identity(live / "conf/token"), before);
}

TEST_F(PlainFiles, AreEncryptedAgainWhenNobodyMountsThem) {  // Q18
  ASSERT_TRUE(sync(stage_with(sealed, {{"conf/token", "planted"}}), 1));
  ASSERT_TRUE(sync(stage(sealed), 1)) << "the same release: another stack has gone";
  EXPECT_EQ(read(live / "conf/token"), "cipher 1");
  EXPECT_TRUE(directories->decrypted_files(kPath)->empty());
}

TEST_F(PlainFiles, ThatSomebodyEditedAreLeftAlone) {
  ASSERT_TRUE(sync(stage_with(sealed, {{"conf/token", "planted"}}), 1));
  write(live / "conf/token", "edited by hand");
  const auto synced = sync(stage_with(sealed, {{"conf/token", "planted"}}), 2);
  ASSERT_TRUE(synced);
  EXPECT_EQ(synced->drift, std::vector<std::string>{"conf/token"});
  EXPECT_EQ(read(live / "conf/token"), "edited by hand");
}

TEST_F(PlainFiles, OfASyncThatWasCutShortComeFromTheNextRun) {
  const auto tree = stage_with(sealed, {{"conf/token", "planted"}});
  const SyncJournal journal(journal_folder(), Log({.file_descriptor = -1}));
  ASSERT_TRUE(journal.write(kPath, digest(1), {}, tree));
  reopen();
  ASSERT_TRUE(directories->recover());
  EXPECT_EQ(journals(), 0);
  EXPECT_EQ(read(live / "conf/token"), "(no file)") << "what a process had decrypted goes with it";
  ASSERT_TRUE(sync(tree, 1));
  EXPECT_EQ(read(live / "conf/token"), "planted");
}

}  // namespace
}  // namespace windlass
