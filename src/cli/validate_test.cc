#include "cli/validate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "sys/json.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

struct Ended {
  int code = 0;
  std::string out, err;
};

class ValidateTest : public testing::Test {
 protected:
  ValidateTest() {
    char name[] = "/tmp/windlass-validate-XXXXXX";
    folder = ::mkdtemp(name);
    file("compose.yaml", "services: {}\n");
  }
  ~ValidateTest() override { fs::remove_all(folder); }
  void file(const std::string& path, const std::string& text) {
    fs::create_directories((folder / path).parent_path());
    std::ofstream(folder / path) << text;
  }
  Ended run(bool is_strict = false, bool as_json = false) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = validate({.folder = folder, .is_strict = is_strict, .as_json = as_json}, {});
    return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
  }
  fs::path folder;
};

TEST_F(ValidateTest, NamesTheStacks) {
  file(".doco-cd.yaml", "name: web\n---\nname: side\n");
  file(".doco-cd.prod.yaml", "auto_discovery: true\nworking_dir: apps\n");
  file("apps/shop/compose.yaml", "services: {}\n");
  const auto ended = run();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out, "valid: .doco-cd.yaml, .doco-cd.prod.yaml of " + folder.string() + ": stacks web, side, shop\n");
}

TEST_F(ValidateTest, SaysThatNoStackWasFound) {
  file(".doco-cd.yaml", "auto_discovery: true\nworking_dir: apps\ncompose_files: [compose.yaml]\n");
  file("apps/readme", "");
  const auto ended = run();
  EXPECT_EQ(ended.out, "valid: .doco-cd.yaml of " + folder.string() + ": no stack\n");
  EXPECT_EQ(ended.err,
            "warning: auto_discovery: no stack found: neither apps nor a folder below it holds compose.yaml\n");
}

TEST_F(ValidateTest, TellsEachFaultOfAFileInALineOfItsOwn) {
  file(".doco-cd.yaml", "name: web\ntimeout: soon; .doco-cd.yaml\nbuild: 7\nrollback: {keep: 0}\n");
  const auto said = run().err;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 3) << said;
  for (const auto* place : {".doco-cd.yaml:2: timeout", ".doco-cd.yaml:3: build", ".doco-cd.yaml:4: keep"})
    EXPECT_NE(said.find(place), std::string::npos) << said;
}

TEST_F(ValidateTest, TellsEveryFault) {
  file(".doco-cd.yaml", "name: web\ntimeout: soon\ncolour: red\n");
  file(".doco-cd.prod.yaml", "name: prod\ncompose_files: [other.yaml]\n");
  const auto ended = run();
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.err.find("fault: invalid deploy configuration: failed to decode yaml: .doco-cd.yaml:2: timeout"),
            std::string::npos)
      << ended.err;
  EXPECT_NE(ended.err.find("fault: .doco-cd.prod.yaml: stack prod: invalid deploy configuration: could not find"),
            std::string::npos)
      << ended.err;
}

TEST_F(ValidateTest, TakesUnknownKeysForFaultsWhenAskedTo) {
  file(".doco-cd.yaml", "name: web\ncolour: red\n");
  EXPECT_EQ(run().err, "warning: .doco-cd.yaml:2: unknown key \"colour\"\n");
  EXPECT_EQ(run(true).code, 1);
  const auto told = parse_json(run(false, true).out);
  ASSERT_TRUE(told);
  EXPECT_EQ(json::serialize(*told),
            R"({"valid":true,"faults":[],"warnings":[".doco-cd.yaml:2: unknown key \"colour\""],)"
            R"("configs":[".doco-cd.yaml"],"stacks":["web"]})");
}

TEST_F(ValidateTest, NeedsAFolderWithAConfig) {
  EXPECT_EQ(run().err, "fault: no .doco-cd.yaml, .doco-cd.yml or .doco-cd.<target>.yaml in the folder\n");
  fs::remove_all(folder);
  EXPECT_EQ(run().code, 2);
}

}  // namespace
}  // namespace windlass
