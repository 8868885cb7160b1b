// For tests of the live directory: a data folder, staged releases, and what is on disk.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "deploy/live_directory.h"
#include "sys/content_hash.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {

class LiveDirectoryTest : public ::testing::Test {
 protected:
  static constexpr auto kPath = "ghcr.io/my/app";
  using Files = std::map<std::string, std::string>;  // "conf/": a folder, "->target": a link, else a file's content

  LiveDirectoryTest()
      : data(std::filesystem::temp_directory_path() / ("windlass-" + new_uuid_v7())), live(data / kPath) {
    std::filesystem::create_directories(data / ".windlass/oci/staging");
    old_umask = ::umask(077);  // as the service sets it
    reopen();
  }
  ~LiveDirectoryTest() override {
    close();
    ::umask(old_umask);
    std::filesystem::remove_all(data);
  }
  void close() { directories.reset(); }
  void reopen() {
    close();
    auto db = Db::open(data / ".windlass/state.db");
    ASSERT_TRUE(db) << db.error().message;
    auto opened = LiveDirectories::open({.data_dir = data, .hash_key = Secret("key")}, std::move(*db),
                                        Log({.file_descriptor = -1}));
    ASSERT_TRUE(opened) << opened.error().message;
    directories = std::move(*opened);
    ASSERT_EQ(directories->path_for({"ghcr.io/my/app", "1"}, kPath).value_or(""), kPath);
  }

  // A release as unpack() leaves it.
  UnpackedTree stage(const Files& files) {
    UnpackedTree tree{.root = data / ".windlass/oci/staging" / std::to_string(++staged)};
    std::filesystem::create_directories(tree.root);
    std::map<std::string, TreeEntry> entries;
    for (const auto& [name, text] : files) {
      for (auto slash = name.find('/'); slash != name.npos; slash = name.find('/', slash + 1)) {
        const auto folder = name.substr(0, slash);
        std::filesystem::create_directories(tree.root / folder);
        entries[folder] = {.path = folder, .type = EntryType::folder, .mode = 0755};
      }
      if (name.ends_with("/")) continue;
      if (text.starts_with("->")) {
        entries[name] = {.path = name, .type = EntryType::link, .content = text.substr(2)};
        std::filesystem::create_symlink(text.substr(2), tree.root / name);
      } else {
        entries[name] = {
            .path = name, .mode = 0644, .size_bytes = text.size(), .content = content_hash_hex(Secret("key"), text)};
        write(tree.root / name, text);
      }
    }
    for (auto& [name, entry] : entries) tree.entries.push_back(entry);
    return tree;
  }
  static Digest digest(int number) { return Digest::of_sha256_hex(sha256_hex(std::to_string(number))); }

  Result<SyncResult> sync(const UnpackedTree& tree, int release, const SyncOptions& options = {}) {
    auto result = directories->sync(kPath, tree, digest(release), options, Deadline());
    if (result) return *std::move(result);
    touched = result.error().touched;
    return tl::unexpected(result.error().error);
  }
  // Syncs and expects it to work.
  SyncResult release(const Files& files, int number, const SyncOptions& options = {}) {
    auto result = sync(stage(files), number, options);
    EXPECT_TRUE(result) << result.error().message;
    return result ? *result : SyncResult{};
  }
  // Syncs and expects it to fail without a write: its message.
  std::string refused(const Files& files, int number) {
    const auto before = on_disk();
    const auto result = sync(stage(files), number);
    EXPECT_FALSE(touched);
    EXPECT_EQ(on_disk(), before);
    EXPECT_EQ(journals(), 0);
    return result ? "was accepted" : result.error().message;
  }

  static void write(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  static std::string read(const std::filesystem::path& file) { return read_file(file, 1 << 20).value_or("(no file)"); }
  // Everything below the live directory, as Files spells it.
  Files on_disk() const {
    Files found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(live)) {
      const auto name = entry.path().lexically_relative(live).string();
      if (entry.is_symlink())
        found[name] = "->" + std::filesystem::read_symlink(entry.path()).string();
      else if (entry.is_directory())
        found[name + "/"] = "";
      else
        found[name] = read(entry.path());
    }
    return found;
  }
  // Inode, mode and times: equal exactly if nobody wrote.
  static std::string identity(const std::filesystem::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return "(nothing)";
    return fmt::format("{} {:o} {}.{} {}.{}", status.st_ino, status.st_mode, status.st_mtim.tv_sec,
                       status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
  }
  static unsigned mode_of(const std::filesystem::path& path) {
    return static_cast<unsigned>(std::filesystem::status(path).permissions());
  }
  std::filesystem::path journal_folder() const { return data / ".windlass/oci/journal"; }
  int journals() const {
    return static_cast<int>(std::distance(std::filesystem::directory_iterator(journal_folder()), {}));
  }

  std::filesystem::path data, live;
  std::unique_ptr<LiveDirectories> directories;
  bool touched = false;  // of the last sync that failed
  int staged = 0;
  mode_t old_umask = 0;
};

}  // namespace windlass
