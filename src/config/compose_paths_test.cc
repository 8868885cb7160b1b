#include "config/compose_paths.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <map>

namespace windlass {
namespace {

namespace fs = std::filesystem;

class ComposePaths : public testing::Test {
 protected:
  ComposePaths() {
    auto name = (fs::temp_directory_path() / "windlass-paths-XXXXXX").string();
    root = ::mkdtemp(name.data());
  }
  ~ComposePaths() override { fs::remove_all(root); }

  // "" if the files are fine, else what is said of them.
  std::string verdict(const std::map<std::string, std::string>& files, const std::string& working_dir = ".") {
    fs::remove_all(root);
    for (const auto& [path, text] : files) {
      fs::create_directories((root / path).parent_path());
      std::ofstream(root / path) << text;
    }
    const auto file = working_dir == "." ? "compose.yaml" : working_dir + "/compose.yaml";
    const auto good = check_compose_paths(root, working_dir, {file});
    return good ? "" : good.error().message;
  }
  std::string verdict_on(const std::string& service) {
    return verdict({{"compose.yaml", "services:\n  web:\n    image: x\n    " + service + "\n"}});
  }

  fs::path root;
};

TEST_F(ComposePaths, MayStayInside) {
  for (const auto* service :
       {"env_file: a.env", "env_file: [a.env, sub/b.env]", "env_file: [{path: a.env, required: false}]",
        "env_file: ./sub/../a.env", "label_file: a.labels", "extends: {service: other}", "env_file:"})
    EXPECT_EQ(verdict_on(service), "") << service;
}

TEST_F(ComposePaths, MayNotLeave) {  // reliability/T10
  const std::pair<const char*, const char*> rows[] = {
      {"env_file: /etc/passwd", "service web: env_file /etc/passwd"},
      {"env_file: ../x", "service web: env_file ../x"},
      {"env_file: [a.env, sub/../../x]", "service web: env_file sub/../../x"},
      {"env_file: [{path: /proc/self/environ}]", "service web: env_file /proc/self/environ"},
      {"env_file: $X", "service web: env_file $X"},
      {"env_file: ~/.docker/config.json", "service web: env_file ~/.docker/config.json"},
      {"env_file: \"${X:-a.env}\"", "service web: env_file ${X:-a.env}"},
      {"label_file: [../x]", "service web: label_file ../x"},
      {"extends: {service: a, file: ../x.yaml}", "service web: extends ../x.yaml"},
      {"<<: {env_file: /etc/passwd}", "service web: env_file /etc/passwd"},
  };
  for (const auto& [service, fault] : rows)
    EXPECT_EQ(verdict_on(service), std::string("policy: ") + fault + " leaves the artifact, or may (compose.yaml:4)");
}

TEST_F(ComposePaths, AreJudgedInWhatIsIncludedToo) {
  const std::pair<std::map<std::string, std::string>, std::string> rows[] = {
      {{{"compose.yaml", "include: [oci://registry.test/x:1]\n"}},
       "include oci://registry.test/x:1 leaves the artifact, or may (compose.yaml:1)"},
      {{{"compose.yaml", "include: https://git.test/x.git\n"}},
       "include https://git.test/x.git leaves the artifact, or may (compose.yaml:1)"},
      {{{"compose.yaml", "include: [{path: a.yaml, env_file: /x}]\n"}, {"a.yaml", "services: {}\n"}},
       "include /x leaves the artifact, or may (compose.yaml:1)"},
      {{{"compose.yaml", "include: [{path: a.yaml, project_directory: ..}]\n"}, {"a.yaml", "services: {}\n"}},
       "include .. leaves the artifact, or may (compose.yaml:1)"},
      {{{"compose.yaml", "include: [sub/a.yaml]\n"}, {"sub/a.yaml", "services: {a: {env_file: ../../x}}\n"}},
       "service a: env_file ../../x leaves the artifact, or may (sub/a.yaml:1)"},
      {{{"compose.yaml", "include: [{path: [sub/a.yaml]}]\n"},
        {"sub/a.yaml", "include: [b.yaml]\n"},
        {"sub/b.yaml", "services: {b: {label_file: /x}}\n"}},
       "service b: label_file /x leaves the artifact, or may (sub/b.yaml:1)"},
      {{{"compose.yaml", "services: {a: {extends: {file: b.yaml, service: b}}}\n"},
        {"b.yaml", "services: {b: {env_file: /x}}\n"}},
       "service b: env_file /x leaves the artifact, or may (b.yaml:1)"},
  };
  for (const auto& [files, fault] : rows) EXPECT_EQ(verdict(files), "policy: " + fault);
}

// From which folder compose counts a path depends on how its file came in: it must be inside from all of them.
TEST_F(ComposePaths, AreInsideFromWhereverTheyMayBeCounted) {
  const std::map<std::string, std::string> files = {
      {"sub/deep/compose.yaml", "include: [{path: x/a.yaml, project_directory: .}]\n"},
      {"sub/deep/x/a.yaml", "services: {a: {env_file: ../../../b.env}}\n"}};
  EXPECT_EQ(verdict(files, "sub/deep"),
            "policy: service a: env_file ../../../b.env leaves the artifact, or may (sub/deep/x/a.yaml:1)");
}

TEST_F(ComposePaths, EndWhenFilesIncludeThemselves) {
  EXPECT_EQ(verdict({{"compose.yaml", "include: [a.yaml]\n"}, {"a.yaml", "include: [compose.yaml, a.yaml]\n"}}), "");
}

}  // namespace
}  // namespace windlass
