#include "app/state_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "jobs/schema.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

class StateFolderTest : public ::testing::Test {
 protected:
  StateFolderTest() : data(fs::temp_directory_path() / ("windlass-" + new_uuid_v7())) { fs::create_directories(data); }
  ~StateFolderTest() override { fs::remove_all(data); }
  fs::path data;
};

TEST_F(StateFolderTest, IsMadeForItsOwnerAlone) {  // reliability/T23
  auto state = StateFolder::open(data);
  ASSERT_TRUE(state) << state.error().message;
  struct stat status {};
  ASSERT_EQ(::stat((data / ".windlass").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(StateFolderTest, FollowsNoLinkThatSomebodyPutThere) {  // reliability/T23
  for (const std::string part : {".windlass", ".windlass/oci", ".windlass/oci/staging", ".windlass/oci/blobs"}) {
    const auto elsewhere = data / "elsewhere", link = data / "home" / part;
    fs::create_directories(elsewhere / "precious");
    fs::create_directories(link.parent_path());
    fs::create_directory_symlink(elsewhere, link);
    const auto state = StateFolder::open(data / "home");
    ASSERT_FALSE(state) << part;
    EXPECT_TRUE(state.error().message.ends_with(link.string() + " is a link or a file, not a folder: remove it"))
        << state.error().message;
    EXPECT_EQ(std::distance(fs::directory_iterator(elsewhere), {}), 1) << part;
    fs::remove_all(data / "home");
  }
}

TEST_F(StateFolderTest, KeepsOneKeyForTheInstallation) {  // deploy/N9
  std::string first;
  {
    auto state = StateFolder::open(data);
    first = state->hash_key()->reveal();
  }
  auto state = StateFolder::open(data);
  EXPECT_EQ(first.size(), 64u);
  EXPECT_EQ(state->hash_key()->reveal(), first);
}

TEST_F(StateFolderTest, BelongsToOneProcess) {  // reliability/F26
  auto state = StateFolder::open(data);
  const auto second = StateFolder::open(data);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, Kind::conflict);
  EXPECT_EQ(second.error().message,
            fmt::format("DATA_MOUNT_PATH: data directory {} is in use by pid {}", data.string(), ::getpid()));
}

TEST_F(StateFolderTest, SetsADamagedStateFileAsideAndKeepsIt) {  // reliability/F25
  auto state = StateFolder::open(data);
  const Log log({.file_descriptor = -1});
  ASSERT_TRUE(open_state(state->state_file()));
  ASSERT_TRUE(state->set_damaged_aside(log));
  EXPECT_TRUE(fs::exists(state->state_file())) << "a whole one stays";
  EXPECT_FALSE(state->awaits_rebuild());

  fs::resize_file(state->state_file(), 5000);
  fs::remove(state->state_file().string() + "-wal");
  ASSERT_TRUE(state->set_damaged_aside(log));
  EXPECT_TRUE(state->awaits_rebuild());
  EXPECT_FALSE(fs::exists(state->state_file()));
  int kept = 0;
  for (const auto& file : fs::directory_iterator(data / ".windlass"))
    kept += file.path().filename().string().starts_with("state.db.damaged-") && fs::file_size(file) == 5000;
  EXPECT_EQ(kept, 1);
  ASSERT_TRUE(state->end_rebuild());
  EXPECT_FALSE(state->awaits_rebuild());
}

TEST_F(StateFolderTest, LeavesTheFileOfANewerWindlassAlone) {
  auto state = StateFolder::open(data);
  ASSERT_TRUE((*open_state(state->state_file()))->execute("PRAGMA user_version = 1000"));
  EXPECT_EQ(state->set_damaged_aside(Log({.file_descriptor = -1})).error().kind, Kind::conflict);
  EXPECT_TRUE(fs::exists(state->state_file()));
}

TEST_F(StateFolderTest, SeesThatTheLogOfAKilledProcessIsLost) {  // reliability/F25
  const auto file = data / ".windlass/state.db", log = data / ".windlass/state.db-wal",
             mark = data / ".windlass/running";
  const auto verdict = [&] { return StateFolder::open(data)->lost_log(); };
  EXPECT_EQ(verdict(), "");
  EXPECT_FALSE(fs::exists(mark)) << "it has ended well";
  ASSERT_TRUE(open_state(file));
  EXPECT_EQ(verdict(), "") << "closed well: no log is left";
  std::ofstream(mark).close();
  EXPECT_EQ(verdict(), "it is gone");
  std::ofstream(mark).close();
  std::ofstream(log) << "garbage";
  EXPECT_EQ(verdict(), "it holds something else");
  std::ofstream(mark).close();
  std::ofstream(log) << "\x37\x7f\x06\x82 and so on";
  EXPECT_EQ(verdict(), "");
}

TEST_F(StateFolderTest, NeedsTheDataFolder) {
  const auto state = StateFolder::open(data / "absent");
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().message,
            "DATA_MOUNT_PATH " + (data / "absent").string() + " is not a folder: make it, or mount one there");
}

}  // namespace
}  // namespace windlass
