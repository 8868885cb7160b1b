#include "sops/age.h"

#include <gtest/gtest.h>

#include "sops/metadata.h"
#include "sops/vectors.h"
#include "sys/crypto.h"

namespace windlass::sops {
namespace {

TEST(AgeIdentity, IsReadWithItsCheckSum) {
  const auto key = vector_key();
  const auto identity = AgeIdentity::parse(key);
  ASSERT_TRUE(identity);
  EXPECT_NE(vector("key.txt").find("public key: " + identity->recipient() + "\n"), std::string::npos);
  EXPECT_TRUE(AgeIdentity::parse(lower(key)));
  auto mixed = key, changed = key;
  mixed.back() = static_cast<char>(std::tolower(mixed.back()));
  changed[20] = changed[20] == 'Q' ? 'P' : 'Q';
  for (const auto& text : {std::string(), changed, key.substr(0, key.size() - 1), key + "Q", identity->recipient(),
                           std::string("AGE-SECRET-KEY-1"), std::string("AGE-SECRET-KEY-PQ-1ABC")})
    EXPECT_FALSE(AgeIdentity::parse(text)) << text.substr(0, 20);
}

TEST(AgeKeys, AreTakenFromLinesAndWords) {  // secrets/Q30a
  const auto one = vector_key(), two = vector_key("other_key.txt");
  struct Row {
    std::string text;
    std::size_t identities, unread;
  };
  const Row rows[] = {
      {one, 1, 0},
      {"# created: today\n# public key: age1x\n" + one + "\n\n" + two + "\r\n", 2, 0},
      {one + " " + two, 2, 0},
      {"AGE-PLUGIN-YUBIKEY-1ABC\n" + one, 1, 1},
      {"AGE-SECRET-KEY-PQ-1ABC", 0, 1},
      {"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n", 0, 1},
      {"no key at all", 0, 4},
      {"", 0, 0},
  };
  for (const auto& row : rows) {
    const auto keys = read_age_keys(row.text);
    EXPECT_EQ(keys.identities.size(), row.identities) << row.unread;
    EXPECT_EQ(keys.unread.size(), row.unread);
  }
}

class AgeFile : public ::testing::Test {
 protected:
  AgeFile() : text(find_encrypted("all.yaml", vector("all.yaml"))->metadata.age.front().encrypted) {
    identities.push_back(*AgeIdentity::parse(vector_key()));
  }
  std::string opened(const std::string& armored) {
    const auto key = open_age_file(armored, identities);
    return key ? std::to_string(key->reveal().size()) + " bytes" : key.error().message;
  }
  // With one byte of the file, counted from its end, changed.
  std::string with_change(std::size_t from_end) const {
    const std::string begin = "-----BEGIN AGE ENCRYPTED FILE-----\n", end = "\n-----END AGE ENCRYPTED FILE-----\n";
    std::string joined;
    for (const auto line : split(text, '\n'))
      if (!line.starts_with("---")) joined += line;
    auto bytes = *base64_decode(joined);
    bytes[bytes.size() - from_end] ^= 1;
    return begin + base64_encode(bytes) + end;
  }

  std::string text;
  std::vector<AgeIdentity> identities;
};

TEST_F(AgeFile, OpensForItsRecipient) {
  EXPECT_EQ(opened(text), "32 bytes");
  identities.insert(identities.begin(), *AgeIdentity::parse(vector_key("other_key.txt")));
  EXPECT_EQ(opened(text), "32 bytes") << "whichever comes first";
  identities.pop_back();
  EXPECT_EQ(opened(text), "none of the age identities fits");
  EXPECT_EQ(open_age_file(text, {}).error().kind, Kind::denied);
}

TEST_F(AgeFile, IsRefusedWithMoreStanzasThanSopsWrites) {
  const auto of = [](std::size_t stanzas) {
    std::string header = "age-encryption.org/v1\n";
    for (std::size_t i = 0; i < stanzas; ++i)
      header += "-> X25519 " + base64_encode(std::string(32, 'x')) + "\n" + base64_encode(std::string(32, 'y')) + "\n";
    header += "--- " + base64_encode(std::string(32, 'm')) + "\n" + std::string(16, 'n');
    return "-----BEGIN AGE ENCRYPTED FILE-----\n" + base64_encode(header) + "\n-----END AGE ENCRYPTED FILE-----";
  };
  EXPECT_EQ(opened(of(20)), "none of the age identities fits");
  EXPECT_EQ(opened(of(21)), "its age entry is damaged");
}

TEST_F(AgeFile, IsRefusedWhenAByteIsChanged) {
  EXPECT_EQ(opened(with_change(1)), "its age entry is damaged") << "in the tag of the payload";
  EXPECT_EQ(opened(with_change(60)), "its age entry is damaged") << "in the nonce of the payload";
  EXPECT_EQ(opened(with_change(100)), "its age entry is damaged") << "in the MAC of the header";
  for (const auto& broken : {std::string(), std::string("text"), text.substr(0, text.size() / 2),
                             std::string("-----BEGIN AGE ENCRYPTED FILE-----\n-----END AGE ENCRYPTED FILE-----"),
                             std::string("-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----")})
    EXPECT_EQ(opened(broken), "its age entry is damaged");
}

}  // namespace
}  // namespace windlass::sops
