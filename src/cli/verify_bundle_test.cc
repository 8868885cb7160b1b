#include "cli/verify_bundle.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "sigstore/bundle_fixture.h"
#include "sys/files.h"

namespace windlass {
namespace {

// A folder with a signed file, its bundle, its key and the trusted root of the private instance.
class VerifyBundleTest : public testing::Test {
 protected:
  VerifyBundleTest() {
    std::filesystem::create_directories(folder);
    write("file", "content");
    write("root.json", json::serialize(test_instance().trusted_root_json()));
    const auto message = std::string("content");
    const auto signature = key.sign(message);
    const auto entry = test_instance().log_entry("hashedrekord", hashedrekord_body(message, signature, key.pem()));
    const json::value bundle = {
        {"mediaType", "application/vnd.dev.sigstore.bundle.v0.3+json"},
        {"verificationMaterial", {{"publicKey", {{"hint", ""}}}, {"tlogEntries", json::array{entry}}}},
        {"messageSignature", {{"signature", base64_encode(signature)}}}};
    write("bundle.json", json::serialize(bundle));
    write("key.pub", key.pem());
  }
  ~VerifyBundleTest() override { std::filesystem::remove_all(folder); }

  void write(const std::string& name, std::string_view content) {
    if (const auto status = write_file(folder / name, content); !status) FAIL() << status.error().message;
  }
  std::string file(const std::string& name) const { return (folder / name).string(); }
  VerifyBundleCommand by_key() const {
    return {.bundle = file("bundle.json"),
            .key = file("key.pub"),
            .trusted_root = file("root.json"),
            .file_or_digest = file("file")};
  }

  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("windlass-verify-bundle-" + to_hex(random_bytes(8)));
  const TestKey key = TestKey::ec("P-256");
};

TEST_F(VerifyBundleTest, TellsEveryStep) {
  const auto outcome = verify_bundle_file(by_key(), "", kSigned);
  EXPECT_EQ(outcome.exit_code, 0);
  const auto name = "key " + key.public_key().fingerprint();
  EXPECT_NE(outcome.output.find("ok   transparency log: log entry 77 proven\n"), std::string::npos) << outcome.output;
  EXPECT_TRUE(outcome.output.ends_with("trusted by " + name + "\n")) << outcome.output;
}

TEST_F(VerifyBundleTest, TakesADigestInPlaceOfTheFile) {
  auto command = by_key();
  command.file_or_digest = "sha256:" + sha256_hex("content");
  EXPECT_EQ(verify_bundle_file(command, "", kSigned).exit_code, 0);
  command.file_or_digest = "sha256:" + sha256_hex("other");
  const auto outcome = verify_bundle_file(command, "", kSigned);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(outcome.output.ends_with("found another one\nnot trusted\n")) << outcome.output;
}

TEST_F(VerifyBundleTest, TakesTheTrustedRootOfTheSettings) {
  auto command = by_key();
  command.trusted_root = "";
  EXPECT_EQ(verify_bundle_file(command, file("root.json"), kSigned).exit_code, 0);
  EXPECT_EQ(
      verify_bundle_file(command, "", kSigned).output,
      "not trusted: want a trusted root: --trusted-root FILE or OCI_TRUSTED_ROOT_FILE names its trusted_root.json\n");
}

TEST_F(VerifyBundleTest, SaysWhichFileIsWrong) {
  struct Case {
    std::string VerifyBundleCommand::*field;
    std::string value, message;
  };
  write("empty", "");
  const Case cases[] = {
      {&VerifyBundleCommand::key, file("empty"),
       "reading key " + file("empty") + ": found no PEM block (-----BEGIN …-----)"},
      {&VerifyBundleCommand::trusted_root, file("empty"), "trusted root: invalid JSON at byte 1: incomplete JSON"},
      {&VerifyBundleCommand::key, "", "issuer: is required"},
  };
  for (const auto& [field, value, message] : cases) {
    SCOPED_TRACE(message);
    auto command = by_key();
    command.*field = value;
    const auto outcome = verify_bundle_file(command, "", kSigned);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.output, "not trusted: " + message + "\n");
  }
  for (const auto field : {&VerifyBundleCommand::bundle, &VerifyBundleCommand::key, &VerifyBundleCommand::trusted_root,
                           &VerifyBundleCommand::file_or_digest}) {
    auto command = by_key();
    command.*field = file("absent");
    const auto outcome = verify_bundle_file(command, "", kSigned);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.output.find("absent"), std::string::npos) << outcome.output;
  }
}

}  // namespace
}  // namespace windlass
