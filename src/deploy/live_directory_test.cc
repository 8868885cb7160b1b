// What a sync does to a live directory, rule by rule (oci 9 and 10, reliability/P8, F28).
#include "deploy/live_directory.h"

#include <fcntl.h>

#include <algorithm>

#include "deploy/live_directory_fixture.h"
#include "deploy/live_folder.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<std::string>;

TEST_F(LiveDirectoryTest, WritesAReleaseForEverybodyToRead) {  // the umask of the service is 077
  auto tree = stage({{"compose.yaml", "a"}, {"conf/app.ini", "b"}, {"run.sh", "c"}, {"now", "->conf/app.ini"}});
  for (auto& entry : tree.entries)
    if (entry.path == "run.sh") entry.mode = 0755;
  const auto result = sync(tree, 1);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->changed, (Paths{"compose.yaml", "conf/app.ini", "now", "run.sh"}));
  EXPECT_EQ(
      on_disk(),
      (Files{{"compose.yaml", "a"}, {"conf/", ""}, {"conf/app.ini", "b"}, {"run.sh", "c"}, {"now", "->conf/app.ini"}}));
  EXPECT_EQ(mode_of(live), 0755u);
  EXPECT_EQ(mode_of(live / "conf"), 0755u);
  EXPECT_EQ(mode_of(live / "compose.yaml"), 0644u);
  EXPECT_EQ(mode_of(live / "run.sh"), 0755u);
  EXPECT_EQ(journals(), 0);
}

TEST_F(LiveDirectoryTest, WritesNothingForTheSameDigest) {  // S2
  const Files files = {{"compose.yaml", "a"}, {"conf/app.ini", "b"}, {"now", "->conf"}};
  release(files, 1);
  const auto state = [this] {
    std::string all = read(data / ".windlass/state.db") + read(data / ".windlass/state.db-wal");
    for (const auto& path :
         {live, live / "compose.yaml", live / "conf", live / "conf/app.ini", live / "now", journal_folder()})
      all += identity(path) + "\n";
    return all;
  };
  const auto before = state();
  const auto again = release(files, 1);
  EXPECT_EQ(again.changed, Paths());
  EXPECT_EQ(again.drift, Paths());
  EXPECT_TRUE(state() == before) << "something was written";

  const auto edited = live / "compose.yaml";  // size and time tell of an edit: nothing is read for it
  const auto written = fs::last_write_time(edited);
  write(edited, "b");
  fs::last_write_time(edited, written);
  EXPECT_EQ(release(files, 1).drift, Paths());
  fs::last_write_time(edited, written + std::chrono::nanoseconds(1));
  EXPECT_EQ(release(files, 1).drift, (Paths{"compose.yaml"}));
  EXPECT_EQ(read(edited), "b");
}

TEST_F(LiveDirectoryTest, KeepsInodeAndTimesOfEqualFilesAndFolders) {  // S3, P8
  release({{"same", "a"}, {"conf/same", "b"}, {"conf/new", "c"}}, 1);
  const auto same = identity(live / "same"), below = identity(live / "conf/same");
  const auto inode = identity(live / "conf").substr(0, identity(live / "conf").find(' '));
  EXPECT_EQ(release({{"same", "a"}, {"conf/same", "b"}, {"conf/new", "d"}}, 2).changed, (Paths{"conf/new"}));
  EXPECT_EQ(identity(live / "same"), same);
  EXPECT_EQ(identity(live / "conf/same"), below);
  EXPECT_EQ(identity(live / "conf").substr(0, inode.size()), inode);
  EXPECT_EQ(read(live / "conf/new"), "d");
}

TEST_F(LiveDirectoryTest, ReplacesAFileByRenameSoThatReadersKeepTheOldOne) {  // S4
  release({{"conf", "old"}}, 1);
  std::ifstream reader(live / "conf");
  release({{"conf", "newer"}}, 2);
  std::string seen;
  reader >> seen;
  EXPECT_EQ(seen, "old");
  EXPECT_EQ(on_disk(), (Files{{"conf", "newer"}}));  // and no temporary file is left
}

TEST_F(LiveDirectoryTest, WritesANewModeOfAnEqualFile) {  // S3: equal is content and mode
  release({{"run.sh", "a"}, {"conf/", ""}}, 1);
  auto tree = stage({{"run.sh", "a"}, {"conf/", ""}});
  for (auto& entry : tree.entries) entry.mode = 0700;
  const auto result = sync(tree, 2);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->changed, (Paths{"run.sh"}));
  EXPECT_EQ(mode_of(live / "run.sh"), 0700u);
  EXPECT_EQ(mode_of(live / "conf"), 0700u);
}

TEST_F(LiveDirectoryTest, DeletesWhatTheReleaseNoLongerHasAndFoldersThatAreEmptyThen) {  // S5
  release({{"a", "1"}, {"old/deep/b", "2"}, {"old/c", "3"}, {"gone", "->a"}}, 1);
  EXPECT_EQ(release({{"a", "1"}}, 2).changed, (Paths{"gone", "old/c", "old/deep/b"}));
  EXPECT_EQ(on_disk(), (Files{{"a", "1"}}));
}

TEST_F(LiveDirectoryTest, KeepsWhatContainersWrote) {  // S6
  release({{"a", "1"}, {"data/seed", "2"}}, 1);
  write(live / "data/db", "rows");
  write(live / "cache/x", "y");
  release({{"b", "1"}}, 2);
  EXPECT_EQ(on_disk(), (Files{{"b", "1"}, {"data/", ""}, {"data/db", "rows"}, {"cache/", ""}, {"cache/x", "y"}}));
}

TEST_F(LiveDirectoryTest, TakesOverADirectoryOfDocoCdWithoutDeletingAnything) {  // S6
  write(live / "compose.yaml", "a");
  write(live / "conf/app.ini", "old");
  write(live / "conf/other", "x");
  fs::permissions(live / "compose.yaml", fs::perms(0644));
  const auto kept = identity(live / "compose.yaml");
  EXPECT_EQ(release({{"compose.yaml", "a"}, {"conf/app.ini", "new"}}, 1).changed, (Paths{"conf/app.ini"}));
  EXPECT_EQ(identity(live / "compose.yaml"), kept);
  EXPECT_EQ(on_disk(), (Files{{"compose.yaml", "a"}, {"conf/", ""}, {"conf/app.ini", "new"}, {"conf/other", "x"}}));
  release({{"compose.yaml", "a"}}, 2);  // what was taken over is managed now
  EXPECT_EQ(on_disk(), (Files{{"compose.yaml", "a"}, {"conf/", ""}, {"conf/other", "x"}}));
}

TEST_F(LiveDirectoryTest, RefusesWhatWouldReplaceDataOfOthersBeforeAnyWrite) {  // S7
  release({{"z", "1"}, {"managed/a", "1"}}, 1);
  write(live / "data/db", "rows");
  write(live / "notes", "mine");
  write(live / "managed/sub/own", "mine");
  fs::create_symlink("/etc", live / "outside");
  EXPECT_EQ(refused({{"a", "new"}, {"data", "file"}}, 2),
            "data: a folder with data that no release put there stands where a file comes");
  EXPECT_EQ(refused({{"a", "new"}, {"managed", "file"}}, 2),
            "managed: a folder with data that no release put there stands where a file comes");
  EXPECT_EQ(refused({{"a", "new"}, {"notes/x", "y"}}, 2),
            "notes: a file or link that no release put there stands where a folder comes");
  EXPECT_EQ(refused({{"a", "new"}, {"outside/x", "y"}}, 2),
            "outside: a file or link that no release put there stands where a folder comes");
}

TEST_F(LiveDirectoryTest, LeavesAnEditedFileAloneUntilItsSourceChanges) {  // S10
  release({{"a", "1"}, {"b", "1"}}, 1);
  write(live / "a", "edited");
  for (int number : {1, 2}) {  // the same digest, and another one with an equal file
    const auto result = release({{"a", "1"}, {"b", std::to_string(number)}}, number);
    EXPECT_EQ(result.drift, (Paths{"a"}));
    EXPECT_EQ(read(live / "a"), "edited");
  }
  const auto result = release({{"a", "2"}, {"b", "2"}}, 3);
  EXPECT_EQ(result.drift, Paths());
  EXPECT_EQ(result.changed, (Paths{"a"}));
  EXPECT_EQ(read(live / "a"), "2");
}

TEST_F(LiveDirectoryTest, OverwritesAnEditedFileWhenForced) {  // S10
  release({{"a", "1"}}, 1);
  write(live / "a", "edited");
  EXPECT_EQ(release({{"a", "1"}}, 1, {.force = true}).changed, (Paths{"a"}));
  EXPECT_EQ(read(live / "a"), "1");
  EXPECT_EQ(release({{"a", "1"}}, 1).drift, Paths());
}

TEST_F(LiveDirectoryTest, FollowsNoLinkThatStandsForAFile) {  // F28
  write(data / "elsewhere", "theirs");
  release({{"a", "1"}}, 1);
  fs::remove(live / "a");
  fs::create_symlink(data / "elsewhere", live / "a");
  EXPECT_EQ(release({{"a", "1"}}, 1).changed, (Paths{"a"})) << "no edit: whoever mounts it would follow the link";
  EXPECT_EQ(on_disk(), (Files{{"a", "1"}}));
  fs::remove(live / "a");
  fs::create_symlink(data / "elsewhere", live / "a");
  release({{"a", "2"}}, 2);
  EXPECT_EQ(on_disk(), (Files{{"a", "2"}}));
  EXPECT_EQ(read(data / "elsewhere"), "theirs");
}

TEST_F(LiveDirectoryTest, FollowsNoLinkThatStandsForAFolder) {  // F28
  release({{"conf/a", "1"}}, 1);
  fs::rename(live / "conf", data / "elsewhere");
  fs::create_symlink(data / "elsewhere", live / "conf");
  EXPECT_EQ(refused({{"conf/a", "2"}}, 2),
            "conf: a file or link that no release put there stands where a folder comes");
  release({{"b", "1"}}, 3);  // nor is anything deleted through it
  EXPECT_EQ(read(data / "elsewhere/a"), "1");
}

TEST_F(LiveDirectoryTest, FollowsNoLinkThatStandsForTheDirectoryOrAFolderAboveIt) {  // F28
  release({{"a", "1"}}, 1);
  for (const auto& link : {live, data / "ghcr.io/my"}) {
    fs::rename(link, data / "elsewhere");
    fs::create_symlink(data / "elsewhere", link);
    const auto result = sync(stage({{"a", "2"}}), 2);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, link.lexically_relative(data).string() + " is a link or a file, not a folder");
    fs::remove(link);
    fs::rename(data / "elsewhere", link);
    EXPECT_EQ(on_disk(), (Files{{"a", "1"}}));
  }
}

TEST_F(LiveDirectoryTest, ChangesOneKindOfEntryIntoAnother) {
  const Files as_file = {{"x", "file"}}, as_link = {{"x", "->y"}},
              as_folder = {{"x/", ""}, {"x/d/", ""}, {"x/d/f", "1"}};
  int number = 0;
  for (const auto& files : {as_file, as_link, as_file, as_folder, as_file, as_folder, as_link, as_folder}) {
    SCOPED_TRACE(++number);
    const auto result = release(files, number);
    EXPECT_EQ(on_disk(), files);
    EXPECT_TRUE(std::find(result.changed.begin(), result.changed.end(), "x") != result.changed.end());
    EXPECT_EQ(release(files, number).changed, Paths());
  }
}

TEST_F(LiveDirectoryTest, RestoresAFileThatSomebodyDeleted) {  // F28
  release({{"a/b", "1"}}, 1);
  fs::remove_all(live / "a");
  EXPECT_EQ(release({{"a/b", "1"}}, 1).changed, (Paths{"a/b"}));
  EXPECT_EQ(on_disk(), (Files{{"a/", ""}, {"a/b", "1"}}));
}

TEST_F(LiveDirectoryTest, GivesThePlainPathToTheFirstReferenceForGood) {  // oci 9
  const std::string source = "ghcr.io/my/app";
  for (int round : {1, 2}) {
    SCOPED_TRACE(round);
    EXPECT_EQ(directories->path_for({source, "1"}, kPath).value_or(""), "ghcr.io/my/app");
    EXPECT_EQ(directories->path_for({source, "2"}, kPath).value_or(""), "ghcr.io/my/app@2");
    EXPECT_EQ(directories->path_for({source, digest(1).str(), true}, kPath).value_or(""), "ghcr.io/my/app@@digest");
    EXPECT_EQ(directories->path_for({source, digest(2).str(), true}, kPath).value_or(""), "ghcr.io/my/app@@digest");
    reopen();
  }
}

TEST_F(LiveDirectoryTest, GivesEachEngineAPathOfItsOwn) {  // deploy/Y8
  const std::string source = "ghcr.io/my/moved";
  const auto path = [&](const std::string& ref, const std::string& context) {
    return directories->path_for({source, ref, false, context}, source).value_or("");
  };
  for (int round : {1, 2}) {
    SCOPED_TRACE(round);
    EXPECT_EQ(path("1", "moon"), "ghcr.io/my/moved@@context-moon");
    EXPECT_EQ(path("1", ""), "ghcr.io/my/moved") << "whoever came first";
    EXPECT_EQ(path("1", "edge"), "ghcr.io/my/moved@@context-edge");
    EXPECT_EQ(path("2", "edge"), "ghcr.io/my/moved@@context-edge@2");
    EXPECT_EQ(directories->path_to_be({source, digest(1).str(), true, "edge"}, source).value_or(""),
              "ghcr.io/my/moved@@context-edge@@digest");
    reopen();
  }
  EXPECT_TRUE(directories->claim({source, "3", false, "far"}, "ghcr.io/my/moved@@context-far"));
  EXPECT_EQ(path("3", "far"), "ghcr.io/my/moved@@context-far");
  EXPECT_EQ(path("3", ""), "ghcr.io/my/moved@3");
}

TEST_F(LiveDirectoryTest, KeepsThePathsOfAStateFileFromBeforeEnginesWereApart) {  // deploy/Y8
  close();
  {
    auto db = *Db::open(data / ".windlass/state.db");
    ASSERT_TRUE(db->execute(R"(INSERT INTO live_directories (path, source_id, ref) VALUES
        ('r/one', 'r/one', 'main'), ('r/two@@context-edge', 'r/two', 'main'),
        ('r/two@@context-edge@2', 'r/two', '2'), ('r/two@@context-edge@@digest', 'r/two', '@digest'))"));
  }
  for (int round : {1, 2}) {
    SCOPED_TRACE(round);
    reopen();
    const auto path = [&](const char* source, const char* ref, bool is_digest, const char* context) {
      return directories->path_to_be({source, ref, is_digest, context}, source).value_or("");
    };
    EXPECT_EQ(path("r/one", "main", false, ""), "r/one");
    EXPECT_EQ(path("r/one", "main", false, "edge"), "r/one@@context-edge");
    EXPECT_EQ(path("r/two", "main", false, "edge"), "r/two@@context-edge");
    EXPECT_EQ(path("r/two", "2", false, "edge"), "r/two@@context-edge@2");
    EXPECT_EQ(path("r/two", "sha256:0", true, "edge"), "r/two@@context-edge@@digest");
    EXPECT_EQ(path("r/two", "main", false, ""), "r/two");
  }
}

TEST_F(LiveDirectoryTest, TellsWhatStaysInThePlainPath) {  // oci 9
  release({{"a", "1"}, {"conf/b", "1"}}, 1);
  write(live / "data/db", "rows");
  write(live / "conf/own", "mine");
  const auto sub = directories->path_for({"ghcr.io/my/app/org/sub", "1"}, std::string(kPath) + "/org/sub");
  ASSERT_TRUE(sub);
  write(data / *sub / "x", "of another artifact");
  auto db = Db::open(data / ".windlass/state.db");
  ASSERT_TRUE(db);
  const auto loud = *LiveDirectories::open({.data_dir = data}, std::move(*db), Log());
  testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(loud->path_for({"ghcr.io/my/app", "2"}, kPath).value_or(""), "ghcr.io/my/app@2");
  const auto log = testing::internal::GetCapturedStderr();
  const std::string fields = R"("live_directory":"ghcr.io/my/app@2","plain":"ghcr.io/my/app","stays":"conf/own, data")";
  const auto told = log.find(fields);
  ASSERT_NE(told, log.npos) << log;
  EXPECT_EQ(log.find("stays", told + fields.size()), log.npos) << "once: " << log;
}

TEST_F(LiveDirectoryTest, RefusesThePathOfAnotherSource) {  // oci 9
  const auto path = directories->path_for({"git:ghcr.io/my/app", "main"}, kPath);
  ASSERT_FALSE(path);
  EXPECT_EQ(path.error().kind, Kind::conflict);
  EXPECT_EQ(path.error().message, "ghcr.io/my/app: this live directory belongs to ghcr.io/my/app");
}

TEST_F(LiveDirectoryTest, KeepsOutOfALiveDirectoryBelow) {  // oci 9
  release({{"a", "1"}}, 1);
  const auto sub = directories->path_for({"ghcr.io/my/app/sub", "1"}, "ghcr.io/my/app/sub");
  ASSERT_EQ(sub.value_or(""), "ghcr.io/my/app/sub");
  ASSERT_TRUE(directories->sync(*sub, stage({{"x", "child"}}), digest(9), {}, Deadline()));
  EXPECT_EQ(refused({{"a", "2"}, {"sub/x", "2"}}, 2), "sub: another artifact's live directory lies at sub");
  EXPECT_EQ(refused({{"a", "2"}, {"sub", "file"}}, 2), "sub: another artifact's live directory lies at sub");
  release({{"a", "3"}}, 3);
  EXPECT_EQ(on_disk(), (Files{{"a", "3"}, {"sub/", ""}, {"sub/x", "child"}}));
  ASSERT_TRUE(directories->remove(kPath, true));
  EXPECT_EQ(on_disk(), (Files{{"a", "3"}, {"sub/", ""}, {"sub/x", "child"}})) << "another one lives in it";
}

TEST_F(LiveDirectoryTest, WritesIntoTheFileThatAContainerHasMounted) {  // deploy/N16
  const SyncOptions options{.in_place = {"conf", "linked", "gone", "new"}};
  release({{"conf", "old and long"}, {"linked", "old"}, {"gone", "old"}}, 1);
  const auto inode_of = [&](const char* name) {
    return identity(live / name).substr(0, identity(live / name).find(' '));
  };
  const auto conf = inode_of("conf"), linked = inode_of("linked");
  fs::create_hard_link(live / "linked", data / "elsewhere");  // as a container may have made it of any file
  fs::remove(live / "gone");
  fs::create_symlink(data / "elsewhere", live / "gone");
  const auto result = release({{"conf", "new"}, {"linked", "new"}, {"gone", "new"}, {"new", "new"}}, 2, options);
  EXPECT_EQ(result.changed, (Paths{"conf", "gone", "linked", "new"}));
  EXPECT_EQ(on_disk(), (Files{{"conf", "new"}, {"linked", "new"}, {"gone", "new"}, {"new", "new"}}));
  EXPECT_EQ(inode_of("conf"), conf);
  EXPECT_NE(inode_of("linked"), linked);
  EXPECT_EQ(read(data / "elsewhere"), "old");
  EXPECT_EQ(release({{"conf", "new"}, {"linked", "new"}, {"gone", "new"}, {"new", "new"}}, 3).drift, Paths());
}

// Containers that may write there may put anything in the place of what is prepared, and of what is compared.
TEST_F(LiveDirectoryTest, IsNotHeldByWhatAContainerPutsThere) {
  release({{"conf", "old"}}, 1);
  const auto tree = stage({{"conf", "new"}});
  const FileDescriptor source(::open(tree.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto disk = LiveFolder::open(data, kPath, Secret("key"));
  ASSERT_TRUE(disk);
  const auto prepare = [&] {
    EXPECT_TRUE(disk->prepare_file("conf", source.get(), 0644, false));
    for (const auto& entry : fs::directory_iterator(live))
      if (entry.path().filename().string().starts_with(".windlass.")) return entry.path();
    return fs::path();
  };
  auto prepared = prepare();
  fs::remove(prepared);
  ASSERT_EQ(::mkfifo(prepared.c_str(), 0666), 0);
  EXPECT_FALSE(disk->overwrite(tree.entries[0]).value_or(true)) << "a pipe";
  prepared = prepare();
  ASSERT_EQ(::truncate(prepared.c_str(), off_t{1} << 40), 0);
  EXPECT_FALSE(disk->overwrite(tree.entries[0]).value_or(true)) << "a sparse file";
  EXPECT_EQ(read(live / "conf"), "old");
  prepare();
  EXPECT_TRUE(disk->overwrite(tree.entries[0]).value_or(false));
  EXPECT_TRUE(disk->holds(tree.entries[0]).value_or(false));
  ASSERT_EQ(::truncate((live / "conf").c_str(), off_t{1} << 40), 0);
  EXPECT_FALSE(disk->holds(tree.entries[0]).value_or(true));
  fs::remove(live / "conf");
  ASSERT_EQ(::mkfifo((live / "conf").c_str(), 0666), 0);
  EXPECT_FALSE(disk->holds(tree.entries[0]).value_or(true));
  EXPECT_FALSE(disk->set_mode("conf", 0600)) << "it would have been opened, as a device would";
}

TEST_F(LiveDirectoryTest, GivesNobodyAPlaceWhereFilesOfAnotherLie) {  // oci 9, reliability/T21
  release({{"www/index.html", "1"}}, 1);
  const auto refused = directories->path_for({"ghcr.io/other/www", "1"}, std::string(kPath) + "/www");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::conflict);
  EXPECT_EQ(refused.error().message,
            std::string(kPath) + "/www: files of the live directory " + std::string(kPath) + " lie there");
  EXPECT_FALSE(directories->path_for({"ghcr.io/other/www", "1"}, std::string(kPath) + "/www/index.html"));
  EXPECT_TRUE(directories->path_for({"ghcr.io/other/www", "1"}, std::string(kPath) + "/other"));
}

TEST_F(LiveDirectoryTest, RemovesAFolderWithItsDataOrOnlyIfEmpty) {  // deploy/R5
  release({{"a", "1"}}, 1);
  write(live / "data.db", "of a container");
  ASSERT_TRUE(directories->remove(kPath, false));
  EXPECT_EQ(on_disk(), (Files{{"a", "1"}, {"data.db", "of a container"}}));
  EXPECT_FALSE(directories->path_for({"ghcr.io/other/app", "1"}, kPath)) << "the data is still that of the first";
  ASSERT_TRUE(directories->remove(kPath, true));
  EXPECT_FALSE(fs::exists(live));
  EXPECT_EQ(std::distance(fs::directory_iterator(data / ".windlass/oci/staging"), {}), 1) << "only what was staged";
  ASSERT_TRUE(directories->remove(kPath, true)) << "not there is fine";
  EXPECT_EQ(directories->path_for({"ghcr.io/other/app", "1"}, kPath).value_or("refused"), kPath)
      << "it may be anybody's now";
}

TEST_F(LiveDirectoryTest, RemovesNothingThroughALink) {
  release({{"a", "1"}}, 1);
  const auto elsewhere = data / "elsewhere";
  fs::create_directories(elsewhere / "app");
  fs::rename(data / "ghcr.io/my", data / "moved");
  fs::create_directory_symlink(elsewhere, data / "ghcr.io/my");
  const auto removed = directories->remove(kPath, true);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().message, "ghcr.io/my is a link or a file, not a folder");
  EXPECT_TRUE(fs::exists(elsewhere / "app"));
}

}  // namespace
}  // namespace windlass
