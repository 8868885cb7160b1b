#include "sigstore/checkpoint.h"

#include <gtest/gtest.h>

#include "sigstore/instance_fixture.h"

namespace windlass {
namespace {

const std::string kRoot = base64_encode(std::string(32, 'r'));
const std::string kText = "rekor.test - 42\n3\n" + kRoot + "\n";

std::string line(std::string_view name, const std::string& hint, const std::string& signature) {
  return fmt::format("\u2014 {} {}\n", name, base64_encode(hint + signature));
}

class CheckpointTest : public testing::Test {
 protected:
  const TestInstance& instance = test_instance();
  const std::string hint = TestInstance::id_of(instance.rekor_key).substr(0, 4);
  const std::string good = line("rekor.test", hint, instance.rekor_key.sign(kText));
  const std::string witness = line("witness.test/w1", "wxyz", std::string(72, 'w'));
  const TrustedRoot root = instance.root();
  const TransparencyLog& log = *root.transparency_log(TestInstance::id_of(instance.rekor_key));

  bool verifies(const std::string& note) {
    const auto checkpoint = read_checkpoint(note);
    return checkpoint && verify_checkpoint(*checkpoint, log);
  }
};

TEST_F(CheckpointTest, HoldsOriginSizeAndRoot) {
  const auto checkpoint = read_checkpoint(kText + "\n" + good);
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->origin, "rekor.test - 42");
  EXPECT_EQ(checkpoint->size, 3);
  EXPECT_EQ(checkpoint->root_hash, std::string(32, 'r'));
  EXPECT_TRUE(verify_checkpoint(*checkpoint, log));
}

TEST_F(CheckpointTest, TakesSignaturesOfWitnessesInAnyPlace) {
  EXPECT_TRUE(verifies(kText + "\n" + witness + good));
  EXPECT_TRUE(verifies(kText + "\n" + good + witness));
  EXPECT_FALSE(verifies(kText + "\n" + witness));
}

TEST_F(CheckpointTest, SignsEveryLine) {
  const auto text = kText + "an extension\n";
  EXPECT_TRUE(verifies(text + "\n" + line("rekor.test", hint, instance.rekor_key.sign(text))));
  EXPECT_FALSE(verifies(text + "\n" + good));
}

TEST_F(CheckpointTest, NeedsTheHintOfTheKey) {
  EXPECT_FALSE(verifies(kText + "\n" + line("rekor.test", "wxyz", instance.rekor_key.sign(kText))));
}

TEST_F(CheckpointTest, SaysWhichLineIsWrong) {
  const std::pair<std::string, std::string_view> refused[] = {
      {"", "checkpoint: want an empty line before the signatures"},
      {kText + good, "checkpoint: want an empty line before the signatures"},
      {"3\n" + kRoot + "\n\n" + good, "checkpoint: want an origin, a size and a root hash on the first lines"},
      {"origin\nthree\n" + kRoot + "\n\n" + good, "checkpoint: want a tree size on line 2, found 'three'"},
      {"origin\n-3\n" + kRoot + "\n\n" + good, "checkpoint: want a tree size on line 2, found '-3'"},
      {"origin\n3\nAAAA\n\n" + good, "checkpoint: want a root hash on line 3, found 'AAAA'"},
      {kText + "\n", "checkpoint: want a signature line that begins with a dash"},
      {kText + "\n- rekor.test AAAA\n", "checkpoint: want a signature line that begins with a dash"},
      {kText + "\n\u2014 AAAA\n", "checkpoint: want a name and base64 on a signature line"},
      {kText + "\n\u2014 rekor.test AAAA\n", "checkpoint: want a key hint and a signature on a signature line"},
      {std::string(70'000, 'x'), "checkpoint: want at most 65536 bytes, got 70000"},
  };
  for (const auto& [note, message] : refused) {
    SCOPED_TRACE(message);
    const auto checkpoint = read_checkpoint(note);
    ASSERT_FALSE(checkpoint) << "was accepted";
    EXPECT_EQ(checkpoint.error().message, message);
  }
  std::string many = kText + "\n";
  for (int i = 0; i < 101; ++i) many += witness;
  EXPECT_EQ(read_checkpoint(many).error().message, "checkpoint: has too many signatures");
}

}  // namespace
}  // namespace windlass
