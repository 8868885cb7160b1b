#include "oci/cleared_folders.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace windlass {
namespace {

using Paths = std::vector<std::string>;

class ClearedFoldersTest : public testing::Test {
 protected:
  void add(const std::string& path) { entries[path] = {}; }
  // What is looked at.
  Paths clear(const std::string& folder) {
    Paths shown;
    cleared.clear(folder, entries, [&](const auto& entry) { shown.push_back(entry.first); });
    return shown;
  }

  struct Entry {};
  std::map<std::string, Entry> entries;
  ClearedFolders cleared;
};

// '-' and '.' sort before '/', "0" after it.
TEST_F(ClearedFoldersTest, ShowWhatIsInAFolderAndNothingBesideIt) {
  for (const auto* path : {"a", "a-", "a-/x", "a.b", "a/b", "a/b/c", "a0", "a0/x"}) add(path);
  EXPECT_EQ(clear("a"), (Paths{"a/b", "a/b/c"}));
  EXPECT_EQ(clear("nowhere"), Paths());
  EXPECT_EQ(clear(""), (Paths{"a", "a-", "a-/x", "a.b", "a0", "a0/x"}));
  EXPECT_EQ(cleared.steps(), 9u) << "each entry, and once that there is a folder to pass over";
}

TEST_F(ClearedFoldersTest, ShowNothingTwiceInOneLayer) {
  for (int i = 0; i < 100; ++i) add(fmt::format("d/{}", i));
  EXPECT_EQ(clear("d").size(), 100u);
  for (int i = 0; i < 100; ++i) {
    add(fmt::format("d/new{}/x", i));
    for (const std::string folder : {"d", "d/new0"}) EXPECT_EQ(clear(folder), Paths());
  }
  EXPECT_EQ(cleared.steps(), 100u);
}

// What is below a folder is below those around it as well.
TEST_F(ClearedFoldersTest, ShowNothingTwiceInFoldersThatLieInOneAnother) {
  Paths folders = {"d"};
  while (folders.size() < 32) folders.push_back(folders.back() + "/d");
  for (const auto& folder : folders) add(folder);
  for (int i = 0; i < 100; ++i) add(fmt::format("{}/{}", folders.back(), i));
  std::size_t shown = 0;
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) shown += clear(*folder).size();
  for (const auto& folder : folders) shown += clear(folder).size();
  shown += clear("").size();
  EXPECT_EQ(shown, entries.size());
  EXPECT_LE(cleared.steps(), entries.size() + folders.size());
}

TEST_F(ClearedFoldersTest, ShowAllAgainInTheNextLayer) {
  add("d/a");
  for (int layer = 0; layer < 3; ++layer) {
    cleared.begin_layer();
    EXPECT_EQ(clear("d"), Paths{"d/a"});
    EXPECT_EQ(clear("d"), Paths());
  }
}

TEST_F(ClearedFoldersTest, ShowWhatAPlainLookAtEverythingWould) {
  std::mt19937 random(1);
  const auto pick = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
  const auto is_below = [](const std::string& path, const std::string& folder) {
    return folder.empty() || path.starts_with(folder + "/");
  };
  const std::string names[] = {"a", "a-", "a.b", "a0"};
  for (int round = 0; round < 300; ++round) {
    entries.clear();
    cleared = {};
    Paths before;  // cleared in this layer
    std::size_t looks_max = 0;
    std::string done;
    for (int step = 0; step < 60; ++step) {
      std::string path = names[pick(4)];
      for (int depth = pick(4); depth > 0; --depth) path += "/" + names[pick(4)];
      const int what = pick(8);
      if (what == 0) {
        before.clear();
        cleared.begin_layer();
        done += " next";
      } else if (what <= 3) {
        add(path);
        done += " " + path;
      } else if (what == 4) {
        entries.erase(path);
        done += " -" + path;
      } else {
        if (pick(8) == 0) path.clear();
        done += fmt::format(" -{}/*", path);
        Paths expected;
        for (const auto& entry : entries) {
          const auto is_around = [&](const std::string& folder) { return is_below(entry.first, folder); };
          if (is_around(path) && std::ranges::none_of(before, is_around)) expected.push_back(entry.first);
        }
        ASSERT_EQ(clear(path), expected) << done;
        before.push_back(path);
        looks_max += expected.size() + 1;  // each folder is passed over once, then it lies in the one around it
      }
    }
    ASSERT_LE(cleared.steps(), looks_max) << done;
  }
}

}  // namespace
}  // namespace windlass
