// Syncs that were cut short: by an error, or by the end of the process (oci 10, S8 and S12; reliability/P8, F7).
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "deploy/live_directory_fixture.h"
#include "deploy/sync_journal.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<std::string>;

class LiveDirectoryRecoveryTest : public LiveDirectoryTest {
 protected:
  const Files kOld = {{"a", "1"}, {"b", "1"}, {"c/", ""}, {"c/d", "1"}, {"gone", "1"}};
  const Files kNew = {{"a", "2"}, {"b", "2"}, {"c/", ""}, {"c/d", "2"}, {"new/", ""}, {"new/e", "2"}};

  static Files with_data(Files files) {
    files["data/"] = "";
    files["data/db"] = "rows";
    return files;
  }
  void SetUp() override {
    release(kOld, 1);
    write(live / "data/db", "rows");
  }
  // What a process leaves that began to write `tree` as release 2 and died after its first rename.
  void leave_half_written(const UnpackedTree& tree) {
    ASSERT_TRUE(SyncJournal(journal_folder(), Log({.file_descriptor = -1})).write(kPath, digest(2), {}, tree));
    fs::copy_file(tree.root / "a", data / "a.tmp");
    fs::permissions(data / "a.tmp", fs::perms(0644));
    fs::rename(data / "a.tmp", live / "a");
  }
  // What the state file says is there.
  std::string recorded_digest() const {
    const auto db = Db::open(data / ".windlass/state.db");
    if (!db) return db.error().message;
    const auto found = (*db)->query("SELECT digest FROM live_directories WHERE path = ?").bind(kPath).first_text();
    return found && *found ? **found : "(none)";
  }
};

TEST_F(LiveDirectoryRecoveryTest, CompletesASyncOfWhichTheFilesAreStillThere) {  // S8
  const auto tree = stage(kNew);
  leave_half_written(tree);
  reopen();
  ASSERT_TRUE(directories->recover());
  EXPECT_EQ(on_disk(), with_data(kNew));
  EXPECT_EQ(journals(), 0);
  const auto again = sync(tree, 2);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->changed, Paths());
  EXPECT_EQ(again->drift, Paths());
  ASSERT_TRUE(directories->recover());  // nothing to do is fine
}

TEST_F(LiveDirectoryRecoveryTest, ForgetsASyncOfWhichTheFilesAreGoneButKnowsWhatItWrote) {  // S8
  const auto tree = stage({{"a", "2"}, {"b", "1"}, {"only", "2"}});
  leave_half_written(tree);
  write(live / "only", "2");
  fs::permissions(live / "only", fs::perms(0644));
  fs::remove_all(tree.root);
  reopen();
  ASSERT_TRUE(directories->recover());
  EXPECT_EQ(journals(), 0);
  const auto back = release(kOld, 1);  // "a" is ours, not somebody's edit; "only" is not data of a container
  EXPECT_EQ(back.drift, Paths());
  EXPECT_EQ(back.changed, (Paths{"a", "only"}));
  EXPECT_EQ(on_disk(), with_data(kOld));
}

TEST_F(LiveDirectoryRecoveryTest, CompletesASyncWithNamesThatAreNoUtf8) {
  auto files = kNew;
  files["\xff\x80"] = "2";
  files["link"] = "->\xff\x80";
  leave_half_written(stage(files));
  reopen();
  ASSERT_TRUE(directories->recover());
  EXPECT_EQ(on_disk(), with_data(files));
  EXPECT_EQ(journals(), 0);
}

TEST_F(LiveDirectoryRecoveryTest, GoesOnFromAHalfWrittenDirectoryWithAnotherRelease) {  // S8: before the next run
  leave_half_written(stage(kNew));
  const auto back = release(kOld, 1);
  EXPECT_EQ(back.drift, Paths());
  EXPECT_EQ(back.changed, (Paths{"a"}));
  EXPECT_EQ(on_disk(), with_data(kOld));
  EXPECT_EQ(journals(), 0);
}

TEST_F(LiveDirectoryRecoveryTest, LeavesOutFilesThatAreNoJournals) {
  write(journal_folder() / "half.json", R"({"live_path":"ghcr.io/my/app","entr)");
  write(journal_folder() / "other.tmp", "{}");
  ASSERT_TRUE(directories->recover());
  EXPECT_EQ(on_disk(), with_data(kOld));
  EXPECT_TRUE(fs::exists(journal_folder() / "half.json.unreadable")) << "set aside";
}

TEST_F(LiveDirectoryRecoveryTest, CompletesOthersWhereAJournalIsTooLargeToBeRead) {
  leave_half_written(stage(kNew));
  write(journal_folder() / "0.json", "");
  fs::resize_file(journal_folder() / "0.json", 300ull << 20);  // sparse
  ASSERT_TRUE(directories->recover());
  EXPECT_EQ(on_disk(), with_data(kNew));
  EXPECT_TRUE(fs::exists(journal_folder() / "0.json.unreadable"));
  EXPECT_EQ(journals(), 1);
  ASSERT_TRUE(directories->recover());  // it is not looked at again
}

// A file that is written in place may be cut off anywhere: that is no edit by hand.
TEST_F(LiveDirectoryRecoveryTest, CompletesAFileThatWasBeingWrittenInPlace) {
  const auto inode = identity(live / "a").substr(0, identity(live / "a").find(' '));
  const auto tree = stage(kNew);
  const SyncOptions options{.in_place = {"a"}};
  ASSERT_TRUE(SyncJournal(journal_folder(), Log({.file_descriptor = -1})).write(kPath, digest(2), options, tree));
  write(live / "a", "");
  reopen();
  ASSERT_TRUE(directories->recover());
  EXPECT_EQ(on_disk(), with_data(kNew));
  EXPECT_EQ(identity(live / "a").substr(0, inode.size()), inode);
}

TEST_F(LiveDirectoryRecoveryTest, ChangesNothingWhenAFileCannotBePrepared) {  // S12
  const auto tree = stage(kNew);
  fs::remove(tree.root / "new/e");  // the last one
  const auto before = identity(live / "a");
  const auto result = sync(tree, 2);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "reading new/e: no such file or directory");
  EXPECT_EQ(on_disk(), with_data(kOld));
  EXPECT_EQ(identity(live / "a"), before);
  EXPECT_EQ(journals(), 0);
  EXPECT_EQ(release(kOld, 1).changed, Paths());  // still the old digest
}

TEST_F(LiveDirectoryRecoveryTest, ChangesNothingAfterTheDeadline) {  // S12
  const auto result = directories->sync(kPath, stage(kNew), digest(2), {}, Deadline::in(std::chrono::seconds(-1)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().error.message, "the time for writing the live directory is over");
  EXPECT_FALSE(result.error().touched);
  EXPECT_EQ(on_disk(), with_data(kOld));
  EXPECT_EQ(journals(), 0);
}

TEST_F(LiveDirectoryRecoveryTest, KeepsTheJournalWhenAnErrorComesAfterTheFirstChange) {  // S12
  auto tree = stage({{"a/x", "2"}, {"a/y", "2"}, {"b", "1"}});  // "a" becomes a folder: it must go first
  fs::rename(tree.root / "a/y", data / "y");
  ASSERT_FALSE(sync(tree, 2));
  EXPECT_TRUE(touched);
  EXPECT_EQ(journals(), 1);
  fs::rename(data / "y", tree.root / "a/y");
  reopen();
  ASSERT_TRUE(directories->recover());
  EXPECT_EQ(on_disk(), with_data({{"a/", ""}, {"a/x", "2"}, {"a/y", "2"}, {"b", "1"}}));
  EXPECT_EQ(journals(), 0);
}

// oci 9: doco-cd unpacks beside the live directory; what is in one is data of containers
TEST_F(LiveDirectoryRecoveryTest, RemovesWhatDocoCdLeftWhenItDied) {
  const auto sub = directories->path_for({"ghcr.io/my/app/sub", "1"}, "ghcr.io/my/app/sub");
  ASSERT_EQ(sub.value_or(""), "ghcr.io/my/app/sub");
  const auto beside = live.parent_path(), old = beside / ".oci-extract-123";
  const fs::path kept[] = {beside / ".oci-extract-young", beside / ".oci-extract", beside / "other",
                           live / ".oci-extract-1", data / ".oci-extract-1"};
  for (const auto& folder : kept) write(folder / "sub/file", "x");
  write(old / "sub/file", "x");
  write(beside / ".oci-extract-file", "x");
  fs::create_directory_symlink(live, beside / ".oci-extract-link");
  const auto two_hours_ago = fs::file_time_type::clock::now() - std::chrono::hours(2);
  for (const auto& path : {old, kept[1], kept[2], kept[3], kept[4], beside / ".oci-extract-file"})
    fs::last_write_time(path, two_hours_ago);
  reopen();
  ASSERT_TRUE(directories->recover());
  EXPECT_FALSE(fs::exists(old));
  for (const auto& folder : kept) EXPECT_TRUE(fs::exists(folder / "sub/file")) << folder;
  EXPECT_TRUE(fs::exists(beside / ".oci-extract-file"));
  EXPECT_TRUE(fs::is_symlink(beside / ".oci-extract-link"));
  EXPECT_EQ(read(live / "data/db"), "rows");
}

#ifdef WINDLASS_CRASH_STEPS
// F7; S5: new folders, files, deletions, folders that are empty then, the state, in this order
TEST_F(LiveDirectoryRecoveryTest, IsCompleteAfterAStartWhereverTheProcessWasKilled) {
  auto old = kOld;
  old["old/"] = "";
  old["old/f"] = "1";
  int number = 1;
  for (const auto* step : {"sync.journal_written", "sync.half:1", "sync.half:2", "sync.half:3", "sync.half:4",
                           "sync.before_delete", "sync.after"}) {
    SCOPED_TRACE(step);
    release(old, ++number);
    const auto tree = stage(kNew);
    ++number;
    close();  // SQLite does not go through a fork
    const auto child = ::fork();
    if (child == 0) {
      ::setenv("WINDLASS_CRASH_AT", step, 1);
      reopen();
      (void)sync(tree, number);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    EXPECT_EQ(journals(), 1);
    for (const auto* file : {"a", "b", "c/d"}) {  // P8: old or new, never absent
      const auto text = read(live / file);
      EXPECT_TRUE(text == "1" || text == "2") << file << ": " << text;
    }
    const std::string at = step;
    const bool is_over = at == "sync.after";
    EXPECT_EQ(fs::is_directory(live / "new"), at != "sync.journal_written");
    EXPECT_EQ(read(live / "a"), at == "sync.journal_written" || at == "sync.half:1" ? "1" : "2");
    EXPECT_EQ(fs::exists(live / "new/e"), at == "sync.before_delete" || is_over);
    for (const auto* going : {"gone", "old/f", "old"}) EXPECT_EQ(fs::exists(live / going), !is_over) << going;
    EXPECT_EQ(recorded_digest(), digest(is_over ? number : number - 1).str());
    reopen();
    ASSERT_TRUE(directories->recover());
    EXPECT_EQ(on_disk(), with_data(kNew));
    EXPECT_EQ(journals(), 0);
    const auto again = sync(tree, number);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->changed, Paths());
    EXPECT_EQ(again->drift, Paths());
  }
}
#endif

}  // namespace
}  // namespace windlass
