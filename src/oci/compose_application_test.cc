#include "oci/compose_application.h"

#include <gtest/gtest.h>

#include "oci/unpack_fixture.h"

namespace windlass {
namespace {

const std::string kProject = "application/vnd.docker.compose.project";
const std::string kComposeFile = "application/vnd.docker.compose.file+yaml";
const std::string kVariables = "application/vnd.docker.compose.envfile";

class ComposeApplication : public UnpackFixture {
 protected:
  void add(const std::string& type, const std::string& text, Annotations annotations = {}) {
    artifact.layers.push_back(layer(text, std::move(annotations)));
    artifact.layers.back().media_type = type;
  }
  void add_extended(const std::string& name, const std::string& text) {
    add(kComposeFile, text, {{"com.docker.compose.file", name}, {"com.docker.compose.extends", "true"}});
  }
  std::string refused() {
    auto message = message_of(unpack(artifact, root, limits, Secret("key"), deadline));
    artifact.layers.clear();
    return message;
  }

  FetchedArtifact artifact{.digest = Digest::of_sha256_hex(std::string(64, 'a')),
                           .manifest_digest = Digest::of_sha256_hex(std::string(64, 'a')),
                           .artifact_type = kProject};
};

TEST_F(ComposeApplication, IsJoinedIntoOneFile) {
  add(kComposeFile, "services: {a: {extends: {file: f00.yaml, service: a}}}\n",
      {{"com.docker.compose.file", "compose.yml"}, {"com.docker.compose.version", "2.40.3"}});
  add_extended("f00.yaml", "services: {a: {image: x}}\n");
  add(kVariables, "A=1\n", {{"com.docker.compose.envfile", "f01.env"}});
  add(kComposeFile, "services: {b: {image: y}}\n", {{"com.docker.compose.file", "override.yml"}});
  add("application/vnd.docker.compose.config.empty.v1+json", "{}");
  const auto tree = unpack(artifact, root, limits, Secret("key"), deadline);
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_EQ(listing(*tree), "compose.yaml f00.yaml f01.env");
  EXPECT_EQ(content_of("compose.yaml"),
            "services: {a: {extends: {file: f00.yaml, service: a}}}\n\n---\nservices: {b: {image: y}}\n");
  EXPECT_EQ(content_of("f00.yaml"), "services: {a: {image: x}}\n");
  EXPECT_EQ(content_of("f01.env"), "A=1\n");
  EXPECT_EQ(mode_of(root / "compose.yaml"), 0644u);
  EXPECT_EQ(tree->find("compose.yaml")->content, content_hash_hex(Secret("key"), content_of("compose.yaml")));
  EXPECT_EQ(tree->notes, std::vector<std::string>{
                             "a layer of type application/vnd.docker.compose.config.empty.v1+json is left out"});
}

TEST_F(ComposeApplication, IsKnownByItsType) {
  for (const auto& [type, is_one] : {std::pair<std::string, bool>{kProject, true},
                                     {"application/vnd.docker.compose.config.empty.v1+json", true},
                                     {"application/vnd.oci.image.config.v1+json", false},
                                     {"", false}}) {
    artifact.artifact_type = type;
    EXPECT_EQ(is_compose_application(artifact), is_one) << type;
  }
}

TEST_F(ComposeApplication, NamesNothingOutsideItsFolder) {
  const std::pair<std::string, std::string> rows[] = {
      {"../evil.yaml", "path traversal detected: '..' in the name"},
      {"/etc/evil.yaml", "path traversal detected: name is absolute"},
      {"sub/evil.yaml", "is not the name of a file alone"},
      {"./evil.yaml", "is not the name of a file alone"},
      {"..", "path traversal detected: '..' in the name"},
      {".", "is not the name of a file alone"},
      {"a\\b", "backslash in the name"},
      {"", "name is empty"},
      {".git", "is a name that git keeps for itself"},
      {"compose.yaml", "is the name of the joined compose file"},
  };
  for (const auto& [name, rule] : rows) {
    SCOPED_TRACE(name);
    add(kComposeFile, "services: {}");
    add_extended(name, "x");
    const auto extended = refused();
    EXPECT_TRUE(extended.starts_with("layer 2 of 2: com.docker.compose.file '")) << extended;
    EXPECT_TRUE(extended.ends_with(rule)) << extended;
    add(kVariables, "x", {{"com.docker.compose.envfile", name}});
    EXPECT_TRUE(refused().starts_with("layer 1 of 1: com.docker.compose.envfile '"));
  }
}

TEST_F(ComposeApplication, IsRefusedWithTheReason) {
  add(kVariables, "A=1");
  EXPECT_EQ(refused(), "layer 1 of 1: has no annotation com.docker.compose.envfile, which names its file");
  add_extended("only.yaml", "x");
  EXPECT_EQ(refused(), "compose application without a compose file");
  limits.bytes_max = 12;
  add(kComposeFile, "four");
  add(kComposeFile, "four");
  EXPECT_EQ(refused(), "artifact exceeds maximum allowed extraction size: 12 bytes") << "4 + 5 + 4 bytes";
  limits.bytes_max = 1000;
  limits.entries_max = 1;
  add_extended("f00.yaml", "x");
  add(kComposeFile, "four");
  EXPECT_EQ(refused(), "artifact exceeds maximum allowed number of entries: 1");
  limits.layers_max = 1;
  add(kComposeFile, "four");
  add(kComposeFile, "four");
  EXPECT_EQ(refused(), "2 layers, limit 1");
}

}  // namespace
}  // namespace windlass
