#include "deploy/managed_files.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using Texts = std::vector<std::string>;

ManagedFile file(const std::string& path, const std::string& content = "") {
  return {.entry = {.path = path, .content = content}};
}

// Characters before and after '/' stand between a folder and what is in it.
ManagedFiles some() {
  std::vector<ManagedFile> files;
  for (const auto* path : {"a", "conf", "conf-old", "conf-old/x", "conf/a", "conf/sub", "conf/sub/b", "conf0", "z"})
    files.push_back(file(path, "old"));
  return ManagedFiles(std::move(files));
}

template <class Range>
Texts shown(const Range& files) {
  Texts found;
  for (const ManagedFile& each : files) found.push_back(each.entry.path + " " + each.entry.content);
  return found;
}

TEST(ManagedFiles, AreFoundByPath) {
  const auto files = some();
  ASSERT_NE(files.find("conf"), nullptr);
  EXPECT_EQ(files.find("conf/sub/b")->entry.path, "conf/sub/b");
  for (const auto* absent : {"", "con", "conf/", "conf/b", "zz"}) EXPECT_EQ(files.find(absent), nullptr) << absent;
  EXPECT_EQ(ManagedFiles().find("a"), nullptr);
}

TEST(ManagedFiles, KnowWhatIsBelowAFolder) {
  const auto files = some();
  EXPECT_EQ(shown(files.below("conf")), (Texts{"conf/a old", "conf/sub old", "conf/sub/b old"}));
  EXPECT_EQ(shown(files.below("conf-old")), (Texts{"conf-old/x old"}));
  for (const auto* empty : {"a", "conf0", "none"}) EXPECT_EQ(shown(files.below(empty)), Texts()) << empty;
}

TEST(ManagedFiles, ForgetAPathWithWhatIsBelow) {
  auto files = some();
  files.forget("conf");
  files.forget("none");
  EXPECT_EQ(shown(files), (Texts{"a old", "conf-old old", "conf-old/x old", "conf0 old", "z old"}));
}

TEST(ManagedFiles, TakeOthersInOrInPlaceOfTheirs) {
  auto files = some();
  files.forget("conf");
  files.put({file("0", "new"), file("a", "new"), file("b", "new"), file("zz", "new")});
  files.put({});
  EXPECT_EQ(shown(files),
            (Texts{"0 new", "a new", "b new", "conf-old old", "conf-old/x old", "conf0 old", "z old", "zz new"}));
}

}  // namespace
}  // namespace windlass
