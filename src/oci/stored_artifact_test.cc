#include "oci/stored_artifact.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sys/crypto.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

class StoredArtifactTest : public testing::Test {
 protected:
  StoredArtifactTest() : folder(fs::temp_directory_path() / ("windlass-" + new_uuid_v7())) {
    store = std::move(*ContentStore::open({.folder = folder}));
  }
  ~StoredArtifactTest() override { fs::remove_all(folder); }
  static Digest digest_of(const std::string& bytes) { return Digest::of_sha256_hex(sha256_hex(bytes)); }
  Digest put(const std::string& bytes) {
    const auto digest = digest_of(bytes);
    EXPECT_TRUE(store->put(digest, bytes.size(), bytes));
    return digest;
  }
  static std::string descriptor(const std::string& type, const std::string& bytes) {
    return fmt::format(R"({{"mediaType":"{}","digest":"{}","size":{}}})", type, digest_of(bytes).str(), bytes.size());
  }
  static std::string manifest_of(const std::string& layer) {
    return fmt::format(
        R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]}})",
        descriptor("application/vnd.oci.image.config.v1+json", "{}"),
        descriptor("application/vnd.oci.image.layer.v1.tar", layer));
  }

  fs::path folder;
  std::unique_ptr<ContentStore> store;
};

TEST_F(StoredArtifactTest, IsWholeWhenEveryBlobIsThere) {
  const auto manifest = put(manifest_of("layer"));
  EXPECT_EQ(blobs_of(*store, manifest), (std::vector{manifest, digest_of("layer")}));
  EXPECT_FALSE(is_whole(*store, manifest));
  put("layer");
  EXPECT_TRUE(is_whole(*store, manifest));
}

TEST_F(StoredArtifactTest, FollowsAnIndex) {
  const auto text = manifest_of("layer");
  const auto manifest = put(text);
  put("layer");
  const auto index =
      put(fmt::format(R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{}]}})",
                      descriptor("application/vnd.oci.image.manifest.v1+json", text)));
  EXPECT_EQ(blobs_of(*store, index), (std::vector{index, manifest, digest_of("layer")}));
  EXPECT_TRUE(is_whole(*store, index));
}

TEST_F(StoredArtifactTest, KnowsNothingWithoutTheManifest) {
  EXPECT_TRUE(blobs_of(*store, digest_of("manifest")).empty());
  EXPECT_FALSE(is_whole(*store, put("no manifest")));
}

}  // namespace
}  // namespace windlass
