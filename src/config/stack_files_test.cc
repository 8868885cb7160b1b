// The files that a stack's configuration leads to: compose files and env files.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "config/deploy_config_fixture.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;
using StackFiles = DeployConfigFile;

TEST_F(StackFiles, AreTheComposeFilesThatExist) {
  const DeployConfig config = load("name: web\nworking_dir: app\n")->stacks[0];
  EXPECT_EQ(find_compose_files(root_, config).error().message,
            "invalid deploy configuration: no compose files found in app: looked for compose.yaml, compose.yml, "
            "docker-compose.yml, docker-compose.yaml");
  file("app/docker-compose.yaml", "");
  file("app/compose.yml", "");
  EXPECT_EQ(*find_compose_files(root_, config), (Lines{"app/compose.yml", "app/docker-compose.yaml"}));
}

// config 4: the list counts, not that it was written
TEST_F(StackFiles, MayBeMissingWhereTheListIsTheDefault) {
  file("compose.yml", "");
  const DeployConfig config =
      load("name: web\ncompose_files: [compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml]\n")
          ->stacks[0];
  EXPECT_EQ(*find_compose_files(root_, config), Lines{"compose.yml"});
}

TEST_F(StackFiles, MustExistWhenNamed) {
  file("a.yaml", "");
  const DeployConfig config = load("name: web\ncompose_files: [a.yaml, b.yaml]\n")->stacks[0];
  EXPECT_EQ(find_compose_files(root_, config).error().message,
            "invalid deploy configuration: could not find compose file: b.yaml");
  fs::create_symlink("a.yaml", root_ / "b.yaml");
  EXPECT_EQ(*find_compose_files(root_, config), (Lines{"a.yaml", "b.yaml"}));
  fs::remove(root_ / "b.yaml");
  fs::create_symlink("../outside.yaml", root_ / "b.yaml");
  EXPECT_EQ(find_compose_files(root_, config).error().message,
            "invalid deploy configuration: invalid file path: b.yaml leads out of the source");
  fs::remove(root_ / "b.yaml");
  fs::create_directory(root_ / "b.yaml");
  EXPECT_EQ(find_compose_files(root_, config).error().message,
            "invalid deploy configuration: invalid file path: b.yaml is not a regular file");
}

TEST_F(StackFiles, GiveTheEnvironmentInOneOrder) {  // config 6
  file("app/a.env", "A=file\nB=file\nC=file-a\nD=${A}-${B}-${C}\n");
  file("b.env", "C=file-b\nE=${C}\nF=${D}\n");
  const DeployConfig config =
      load("name: web\nworking_dir: app\nenvironment: {A: config}\nenv_files: [a.env, ../b.env]\n")->stacks[0];
  EXPECT_EQ(*interpolation_environment(root_, config, {{"A", "process"}, {"B", "process"}}),
            (Variables{{"A", "config"},
                       {"B", "process"},
                       {"C", "file-b"},
                       {"D", "config-process-file-a"},
                       {"E", "file-a"},
                       {"F", "config-process-file-a"}}));
}

TEST_F(StackFiles, IncludeEveryEnvFileThatIsNamed) {
  EXPECT_EQ(*interpolation_environment(root_, load("name: web\n")->stacks[0], {}), Variables{});
  EXPECT_EQ(interpolation_environment(root_, load("name: web\nenv_files: [.env]\n")->stacks[0], {}).error().message,
            "env file: opening .env: no such file or directory");
  file(".env", "A=1\n");
  EXPECT_EQ(*interpolation_environment(root_, load("name: web\n")->stacks[0], {}), (Variables{{"A", "1"}}));
  EXPECT_EQ(*interpolation_environment(root_, load("name: web\nenv_files: []\n")->stacks[0], {}), Variables{});
}

TEST_F(StackFiles, AreNeverOutside) {  // reliability/T10
  fs::create_symlink("/proc/self/environ", root_ / ".env");
  const auto config = load("name: web\n")->stacks[0];
  EXPECT_EQ(interpolation_environment(root_, config, {}).error().message, "env file: .env leads out of the source");
  fs::remove(root_ / ".env");
  ::mkfifo((root_ / ".env").c_str(), 0600);
  EXPECT_EQ(interpolation_environment(root_, config, {}).error().message, "env file: .env is not a regular file");
}

// reliability/T10: what was found there a moment ago counts for nothing
TEST_F(StackFiles, AreNeverOutsideEvenIfTheyChangeMeanwhile) {
  file("../outside.env", "A=outside\n");
  file(".env", "A=inside\n");
  const auto config = load("name: web\n")->stacks[0];
  const std::jthread changes([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      fs::create_symlink("../outside.env", root_ / "link");
      fs::rename(root_ / "link", root_ / ".env");
      file("file", "A=inside\n");
      fs::rename(root_ / "file", root_ / ".env");
    }
  });
  for (int i = 0; i < 1000; ++i) {
    const auto read = interpolation_environment(root_, config, {});
    if (read)
      EXPECT_EQ(*read, (Variables{{"A", "inside"}}));
    else
      EXPECT_EQ(read.error().message, "env file: .env leads out of the source");
  }
}

// secrets/Q5, Q7: whatever is read here is read in plain text
TEST_F(StackFiles, MayBeEncrypted) {
  std::vector<std::string> asked;
  SourceFiles files(root_);
  files.decrypt = [&](const std::string& path, const std::string& text) -> Result<std::optional<std::string>> {
    asked.push_back(path);
    if (text.find("for me") != text.npos)
      return std::optional("services: {web: {environment: {A: b}}}\n" + std::string());
    if (text.find("env") != text.npos) return std::optional<std::string>("A=decrypted\n");
    if (text.find("config") != text.npos) return std::optional<std::string>("name: web\ntimeout: 7\n");
    if (text.find("mentions") != text.npos) return std::optional<std::string>();
    return fail(Kind::denied, "no key");
  };
  file(".doco-cd.yaml", "config: ENC[x]\n");
  const auto configs = load_deploy_configs(files, "", {});
  ASSERT_TRUE(configs) << configs.error().message;
  EXPECT_EQ(configs->stacks[0].timeout_seconds, 7);
  file(".env", "env=ENC[x]\n");
  EXPECT_EQ(*interpolation_environment(files, configs->stacks[0], {}), (Variables{{"A", "decrypted"}}));
  file(".env", "A=mentions ENC[\n");
  EXPECT_EQ(*interpolation_environment(files, configs->stacks[0], {}), (Variables{{"A", "mentions ENC["}}));
  file(".env", "A=ENC[other]\n");
  EXPECT_EQ(interpolation_environment(files, configs->stacks[0], {}).error().message, "env file: no key");
  file("compose.yaml", "- for me ENC[x]\n");
  EXPECT_TRUE(check_compose_file(files, "compose.yaml"));
  file(".env", "A=plain\n");
  asked.clear();
  EXPECT_EQ(*interpolation_environment(files, configs->stacks[0], {}), (Variables{{"A", "plain"}}));
  EXPECT_TRUE(asked.empty()) << "a file without cipher text is nobody's business";
}

TEST_F(StackFiles, OfComposeAreReadWithinLimits) {  // reliability 8
  const auto said = [&](const std::string& text) {
    file("compose.yaml", text);
    const auto good = check_compose_file(root_, "compose.yaml");
    return good ? "good" : good.error().message;
  };
  EXPECT_EQ(said("services: {a: {image: x, command: !reset null}}\n---\nservices: {}\n"), "good");
  EXPECT_EQ(said("# nothing\n"), "compose.yaml: is empty");
  EXPECT_EQ(said("services: {}\n---\n- a\n"), "compose.yaml:3: a compose file must be a mapping");
  std::string bomb = "x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n";
  for (int i = 1; i < 10; ++i)
    bomb += fmt::format("x{0}: &x{0} [*x{1}, *x{1}, *x{1}, *x{1}, *x{1}, *x{1}, *x{1}, *x{1}, *x{1}]\n", i, i - 1);
  EXPECT_NE(said(bomb), "good");
  EXPECT_NE(said("a: " + std::string(20'000, '[') + std::string(20'000, ']') + "\n"), "good");
}

}  // namespace
}  // namespace windlass
