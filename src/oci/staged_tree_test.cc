#include "oci/staged_tree.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/text.h"
#include "oci/entry_name.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

class StagedTreeTest : public testing::Test {
 protected:
  StagedTreeTest() {
    root = (fs::temp_directory_path() / "windlass-tree-XXXXXX").string();
    if (::mkdtemp(root.data()) == nullptr) throw std::runtime_error("no temporary folder");
    start();
  }
  ~StagedTreeTest() override {
    tree.reset();
    fs::remove_all(root);
  }
  // An empty tree at its first layer.
  void start() {
    tree.reset();
    for (const auto& entry : fs::directory_iterator(root)) fs::remove_all(entry);
    tree.emplace(std::move(*StagedTree::open(root, {}, Secret("key"), Deadline::in(std::chrono::seconds(60)))));
    tree->begin_layer();
    EXPECT_TRUE(tree->count_entry());
  }
  // Links are no files on disk: quick.
  void link(const std::string& path) { EXPECT_TRUE(tree->add_link(path, ".")) << path; }
  void opaque(const std::string& folder) { EXPECT_TRUE(tree->white_out_below(folder)) << folder; }

  std::string root;
  std::optional<StagedTree> tree;
};

// oci 8: where case or Unicode form does not count, what has another name is there under this one already.
TEST_F(StagedTreeTest, NamesWhatTheFileSystemTakesForAnotherEntry) {
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
}

TEST_F(StagedTreeTest, LooksOnceThroughAFolderThatIsWhitedOutAgainAndAgain) {
  for (int i = 0; i < 100; ++i) link(fmt::format("d/{}", i));
  tree->begin_layer();
  for (int i = 0; i < 100; ++i) {
    link(fmt::format("d/new{}", i));
    opaque("d");
    EXPECT_TRUE(tree->add_folder("d", 0755));
    EXPECT_TRUE(tree->white_out("d"));
  }
  EXPECT_LE(tree->whiteout_steps(), 101u);
  const auto entries = tree->finish();
  ASSERT_TRUE(entries);
  EXPECT_EQ(entries->size(), 101u);
}

// Whiteouts as the specification says them, each a look at everything.
struct PlainTree {
  struct Node {
    bool is_folder = false;
    int layer = 0;
  };
  std::map<std::string, Node> nodes;
  int layer = 1;

  bool is_below(const std::string& path, const std::string& folder) const {
    return folder.empty() || path.starts_with(folder + "/");
  }
  bool has_entries(const std::string& folder) const {
    return std::ranges::any_of(nodes, [&](const auto& node) { return is_below(node.first, folder); });
  }
  void erase(const std::string& path) {
    std::erase_if(nodes, [&](const auto& node) { return node.first == path || is_below(node.first, path); });
  }
  // Makes the folders above a path; false if a link is in the way.
  bool make_parents(const std::string& path) {
    const std::string parent(parent_of(path));
    if (parent.empty()) return true;
    if (const auto found = nodes.find(parent); found != nodes.end()) return found->second.is_folder;
    return add(parent, true);
  }
  bool add(const std::string& path, bool is_folder) {
    if (!make_parents(path)) return false;
    const auto found = nodes.find(path);
    if (found != nodes.end() && found->second.is_folder != is_folder && found->second.layer == layer) return false;
    if (found != nodes.end() && !(is_folder && found->second.is_folder)) erase(path);
    nodes[path] = {is_folder, layer};
    return true;
  }
  void remove_older_below(const std::string& folder) {
    std::vector<std::string> paths;
    for (const auto& [path, node] : nodes)
      if (is_below(path, folder) && node.layer != layer) paths.push_back(path);
    for (auto path = paths.rbegin(); path != paths.rend(); ++path)
      if (!has_entries(*path)) nodes.erase(*path);
  }
  bool white_out(const std::string& path) {
    if (!make_parents(path)) return false;
    const auto found = nodes.find(path);
    if (found == nodes.end()) return true;
    const bool is_older = found->second.layer != layer;
    if (found->second.is_folder) remove_older_below(path);
    if (is_older && !has_entries(path)) nodes.erase(path);
    return true;
  }
  bool white_out_below(const std::string& folder) {
    if (!folder.empty() && !make_parents(folder + "/x")) return false;
    remove_older_below(folder);
    return true;
  }
};

TEST_F(StagedTreeTest, WhitesOutWhatAPlainLookAtEverythingWould) {
  std::mt19937 random(1);
  const auto pick = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
  // '-' and '.' sort before '/', "0" after it.
  const std::string names[] = {"a", "a-", "a.b", "a0"};
  for (int round = 0; round < 300; ++round) {
    start();
    PlainTree plain;
    std::string done;
    for (int step = 0; step < 40; ++step) {
      std::string path = names[pick(4)];
      for (int depth = pick(4); depth > 0; --depth) path += "/" + names[pick(4)];
      const int what = pick(8);
      auto next = plain;
      if (what == 0) {
        ++plain.layer;
        tree->begin_layer();
        done += " next";
      } else if (what <= 3 && next.add(path, what == 1)) {
        ASSERT_TRUE(what == 1 ? tree->add_folder(path, 0755) : tree->add_link(path, ".")) << done << " " << path;
        plain = next;
        done += fmt::format(" {}{}", path, what == 1 ? "/" : "");
      } else if (what <= 5 && what > 3 && next.white_out(path)) {
        ASSERT_TRUE(tree->white_out(path)) << done << " -" << path;
        plain = next;
        done += " -" + path;
      } else if (what > 5) {
        if (pick(8) == 0) path.clear();
        if (!next.white_out_below(path)) continue;
        ASSERT_TRUE(tree->white_out_below(path)) << done << " -" << path << "/*";
        plain = next;
        done += fmt::format(" -{}/*", path);
      }
    }
    const auto entries = tree->finish();
    ASSERT_TRUE(entries) << entries.error().message;
    std::map<std::string, bool> left, expected;
    for (const auto& entry : *entries) left[entry.path] = entry.type == EntryType::folder;
    for (const auto& [path, node] : plain.nodes) expected[path] = node.is_folder;
    ASSERT_EQ(left, expected) << done;
  }
}

}  // namespace
}  // namespace windlass
