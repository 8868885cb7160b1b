#include "oci/file_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <deque>
#include <filesystem>

#include "sys/content_hash.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

class FileWriterTest : public ::testing::Test {
 protected:
  FileWriterTest() : folder(fs::temp_directory_path() / ("windlass-" + new_uuid_v7())) {
    fs::create_directories(folder / "sub");
    root = FileDescriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  ~FileWriterTest() override { fs::remove_all(folder); }

  NewFile file(std::string path, std::string bytes) {
    auto& entry = entries.emplace_back(TreeEntry{.path = std::move(path), .mode = 0640, .size_bytes = bytes.size()});
    return {.path = entry.path, .entry = entry, .mtime_unix = 1'700'000'000, .bytes = std::move(bytes)};
  }

  const Secret key{"key"};
  fs::path folder;
  std::deque<TreeEntry> entries;
  FileDescriptor root;
};

TEST_F(FileWriterTest, MakesFewFilesAndMany) {
  for (const int count : {3, 2'000}) {
    FileWriter writer(root.get(), key);
    const auto name = [&](int number) { return fmt::format("sub/{}-{}", count, number); };
    for (int i = 0; i < count; ++i) ASSERT_TRUE(writer.write(file(name(i), std::string(i % 5'000, 'x'))));
    ASSERT_TRUE(writer.drain());
    for (int i = 0; i < count; ++i) {
      struct stat status {};
      ASSERT_EQ(::stat((folder / name(i)).c_str(), &status), 0) << i;
      ASSERT_EQ(status.st_size, i % 5'000);
      ASSERT_EQ(status.st_mode & 0777, 0640u);
      const auto hash = content_hash_hex(key, std::string(i % 5'000, 'x'));
      const auto time = time_of(1'700'000'000, hash);
      ASSERT_EQ(status.st_mtim.tv_sec, 1'700'000'000);
      ASSERT_EQ(status.st_mtim.tv_nsec, time.tv_nsec);
      ASSERT_EQ(entries[i].content, hash);
    }
    entries.clear();
  }
}

TEST_F(FileWriterTest, MarksWhatMayBeEncrypted) {
  FileWriter writer(root.get(), key);
  ASSERT_TRUE(writer.write(file("secret", "key: ENC[AES256_GCM,data:x]")));
  ASSERT_TRUE(writer.write(file("plain", "key: [ENC]")));
  ASSERT_TRUE(writer.drain());
  EXPECT_TRUE(entries[0].has_cipher_text);
  EXPECT_FALSE(entries[1].has_cipher_text);
}

TEST_F(FileWriterTest, TellsOfTheFirstThatFailsAndMakesNoneAfterIt) {
  for (const int before : {5, 100}) {
    FileWriter writer(root.get(), key);
    for (int i = 0; i < before; ++i) ASSERT_TRUE(writer.write(file(fmt::format("{}-{}", before, i), "x")));
    const auto wanted = fmt::format("entry 'none/{}': creating none/{}: no such file or directory", before, before);
    (void)writer.write(file(fmt::format("none/{}", before), "x"));
    for (int i = 0; i < 1'000; ++i)
      (void)writer.write(file(fmt::format("{}-after-{}", before, i), std::string(9'000, 'x')));
    for (int again = 0; again < 2; ++again) {
      const auto drained = writer.drain();
      ASSERT_FALSE(drained);
      EXPECT_EQ(drained.error().message, wanted);
    }
    EXPECT_EQ(writer.write(file("late", "x")).error().message, wanted);
    EXPECT_FALSE(fs::exists(folder / "late"));
    EXPECT_FALSE(fs::exists(folder / fmt::format("{}-after-999", before)));
  }
}

TEST_F(FileWriterTest, MayBeLeftWithFilesThatNobodyWantsAnyMore) {
  FileWriter writer(root.get(), key);
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(writer.write(file(std::to_string(i), "x")));
}

TEST_F(FileWriterTest, FollowsNoLinkAndReplacesNothing) {
  fs::create_directory_symlink("/tmp", folder / "link");
  FileWriter writer(root.get(), key);
  EXPECT_FALSE(writer.write(file("link/x", "x")));
  FileWriter second(root.get(), key);
  ASSERT_TRUE(second.write(file("x", "1")));
  EXPECT_EQ(
      second.write(file("x", "2")).error().message,
      "entry 'x': creating x: the file system takes its name for that of another entry, as those do that ignore case");
}

}  // namespace
}  // namespace windlass
