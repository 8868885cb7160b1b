#include "deploy/source_view.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "sys/content_hash.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

class SourceView : public ::testing::Test {
 protected:
  SourceView() : folder_(fs::temp_directory_path() / ("windlass-" + new_uuid_v7())) {
    tree_.root = folder_ / "tree";
    fs::create_directories(tree_.root);
  }
  ~SourceView() override { fs::remove_all(folder_); }

  void folder(const std::string& path) {
    fs::create_directories(tree_.root / path);
    tree_.entries.push_back({.path = path, .type = EntryType::folder, .mode = 0755});
  }
  void file(const std::string& path, const std::string& text) {
    std::ofstream(tree_.root / path) << text;
    tree_.entries.push_back(
        {.path = path, .type = EntryType::file, .mode = 0644, .content = content_hash_hex(Secret("key"), text)});
  }
  void link(const std::string& path, const std::string& target) {
    fs::create_symlink(target, tree_.root / path);
    tree_.entries.push_back({.path = path, .type = EntryType::link, .content = target});
  }
  Status make(const std::map<std::string, Secret>& plain) {
    std::sort(tree_.entries.begin(), tree_.entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return make_source_view(tree_, plain, view());
  }
  fs::path view() const { return folder_ / "run/view"; }
  std::string read(const std::string& path) const { return read_file(view() / path, 1 << 20).value_or("(nothing)"); }

  fs::path folder_;
  UnpackedTree tree_;
};

TEST_F(SourceView, HasPlainTextInPlaceOfCipherText) {
  folder("app");
  folder("app/conf");
  folder("data");
  folder("data/deep");
  folder("links");
  file("compose.yaml", "services: {}");
  file("db.env", "cipher");
  file("app/conf/token", "cipher");
  file("app/conf/other", "plain");
  file("data/deep/large", "large");
  link("links/token", "../app/conf/token");
  ASSERT_TRUE(make({{"db.env", Secret("A=1")}, {"app/conf/token", Secret("token")}}));
  EXPECT_EQ(read("db.env"), "A=1");
  EXPECT_EQ(read("app/conf/token"), "token");
  EXPECT_EQ(read("links/token"), "token") << "a link leads to the plain text";
  EXPECT_EQ(read("compose.yaml"), "services: {}");
  EXPECT_EQ(read("app/conf/other"), "plain");
  EXPECT_EQ(read("data/deep/large"), "large");
  EXPECT_EQ(read_file(tree_.root / "db.env", 100).value_or(""), "cipher") << "what was unpacked stays as it is";
  EXPECT_TRUE(fs::is_symlink(view() / "data")) << "a folder without secrets is one link";
  EXPECT_FALSE(fs::is_symlink(view() / "app/conf"));
}

TEST_F(SourceView, IsNobodyElses) {
  folder("a");
  file("a/secret", "cipher");
  ASSERT_TRUE(make({{"a/secret", Secret("plain")}}));
  for (const auto* path : {"", "a"}) EXPECT_EQ(static_cast<unsigned>(fs::status(view() / path).permissions()), 0700u);
  EXPECT_EQ(static_cast<unsigned>(fs::status(view() / "a/secret").permissions()), 0600u);
  EXPECT_EQ(fs::last_write_time(view() / "a/secret"), fs::last_write_time(tree_.root / "a/secret"));
}

TEST_F(SourceView, FailsWhereItCannotBeMade) {
  file("secret", "cipher");
  std::ofstream(folder_ / "run") << "a file";
  EXPECT_FALSE(make({{"secret", Secret("plain")}}));
}

}  // namespace
}  // namespace windlass
