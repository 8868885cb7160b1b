#include "deploy/encrypted_files.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "deploy/plain_content.h"
#include "sops/vectors.h"
#include "sys/content_hash.h"
#include "sys/crypto.h"
#include "sys/fake_process.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

class EncryptedFilesTest : public ::testing::Test {
 protected:
  EncryptedFilesTest() : folder_(fs::temp_directory_path() / ("windlass-" + new_uuid_v7())) {
    tree_.root = folder_ / "tree";
    fs::create_directories(tree_.root);
    processes_.answer = [](const Command&) -> Result<Exit> { return fail(Kind::not_found, "no sops"); };
    make();
  }
  ~EncryptedFilesTest() override {
    files_.reset();
    fs::remove_all(folder_);
  }
  void make(const std::string& key = "key.txt") {
    files_.reset();
    decryptor_ = std::make_unique<sops::Decryptor>(
        std::map<std::string, std::string>{{"SOPS_AGE_KEY", sops::vector_key(key)}}, processes_);
    files_ = std::make_unique<EncryptedFiles>(
        EncryptedFiles::Options{.decryptor = decryptor_.get(), .folder = folder_ / "run/1", .hash_key = Secret("key")},
        Log({.level = LogLevel::critical}), Deadline());
  }
  void file(const std::string& path, const std::string& text) {
    std::ofstream(tree_.root / path) << text;
    tree_.entries.push_back({.path = path,
                             .mode = 0640,
                             .size_bytes = text.size(),
                             .content = content_hash_hex(Secret("key"), text),
                             .has_cipher_text = text.find("ENC[") != text.npos});
    std::sort(tree_.entries.begin(), tree_.entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  }
  static json::object model(const std::string& text) { return parse_json(text)->get_object(); }

  fs::path folder_;
  UnpackedTree tree_;
  FakeProcessRunner processes_;
  std::unique_ptr<sops::Decryptor> decryptor_;
  std::unique_ptr<EncryptedFiles> files_;
};

TEST_F(EncryptedFilesTest, CostNothingWhereThereAreNone) {
  file("compose.yaml", "services: {}\n");
  file("README.md", "sops writes ENC[AES256_GCM,data:x]\n");
  ASSERT_TRUE(files_->find(tree_));
  EXPECT_EQ(files_->folder(), tree_.root);
  EXPECT_FALSE(fs::exists(folder_ / "run"));
  EXPECT_TRUE(processes_.ran.empty());
  EXPECT_TRUE(files_
                  ->mounted(model(R"({"services":{"a":{"volumes":[{"type":"bind","source":"/live","target":"/x"}]}}})"),
                            "/live", tree_)
                  ->empty());
}

TEST_F(EncryptedFilesTest, ArePlainInAViewThatGoesWithTheRun) {
  file("db.env", sops::vector("all.env"));
  file("compose.yaml", "services: {}\n");
  ASSERT_TRUE(files_->find(tree_));
  EXPECT_EQ(read_file(files_->folder() / "db.env", 1 << 20).value_or(""), sops::vector("expected/all.env"));
  EXPECT_EQ(read_file(files_->folder() / "compose.yaml", 1 << 20).value_or(""), "services: {}\n");
  EXPECT_EQ(read_source_file(files_->source(tree_), "db.env", 1 << 20).value_or(""), sops::vector("expected/all.env"));
  EXPECT_EQ(read_file(tree_.root / "db.env", 1 << 20).value_or(""), sops::vector("all.env"));
  EXPECT_FALSE(files_->values().empty());
  files_.reset();
  EXPECT_FALSE(fs::exists(folder_ / "run/1"));
}

TEST_F(EncryptedFilesTest, ThatContainersMountAreOnRecordByAKeyedHash) {
  file("token.txt", sops::vector("all.txt"));
  file("unused.env", sops::vector("all.env"));
  ASSERT_TRUE(files_->find(tree_));
  const auto plain = files_->mounted(
      model(R"({"services":{"a":{"secrets":[{"source":"t"}]}},"secrets":{"t":{"file":"/live/token.txt"}}})"), "/live",
      tree_);
  ASSERT_TRUE(plain) << plain.error().message;
  ASSERT_EQ(plain->size(), 1u);
  const auto& entry = plain->at("token.txt");
  const auto text = sops::vector("plain/all.txt");
  EXPECT_EQ(entry.content, mark_plain_content(content_hash_hex(Secret("key"), text)));
  EXPECT_EQ(entry.size_bytes, text.size());
  EXPECT_EQ(entry.mode, 0640u);
}

TEST_F(EncryptedFilesTest, ForSomebodyElseFailOnlyWhereTheyAreUsed) {
  file("mine.env", sops::vector("all.env"));
  file("theirs.yaml", sops::vector("other_key.yaml"));
  ASSERT_TRUE(files_->find(tree_));
  const auto unusable = read_file(files_->folder() / "theirs.yaml", 100).value_or("");
  EXPECT_EQ(unusable, "\"") << "neither YAML nor an env file";
  const std::string why = "cannot decrypt theirs.yaml: needs one of age1";
  const auto bind = R"({"services":{"a":{"volumes":[{"type":"bind","source":"/live/NAME","target":"/x"}]}}})";
  const auto mounted = [&](std::string name) {
    auto text = std::string(bind);
    return files_->mounted(model(text.replace(text.find("NAME"), 4, name)), "/live", tree_);
  };
  EXPECT_TRUE(mounted("mine.env"));
  ASSERT_FALSE(mounted("theirs.yaml"));
  EXPECT_EQ(mounted("theirs.yaml").error().message.find("failed to decrypt project file 'theirs.yaml': " + why), 0u);
  EXPECT_EQ(mounted("theirs.yaml").error().kind, Kind::denied);
  const auto read = read_source_file(files_->source(tree_), "theirs.yaml", 1 << 20);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message.find("failed to decrypt file theirs.yaml: " + why), 0u);
  // What compose says of the view is answered with the reason.
  EXPECT_EQ(files_->explain({Kind::invalid, "failed to read theirs.yaml: line 1"})
                .message.find("failed to decrypt file theirs.yaml: " + why),
            0u);
  EXPECT_EQ(
      files_->explain({Kind::invalid, "no such service"})
          .message.find("no such service; if a file that was not decrypted is to blame: failed to decrypt file theirs"),
      0u);
}

TEST_F(EncryptedFilesTest, AreDecryptedOncePerRun) {  // secrets/Q16, Q36
  make("other_key.txt");                              // so that the command is asked, whose calls are counted
  processes_.answer = [](const Command&) -> Result<Exit> { return Exit{.out = "A=from sops\n"}; };
  file("a.env", sops::vector("all.env"));
  file("b.env", sops::vector("all.env"));
  ASSERT_TRUE(files_->find(tree_));
  const auto source = files_->source(tree_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(read_source_file(source, "a.env", 1 << 20).value_or(""), "A=from sops\n");
  EXPECT_LE(processes_.ran.size(), 2u) << "two at once may both ask";
}

TEST_F(EncryptedFilesTest, AreNotMoreThanMemoryShouldHold) {
  std::set<std::string> paths;
  for (int i = 0; i < 5; ++i) {
    const auto path = "f" + std::to_string(i) + ".yaml";
    file(path, sops::vector("groups.yaml") + "# " + path + "\n");
    paths.insert(path);
  }
  processes_.answer = [](const Command&) -> Result<Exit> { return Exit{.out = std::string(16 << 20, 'x')}; };
  ASSERT_TRUE(files_->find(tree_));
  const auto plain = files_->mounted(paths, tree_);
  ASSERT_FALSE(plain);
  EXPECT_NE(plain.error().message.find(": all decrypted files together are over 67108864 bytes"), std::string::npos)
      << plain.error().message;
}

TEST_F(EncryptedFilesTest, KeepFromTheLogWhatIsNoFileOfItsOwn) {  // secrets/B1
  const auto of_bytes = [](std::size_t bytes, char filling) {
    std::string text = fmt::format("line of a {} value\\n", filling);
    return text + std::string(bytes - text.size() + 1, filling);  // \n is one byte of the value
  };
  processes_.answer = [&](const Command&) -> Result<Exit> {
    return Exit{.out =
                    fmt::format("shorter: \"{}\"\nlongest: \"{}\"\nlonger: \"{}\"\n", of_bytes(20'000, 'a'),
                                of_bytes(sops::kToldValueBytesMax, 'b'), of_bytes(sops::kToldValueBytesMax + 1, 'c'))};
  };
  Log log({.level = LogLevel::critical});
  files_ = std::make_unique<EncryptedFiles>(
      EncryptedFiles::Options{.decryptor = decryptor_.get(), .folder = folder_ / "run/1", .hash_key = Secret("key")},
      log, Deadline());
  file("a.yaml", sops::vector("groups.yaml"));
  ASSERT_TRUE(files_->find(tree_));
  EXPECT_EQ(files_->values().size(), 2u);
  EXPECT_EQ(log.masked("<line of a a value> <line of a b value> <line of a c value>"),
            "<***> <***> <line of a c value>");
}

TEST_F(EncryptedFilesTest, OfABuildAreReadFromTheView) {  // secrets/Q19
  file("Dockerfile", sops::vector("all.txt"));
  file("token.txt", sops::vector("all.txt"));
  file("plain.txt", "plain");
  ASSERT_TRUE(files_->find(tree_));
  const auto root = tree_.root.string(), view = files_->folder().string();
  auto built = model(R"({"services":{"a":{"build":{"context":")" + root + R"("}},"b":{"build":{"context":")" + root +
                     R"(","dockerfile":"other"}},"c":{}},)" + R"("secrets":{"t":{"file":")" + root +
                     R"(/token.txt"},"p":{"file":")" + root + R"(/plain.txt"}}})");
  files_->put_build_files(built, tree_.root);
  EXPECT_EQ(built.at("services").at("a").at("build").at("dockerfile").as_string(), view + "/Dockerfile");
  EXPECT_EQ(built.at("services").at("b").at("build").at("dockerfile").as_string(), "other");
  EXPECT_EQ(built.at("secrets").at("t").at("file").as_string(), view + "/token.txt");
  EXPECT_EQ(built.at("secrets").at("p").at("file").as_string(), root + "/plain.txt");
}

}  // namespace
}  // namespace windlass
