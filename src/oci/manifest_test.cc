#include "oci/manifest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace windlass {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');
const std::string kOciManifest = "application/vnd.oci.image.manifest.v1+json";
const std::string kOciIndex = "application/vnd.oci.image.index.v1+json";

std::string layer(const std::string& more = "") {
  return fmt::format(R"({{"mediaType":"t","digest":"{}","size":3{}}})", kDigest, more);
}
std::string manifest(const std::string& layers, const std::string& more = "") {
  return fmt::format(R"({{"schemaVersion":2{},"layers":[{}]}})", more, layers);
}
std::string child(char digit, const std::string& more) {
  return fmt::format(R"({{"mediaType":"{}","digest":"sha256:{}","size":3{}}})", kOciManifest, std::string(64, digit),
                     more);
}
std::string platform(const std::string& os, const std::string& architecture) {
  return fmt::format(R"(,"platform":{{"os":"{}","architecture":"{}"}})", os, architecture);
}

TEST(Manifest, IsTakenApart) {
  const auto document = parse_manifest(
      manifest(layer(R"(,"annotations":{"a":"1"},"data":"YWJj")") + "," + layer(),
               R"(,"mediaType":")" + kOciManifest + R"(","artifactType":"x/y","config":{"mediaType":"c/d"})"),
      kOciManifest + "; charset=utf-8");
  ASSERT_TRUE(document) << document.error().message;
  const auto& image = std::get<ImageManifest>(*document);
  EXPECT_EQ(image.media_type, kOciManifest);
  EXPECT_EQ(image.artifact_type, "x/y");
  ASSERT_EQ(image.layers.size(), 2u);
  EXPECT_EQ(image.layers[0].digest.str(), kDigest);
  EXPECT_EQ(image.layers[0].size_bytes, 3u);
  EXPECT_EQ(image.layers[0].annotations.at("a"), "1");
  EXPECT_EQ(image.layers[0].data, "abc");
  EXPECT_EQ(
      std::get<ImageManifest>(*parse_manifest(manifest(layer(), R"(,"config":{"mediaType":"c/d"})"), "")).artifact_type,
      "c/d");
}

TEST(Manifest, HasItsTypeFromWhereverItIsSaid) {  // oci 3.2
  const std::string docker = "application/vnd.docker.distribution.manifest.";
  const auto index = [](const std::string& more) { return R"({"schemaVersion":2)" + more + R"(,"manifests":[]})"; };
  const auto own = [](const std::string& type) { return R"(,"mediaType":")" + type + "\""; };
  const struct {
    std::string bytes, content_type;
    bool is_index;
  } rows[] = {
      {manifest(layer()), "", false},
      {manifest(layer()), kOciManifest, false},
      {manifest(layer()), docker + "v2+json", false},
      {manifest(layer(), own(docker + "v2+json")), "", false},
      {manifest(layer(), own(kOciManifest)), "Application/vnd.OCI.image.manifest.v1+json ; charset=utf-8", false},
      {index(""), "", true},
      {index(""), kOciIndex, true},
      {index(""), docker + "list.v2+json; q=1", true},
      {index(own(kOciIndex)), "", true},
      {index(own(docker + "list.v2+json")), docker + "list.v2+json", true},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.bytes + " " + row.content_type);
    const auto document = parse_manifest(row.bytes, row.content_type);
    ASSERT_TRUE(document) << document.error().message;
    EXPECT_EQ(std::holds_alternative<ImageIndex>(*document), row.is_index);
  }
}

// oci 3.2, reliability/F48, F49, P10
TEST(Manifest, SaysWhyItRefusesADocument) {
  std::string many = layer();
  for (int i = 0; i < 128; ++i) many += "," + layer();
  const auto twice = [](const std::string& key) {  // reliability/P10
    return "reading the manifest: key '" + key + "' stands twice in one object";
  };
  const struct {
    std::string bytes, type, message;
  } rows[] = {
      {"[]", "", "manifest is not a JSON object"},
      {R"({"schemaVersion":1,"fsLayers":[]})", "",
       "manifest must have schemaVersion 2; push it again with a current client"},
      {R"({"schemaVersion":2,"manifests":[],"layers":[]})", "", "document is manifest and index at once"},
      {R"({"schemaVersion":2,"manifests":[],"config":{}})", kOciIndex, "document is manifest and index at once"},
      {manifest(layer(), R"(,"mediaType":")" + kOciIndex + "\""), kOciManifest,
       "mediaType '" + kOciIndex + "' differs from the Content-Type '" + kOciManifest + "'"},
      {manifest(layer()), "text/html", "unknown manifest type 'text/html'"},
      {manifest(layer()), kOciIndex, "index has no manifests"},
      {manifest(""), "", "invalid OCI artifact layout: no layers in artifact"},
      {R"({"schemaVersion":2})", "", "invalid OCI artifact layout: no layers in artifact"},
      {manifest(many), "", "manifest has 129 layers, at most 128 are taken"},
      {manifest(layer(R"(,"urls":["https://evil.example/x"])")), "",
       "layer 1 has foreign urls, which are never contacted"},
      {manifest(layer() + ",1"), "", "layer 2 must be an object"},
      {manifest(R"({"digest":"sha256:12","size":1})"), "", "layer 1 digest sha256 needs 64 hex characters, got 2"},
      {manifest(fmt::format(R"({{"digest":"{}"}})", kDigest)), "", "layer 1 size must be a number of bytes"},
      {manifest(fmt::format(R"({{"digest":"{}","size":-1}})", kDigest)), "", "layer 1 size must be a number of bytes"},
      {manifest(layer(R"(,"data":"%%")")), "", "layer 1 data is not base64"},
      {manifest(layer(), R"(,"layers":[])"), "", twice("layers")},
      {manifest(layer(), R"(,"l\u0061yers":[])"), "", twice("layers")},
      {manifest(layer(), R"(,"mediaType":"a","mediaType":"b")"), kOciManifest, twice("mediaType")},
      {manifest(layer(R"(,"size":3)")), "", twice("size")},
      {manifest(layer(R"(,"annotations":{"a":"1","b":"2","a":"1"})")), "", twice("a")},
      {manifest(layer(), R"(,"config":{"mediaType":"c/d","mediaType":"c/d"})"), "", twice("mediaType")},
      {R"({"schemaVersion":2,"manifests":[],"manifests":[]})", "", twice("manifests")},
      {R"({"schemaVersion":2,"manifests":[)" + child('1', R"(,"digest":"x")") + "]}", "", twice("digest")},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.message);
    const auto document = parse_manifest(row.bytes, row.type);
    ASSERT_FALSE(document) << "was accepted";
    EXPECT_EQ(document.error().kind, Kind::invalid);
    EXPECT_EQ(document.error().message, row.message);
  }
  EXPECT_TRUE(parse_manifest("{", "").error().message.starts_with("reading the manifest: "));
}

TEST(ImageIndex, ChoosesAChild) {
  const auto compose = std::string(R"(,"artifactType":"application/vnd.docker.compose.project")");
  const struct {
    std::string name, children;
    char chosen;  // 0: none
  } rows[] = {
      {"linux/amd64", child('1', platform("linux", "arm64")) + "," + child('2', platform("linux", "amd64")), '2'},
      {"no platform counts as linux/amd64", child('1', platform("linux", "arm64")) + "," + child('2', ""), '2'},
      {"the first of several", child('1', "") + "," + child('2', ""), '1'},
      {"compose", child('1', platform("linux", "arm64")) + "," + child('2', platform("any", "any") + compose), '2'},
      {"two of compose are none",
       child('1', platform("any", "any") + compose) + "," + child('2', platform("any", "any") + compose) + "," +
           child('3', platform("linux", "riscv64")),
       '3'},
      {"two of compose and nothing else",
       child('1', platform("a", "b") + compose) + "," + child('2', platform("a", "b") + compose), 0},
      {"host", child('1', platform("linux", "s390x")) + "," + child('2', platform("linux", "riscv64")), '2'},
      {"the only real one", child('1', platform("unknown", "unknown")) + "," + child('2', platform("linux", "arm64")),
       '2'},
      {"none fits", child('1', platform("linux", "arm64")) + "," + child('2', platform("linux", "s390x")), 0},
      {"empty", "", 0},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto document = parse_manifest(R"({"schemaVersion":2,"manifests":[)" + row.children + "]}", "");
    ASSERT_TRUE(document) << document.error().message;
    const auto chosen = choose_child(std::get<ImageIndex>(*document), {"linux", "riscv64"});
    EXPECT_EQ(chosen.has_value(), row.chosen != 0);
    if (chosen)
      EXPECT_EQ(chosen->digest.hex().front(), row.chosen);
    else
      EXPECT_EQ(chosen.error().message, "no child with platform linux/amd64 in the index");
  }
}

}  // namespace
}  // namespace windlass
