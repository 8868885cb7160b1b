#include "sops/metadata.h"

#include <gtest/gtest.h>

#include "sops/vectors.h"

namespace windlass::sops {
namespace {

TEST(EncryptedFile, IsFoundByItsMetadata) {
  constexpr std::pair<const char*, Format> kRows[] = {
      {"all.yaml", Format::yaml},         {"documents.yaml", Format::yaml}, {"all.json", Format::json},
      {"all.env", Format::dotenv},        {"all.ini", Format::ini},         {"all.txt", Format::binary},
      {"named.env.prod", Format::dotenv}, {"named.yaml.enc", Format::yaml}, {"groups.yaml", Format::yaml},
  };
  for (const auto& [name, format] : kRows) {
    SCOPED_TRACE(name);
    const auto file = find_encrypted(name, vector(name));
    ASSERT_TRUE(file);
    EXPECT_EQ(file->format, format);
    EXPECT_TRUE(file->is_read);
    EXPECT_FALSE(file->metadata.mac.empty());
    EXPECT_EQ(file->metadata.last_modified.size(), std::string_view("2026-01-02T03:04:05Z").size());
    EXPECT_FALSE(file->metadata.age.empty());
    for (const auto& branch : file->branches) {
      EXPECT_EQ(branch.find("sops"), nullptr);
      EXPECT_EQ(branch.find("sops_mac"), nullptr);
    }
  }
  EXPECT_EQ(find_encrypted("x.yaml", vector("groups.yaml"))->metadata.key_groups, 2u);
  EXPECT_EQ(find_encrypted("x.yaml", vector("both_keys.yaml"))->metadata.age.size(), 2u);
}

// Q3: the words alone make no encrypted file.
TEST(EncryptedFile, IsNoneForTheWordsInIt) {
  constexpr std::pair<const char*, const char*> kRows[] = {
      {"README.md", "Encrypt with sops. A value then looks like `ENC[AES256_GCM,data:x]`.\n"},
      {"README.md",
       "# Files\n\n```yaml\nkey: ENC[AES256_GCM,data:x]\nsops:\n    mac: ENC[x]\n    version: 3.9.0\n```\n"},
      {"deploy.sh", "grep -q 'ENC\\[' \"$1\" && sops decrypt \"$1\"\n# ENC[\n"},
      {"a.yaml", "note: use sops for ENC[AES256_GCM,data:x]\n"},
      {"a.yaml", "data: ENC[AES256_GCM,data:x]\nsops:\n  version: 3\n"},
      {"a.yaml", "data: ENC[AES256_GCM,data:x]\nsops:\n  mac: x\n"},
      {"a.yaml", "data: ENC[AES256_GCM,data:x]\nsops: {mac: 1\n"},
      {"a.yaml", "deep:\n  sops: {mac: ENC[x], version: 3.9.0}\n"},
      {"a.json", R"({"a": "ENC[AES256_GCM,data:x]", "sops": {"version": "3"}})"},
      {"a.json", R"(["sops", "ENC["])"},
      {"a.env", "A=ENC[AES256_GCM,data:x]\nsops_version=3.9.0\n"},
      {"a.ini", "[sops]\nversion = 3.9.0\n[a]\nx = ENC[AES256_GCM,data:x]\n"},
      {"a.bin",
       "\x7f"
       "ELF sops ENC[ \x01\x02"},
      {"a.yaml", ""},
  };
  for (const auto& [path, text] : kRows) EXPECT_FALSE(find_encrypted(path, text)) << path << ": " << text;
}

TEST(EncryptedFile, NamesWhoCanDecryptIt) {
  const auto file = find_encrypted("a.yaml", R"(
a: ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]
sops:
  age: [{recipient: age1abc, enc: x}]
  pgp: [{fp: 85D77543B3D624B63CEA9E6DBC17301B491B3F21, enc: x}]
  kms: [{arn: "arn:aws:kms:eu:1:key/2", enc: x}]
  hc_vault: [{vault_address: "https://vault.example", enc: x}]
  mac: ENC[x]
  version: 3.9.0
)");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->metadata.recipients(),
            "age1abc, pgp 85D77543B3D624B63CEA9E6DBC17301B491B3F21, kms arn:aws:kms:eu:1:key/2, hc_vault "
            "https://vault.example");
  EXPECT_EQ(file->metadata.unencrypted_suffix, "_unencrypted");
}

// What parse() does not read is told by its lines.
TEST(EncryptedFile, MayBeWrittenInAWayThatOnlySopsReads) {
  const auto yaml =
      find_encrypted("a.yaml",
                     "mode: 0444\na: ENC[AES256_GCM,data:x]\nsops:\n    age:\n        - recipient: age1abc\n"
                     "          enc: x\n    mac: ENC[AES256_GCM,x]\n    version: 3.9.0\n");
  ASSERT_TRUE(yaml);
  EXPECT_FALSE(yaml->is_read);
  EXPECT_EQ(yaml->metadata.recipients(), "age1abc");
  const auto ini = find_encrypted("a.ini",
                                  "[a]\nx = \"quoted\"\n[sops]\nage__list_0__map_recipient = age1abc\nmac = ENC[x]\n"
                                  "version = 3.9.0\n");
  ASSERT_TRUE(ini);
  EXPECT_FALSE(ini->is_read);
  EXPECT_EQ(ini->metadata.recipients(), "age1abc");
}

}  // namespace
}  // namespace windlass::sops
