#include "app/run_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "sys/crypto.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

TEST(RunFolder, IsPrivateAndEmptyAtEachStart) {  // secrets/B3
  const auto data = fs::temp_directory_path() / ("windlass-" + new_uuid_v7());
  const Log log({.level = LogLevel::critical});
  const auto folder = open_run_folder(data, data / "run", log);
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(static_cast<unsigned>(fs::status(*folder).permissions()), 0700u);
  fs::create_directories(*folder / "left/of a run");
  std::ofstream(*folder / "left/secret") << "plain text";
  fs::permissions(*folder, fs::perms::all);
  EXPECT_EQ(open_run_folder(data, data / "run", log).value_or(""), *folder);
  EXPECT_TRUE(fs::is_empty(*folder));
  EXPECT_EQ(static_cast<unsigned>(fs::status(*folder).permissions()), 0700u);
  EXPECT_NE(open_run_folder(data / "other", data / "run", log).value_or(""), *folder)
      << "each installation has its own";
  // Something else in its place is not used.
  fs::remove_all(*folder);
  fs::create_directory_symlink("/tmp", *folder);
  const auto refused = open_run_folder(data, data / "run", log);
  EXPECT_FALSE(refused);
  fs::remove(*folder);
  fs::remove_all(open_run_folder(data / "other", data / "run", log).value_or(data));
}

}  // namespace
}  // namespace windlass
