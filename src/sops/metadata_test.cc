#include "sops/metadata.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

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
  const auto nameless = find_encrypted("a.env", "A=ENC[x]\nsops_age__list_0__map_enc=x\nsops_mac=x\nsops_version=3\n");
  ASSERT_TRUE(nameless);
  EXPECT_EQ(nameless->metadata.recipients(), "a key that it does not name");
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

// An artifact's author writes it: what it asks for in a few bytes must not take the service down.
TEST(EncryptedFile, AsksForNoMoreThanMetadataHas) {
  const std::string end = "A=ENC[AES256_GCM,data:x]\nsops_mac=x\nsops_version=3.9.0\n";
  std::string deep = "sops_a", wide = "sops_a";
  for (int i = 0; i < 200'000; ++i) deep += "__map_a";
  for (int i = 0; i < 50'000; ++i) wide += "__list_1000";
  EXPECT_FALSE(find_encrypted("a.env", deep + "=x\n" + end));
  EXPECT_FALSE(find_encrypted("a.env", wide + "=x\n" + end));
  std::string many, lists;
  for (int i = 0; i < 150'000; ++i) many += fmt::format("sops_k{}=x\n", i);
  for (int i = 0; i < 20'000; ++i) lists += fmt::format("sops_k{}__list_1000=x\n", i);
  EXPECT_FALSE(find_encrypted("a.env", many + end));
  EXPECT_FALSE(find_encrypted("a.env", lists + end));
  const auto age = find_encrypted("a.env", "sops_age__list_10__map_enc=x\nsops_age__list_2__map_enc=y\n" + end);
  ASSERT_TRUE(age);
  EXPECT_EQ(age->metadata.age.size(), 11u);
}

TEST(EncryptedFile, OfMoreValuesThanAreReadIsForSops) {
  std::string keys, items = "0";
  for (std::size_t i = 0; i < 6 * kEncryptedValuesMax; ++i) {
    if (i <= kEncryptedValuesMax) keys += fmt::format("k{}=v\n", i);
    items += ",0";
  }
  const std::pair<std::string, std::string> rows[] = {
      {"a.ini", "[a]\n" + keys + "x = ENC[\n[sops]\nmac = x\nversion = 3.9.0\n"},
      {"a.env", keys + "x=ENC[\nsops_mac=x\nsops_version=3.9.0\n"},
      {"a.json", R"({"a":"ENC[","b":[)" + items + R"(],"sops":{"mac":"x","version":"3.9.0"}})"},
      {"a.bin", R"({"data":"ENC[","b":[)" + items + R"(],"sops":{"mac":"x","version":"3.9.0"}})"},
  };
  for (const auto& [name, text] : rows) {
    const auto file = find_encrypted(name, text);
    ASSERT_TRUE(file) << name;
    EXPECT_FALSE(file->is_read) << name;
  }
}

// As many as there may be: quadratic work would last for minutes.
TEST(EncryptedFile, IsReadInAMomentHoweverManyKeysItHas) {
  std::string text;
  for (std::size_t i = 0; i < kEncryptedValuesMax - 10; ++i) text += fmt::format("k{} = v\n", i);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(find_encrypted("a.ini", text + "x = ENC[\n[sops]\nmac = x\nversion = 3.9.0\n"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(30));
}

}  // namespace
}  // namespace windlass::sops
