#include "oci/staged_tree.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace windlass {
namespace {

namespace fs = std::filesystem;

// oci 8: where case or Unicode form does not count, what has another name is there under this one already.
TEST(StagedTree, NamesWhatTheFileSystemTakesForAnotherEntry) {
  auto root = (fs::temp_directory_path() / "windlass-tree-XXXXXX").string();
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  auto tree = StagedTree::open(root, {}, Secret("key"), Deadline::in(std::chrono::seconds(60)));
  ASSERT_TRUE(tree);
  tree->begin_layer();
  ASSERT_TRUE(tree->count_entry());
  const std::string rule = ": the file system takes its name for that of another entry, as those do that ignore case";
  std::ofstream(fs::path(root) / "file").close();
  fs::create_directory(fs::path(root) / "folder");

  const auto folder = tree->add_folder("folder", 0755);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().kind, Kind::invalid);
  EXPECT_EQ(folder.error().message, "creating folder" + rule);
  ASSERT_TRUE(tree->add_link("file", "other"));
  const auto finished = tree->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().message, "creating file" + rule);
  fs::remove_all(root);
}

}  // namespace
}  // namespace windlass
