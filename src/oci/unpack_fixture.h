// Test helper: a staging folder with a canary beside it, and layers made of archives.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "oci/unpack.h"
#include "sys/content_hash.h"
#include "sys/crypto.h"
#include "sys/files.h"
#include "sys/tar_builder.h"

namespace windlass {

inline std::string gzipped(const std::string& bytes, int level = Z_DEFAULT_COMPRESSION) {
  z_stream stream{};
  deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline std::string zstd_packed(const std::string& bytes) {
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 3));
  return packed;
}

// The entries and the end marker, as an archive.
inline std::string ended(const std::string& entries) { return entries + std::string(1024, '\0'); }

using Annotations = std::map<std::string, std::string>;

class UnpackFixture : public testing::Test {
 protected:
  UnpackFixture() {
    auto name = (std::filesystem::temp_directory_path() / "windlass-unpack-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    root = folder / "staging" / "tree";
    write(folder / "canary", "untouched");
    ::chmod((folder / "canary").c_str(), 0640);
  }
  ~UnpackFixture() override { std::filesystem::remove_all(folder); }

  static void write(const std::filesystem::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
  }
  StoredLayer layer(const std::string& bytes, Annotations annotations = {}) {
    const auto file = folder / ("layer" + std::to_string(++layers_made));
    write(file, bytes);
    return {.digest = Digest::of_sha256_hex(sha256_hex(bytes)),
            .media_type = "application/vnd.oci.image.layer.v1.tar",
            .size_bytes = bytes.size(),
            .annotations = std::move(annotations),
            .file = file};
  }
  Result<UnpackedTree> unpack_archives(const std::vector<std::string>& archives) {
    std::vector<StoredLayer> layers;
    for (const auto& archive : archives) layers.push_back(layer(archive));
    return unpack(layers, root, limits, Secret("key"), deadline);
  }
  // Of an artifact that must be taken; the staging folder is emptied for the next one.
  UnpackedTree taken(const std::vector<std::string>& archives) {
    std::filesystem::remove_all(root);
    auto tree = unpack_archives(archives);
    EXPECT_TRUE(tree) << tree.error().message;
    return tree ? std::move(*tree) : UnpackedTree{};
  }
  // The message of a refusal that left nothing behind.
  std::string refusal(const std::vector<std::string>& archives) { return message_of(unpack_archives(archives)); }
  std::string message_of(const Result<UnpackedTree>& tree) {
    EXPECT_FALSE(std::filesystem::exists(root)) << "staging is still there";
    std::error_code none;
    std::filesystem::remove_all(root, none);
    EXPECT_EQ(*read_file(folder / "canary", 100), "untouched");
    EXPECT_EQ(mode_of(folder / "canary"), 0640u);
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const auto name = entry.path().filename().string();
      EXPECT_TRUE(name == "canary" || name == "staging" || name.starts_with("layer")) << name << " came from nowhere";
    }
    if (tree) return "taken";
    EXPECT_EQ(tree.error().kind, Kind::invalid);
    return tree.error().message;
  }

  static unsigned mode_of(const std::filesystem::path& file) {
    struct stat status {};
    EXPECT_EQ(::lstat(file.c_str(), &status), 0) << file;
    return status.st_mode & 07777;
  }
  std::string content_of(const std::string& path) {
    auto content = read_file(root / path, 64 << 20);
    return content ? *content : content.error().message;
  }
  // "a/ a/b l>target": the finished tree at a glance.
  static std::string listing(const UnpackedTree& tree) {
    std::string all;
    for (const auto& entry : tree.entries) {
      if (!all.empty()) all += ' ';
      all += entry.path;
      if (entry.type == EntryType::folder) all += '/';
      if (entry.type == EntryType::link) all += '>' + entry.content;
    }
    return all;
  }

  std::filesystem::path folder, root;
  UnpackLimits limits;
  Deadline deadline = Deadline::in(std::chrono::seconds(60));
  int layers_made = 0;
};

}  // namespace windlass
