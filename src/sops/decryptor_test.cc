#include "sops/decryptor.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "sops/sops_command.h"
#include "sops/vectors.h"
#include "sys/crypto.h"
#include "sys/fake_process.h"

namespace windlass::sops {
namespace {

using Environment = std::map<std::string, std::string>;

class DecryptorTest : public ::testing::Test {
 protected:
  DecryptorTest() {
    processes.answer = [](const Command&) -> Result<Exit> {
      return fail(Kind::not_found, "starting sops: no such file");
    };
  }
  Result<std::optional<Plain>> decrypt(const std::string& path, const std::string& text) {
    const Decryptor decryptor(environment, processes);
    return decryptor.decrypt_if_encrypted(path, text, Deadline());
  }
  // The plain text, or why there is none.
  std::string text_of(const std::string& path, const std::string& text) {
    const auto plain = decrypt(path, text);
    if (!plain) return plain.error().message;
    return *plain ? (*plain)->text.reveal() : "(plain)";
  }
  std::string of_vector(const std::string& name) { return text_of(name, vector(name)); }

  Environment environment = {{"SOPS_AGE_KEY", vector_key()}};
  FakeProcessRunner processes;
};

// Two texts of a format that mean the same.
void expect_same(const std::string& text, const std::string& expected, Format format) {
  const auto a = parse(text, format, "decrypted"), b = parse(expected, format, "expected");
  ASSERT_TRUE(a && b) << (a ? b : a).error().message << "\n" << text;
  EXPECT_EQ(*emit(*a, format), *emit(*b, format));
}

TEST_F(DecryptorTest, ReadsWhatSopsHasWritten) {
  for (const std::string name : {"all.yaml", "documents.yaml", "both_keys.yaml", "encrypted_regex.yaml",
                                 "encrypted_suffix.yaml", "mac_only.yaml", "named.yaml.enc"}) {
    SCOPED_TRACE(name);
    const auto expected = vector(name == "documents.yaml" ? "expected/documents.yaml" : "expected/all.yaml");
    expect_same(of_vector(name), expected, Format::yaml);
  }
  expect_same(of_vector("all.json"), vector("expected/all.json"), Format::json);
  expect_same(of_vector("unencrypted_regex.json"), vector("expected/all.json"), Format::json);
  EXPECT_EQ(of_vector("all.env"), vector("expected/all.env"));
  EXPECT_EQ(of_vector("named.env.prod"), vector("expected/all.env"));
  EXPECT_EQ(of_vector("all.txt"), vector("plain/all.txt"));
  EXPECT_NE(of_vector("all.yaml").find("\nday: 2024-02-29T00:00:00Z\nmoment: 2024-02-29T12:34:56.789Z\n"),
            std::string::npos);
  const auto ini = of_vector("all.ini");
  for (const auto* line :
       {"outside = of sections\n", "[db]\nuser = shop\npassword = correct horse\nplain = a\nempty = \n",
        "[other section]\nnote_unencrypted = seen by all\nurl = https://example.com/?a=b\n"})
    EXPECT_NE(ini.find(line), std::string::npos) << ini;
  EXPECT_TRUE(processes.ran.empty()) << "nobody needs sops for that";
}

TEST_F(DecryptorTest, TellsTheValuesThatMustNotBeShown) {
  const auto plain = decrypt("all.env", vector("all.env"));
  ASSERT_TRUE(plain && *plain);
  std::vector<std::string> values;
  for (const auto& value : (*plain)->values) values.push_back(value.reveal());
  EXPECT_EQ(values,
            (std::vector<std::string>{"shop", "pa$$word with spaces \"and quotes\" #hash", "a=b=c", "first\nsecond"}));
}

TEST_F(DecryptorTest, TellsNumbersToo) {
  const auto has = [](const Plain& plain, std::string_view text) {
    return std::ranges::any_of(plain.values, [&](const Secret& value) { return value.reveal() == text; });
  };
  const auto own = decrypt("all.yaml", vector("all.yaml"));
  ASSERT_TRUE(own && *own);
  for (const auto* told : {"5432", "-7", "1.5"}) EXPECT_TRUE(has(**own, told)) << told;
  for (const auto* not_told : {"True", "False", "12"}) EXPECT_FALSE(has(**own, not_told)) << not_told;
  const std::string file(kToldValueBytesMax + 1, 'x');
  processes.answer = [&](const Command&) -> Result<Exit> {
    return Exit{.out = "pin: 12345678\non: true\nfile: " + file + "\n"};
  };
  const auto asked = decrypt("groups.yaml", vector("groups.yaml"));
  ASSERT_TRUE(asked && *asked);
  ASSERT_EQ((*asked)->values.size(), 1u);
  EXPECT_EQ((*asked)->values[0].reveal(), "12345678");
}

TEST_F(DecryptorTest, LeavesPlainFilesAlone) {
  EXPECT_EQ(text_of("README.md", "use sops: values look like ENC[AES256_GCM,data:x]\n"), "(plain)");
  EXPECT_EQ(text_of("a.env", "A=1\n"), "(plain)");
}

TEST_F(DecryptorTest, FindsKeysWhereSopsFindsThem) {  // secrets/Q30a
  const auto folder = std::filesystem::temp_directory_path() / ("windlass-" + new_uuid_v7());
  const auto file = [&](const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << text;
    return (folder / name).string();
  };
  const auto key = vector("key.txt"), other = vector("other_key.txt");
  const Environment rows[] = {
      {{"SOPS_AGE_KEY", key}},
      {{"SOPS_AGE_KEY_FILE", file("key", key)}},
      {{"XDG_CONFIG_HOME", folder / "xdg"}},
      {{"HOME", folder / "home"}},
      {{"SOPS_AGE_KEY", other}, {"SOPS_AGE_KEY_FILE", file("key", key)}},
      {{"SOPS_AGE_KEY_FILE", "/nowhere"}, {"HOME", folder / "home"}},
  };
  file("xdg/sops/age/keys.txt", key);
  file("home/.config/sops/age/keys.txt", key);
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    environment = rows[i];
    EXPECT_EQ(of_vector("all.txt"), vector("plain/all.txt")) << i;
  }
  // A file is read anew each time: a new key needs no restart.
  environment = {{"SOPS_AGE_KEY_FILE", file("key", other)}};
  const Decryptor decryptor(environment, processes);
  EXPECT_FALSE(decryptor.decrypt_if_encrypted("all.txt", vector("all.txt"), Deadline()));
  file("key", key);
  EXPECT_TRUE(decryptor.decrypt_if_encrypted("all.txt", vector("all.txt"), Deadline()));
  std::filesystem::remove_all(folder);
}

TEST_F(DecryptorTest, SaysWhichKeyIsMissing) {  // secrets/Q1
  const auto recipient = AgeIdentity::parse(vector_key("other_key.txt"))->recipient();
  EXPECT_EQ(of_vector("other_key.yaml"),
            fmt::format("cannot decrypt other_key.yaml: needs one of {}; configured: SOPS_AGE_KEY", recipient));
  environment = {{"SOPS_AGE_KEY_FILE", "/nowhere/key"}};
  EXPECT_EQ(of_vector("other_key.yaml"),
            fmt::format("cannot decrypt other_key.yaml: needs one of {}; configured: SOPS_AGE_KEY_FILE "
                        "(SOPS_AGE_KEY_FILE: reading /nowhere/key: no such file or directory)",
                        recipient));
  environment = {};
  EXPECT_EQ(of_vector("other_key.yaml"),
            fmt::format("cannot decrypt other_key.yaml: needs one of {}; configured: none", recipient));
  const auto pgp = "a: ENC[AES256_GCM,data:x]\nsops: {pgp: [{fp: 85D7, enc: x}], mac: \"ENC[x]\", version: 3.9.0}\n";
  EXPECT_EQ(
      text_of("p.yaml", pgp),
      "cannot decrypt p.yaml: needs one of pgp 85D7; configured: none; keys other than age need sops: install sops");
}

TEST_F(DecryptorTest, RefusesWhatWasChanged) {
  const auto yaml = vector("all.yaml");
  const auto changed = [&](std::string_view from, std::string_view to) {
    auto text = yaml;
    const auto at = text.find(from);
    EXPECT_NE(at, text.npos) << from;
    return text.replace(at, from.size(), to);
  };
  constexpr auto kMac = "cannot decrypt a.yaml: its MAC does not fit: it was changed after it was encrypted";
  EXPECT_EQ(text_of("a.yaml", changed("seen by all", "seen by none")), kMac);
  EXPECT_EQ(text_of("a.yaml", changed("count_unencrypted: 12", "count_unencrypted: 13")), kMac);
  EXPECT_EQ(text_of("a.yaml", changed("note_unencrypted: ", "more_unencrypted: x\nnote_unencrypted: ")), kMac);
  EXPECT_EQ(text_of("a.yaml", changed("\npassword: ", "\npasswort: ")),
            "cannot decrypt a.yaml: passwort: an encrypted value is damaged, or stands under another key");
  EXPECT_EQ(text_of("a.yaml", changed("\nport: ENC[", "\nport: 12 #")),
            "cannot decrypt a.yaml: port: a value that should be encrypted is not");
  EXPECT_EQ(text_of("a.yaml", changed("\nname: ENC[AES256_GCM,data:", "\nname: ENC[AES256_GCM,data:QUJD")),
            "cannot decrypt a.yaml: name: an encrypted value is damaged, or stands under another key");
  EXPECT_EQ(text_of("a.yaml", changed("    mac: ENC[AES256_GCM,data:", "    mac: ENC[AES256_GCM,data:QUJD")),
            "cannot decrypt a.yaml: its MAC is damaged");
  EXPECT_EQ(text_of("a.yaml", changed("    lastmodified: \"2", "    lastmodified: \"1")),
            "cannot decrypt a.yaml: its MAC is damaged");
}

// --- the command ---

TEST_F(DecryptorTest, AsksSopsForOtherKeys) {  // secrets/Q37
  environment = {{"PATH", "/bin"},
                 {"HOME", "/home/x"},
                 {"SOPS_AGE_SSH_PRIVATE_KEY_FILE", "/key"},
                 {"AWS_PROFILE", "p"},
                 {"API_SECRET", "ours"},
                 {"DOCKER_AUTH_CONFIG", "ours"},
                 {"https_proxy", "http://proxy"},
                 {"LD_PRELOAD", "x"}};
  processes.answer = [](const Command&) -> Result<Exit> { return Exit{.out = "A=secret value\n"}; };
  const auto plain = decrypt("all.env", vector("all.env"));
  ASSERT_TRUE(plain && *plain);
  EXPECT_EQ((*plain)->text.reveal(), "A=secret value\n");
  ASSERT_EQ((*plain)->values.size(), 1u);
  EXPECT_EQ((*plain)->values[0].reveal(), "secret value");
  ASSERT_EQ(processes.ran.size(), 1u);
  const auto& command = processes.ran[0];
  EXPECT_EQ(command.program, "sops");
  EXPECT_EQ(command.arguments, (std::vector<std::string>{"decrypt", "--input-type", "dotenv", "--output-type", "dotenv",
                                                         "--decryption-order", "age,pgp"}));
  EXPECT_EQ(command.input, vector("all.env"));
  EXPECT_EQ(command.environment, (Environment{{"PATH", "/bin"},
                                              {"HOME", "/home/x"},
                                              {"SOPS_AGE_SSH_PRIVATE_KEY_FILE", "/key"},
                                              {"AWS_PROFILE", "p"},
                                              {"https_proxy", "http://proxy"},
                                              {"SOPS_DISABLE_VERSION_CHECK", "1"},
                                              {"SOPS_HC_VAULT_ALLOWLIST", "none"}}));
}

TEST_F(DecryptorTest, AsksSopsForWhatOnlyItReads) {
  for (const auto* name : {"groups.yaml", "comments.yaml"}) {
    EXPECT_NE(of_vector(name).find(": install sops"), std::string::npos) << of_vector(name);
    EXPECT_EQ(processes.ran.size(), 1u) << name;
    processes.ran.clear();
  }
  processes.answer = [](const Command&) -> Result<Exit> { return Exit{.out = "first: one\n"}; };
  EXPECT_EQ(of_vector("groups.yaml"), "first: one\n");
}

TEST(SopsCommand, AsksVaultOnlyWhereTheOperatorSays) {  // secrets/Q34
  const auto list_of = [](const Environment& own) { return command_environment(own).at("SOPS_HC_VAULT_ALLOWLIST"); };
  EXPECT_EQ(list_of({}), "none");
  EXPECT_EQ(list_of({{"VAULT_TOKEN", "x"}}), "none");
  EXPECT_EQ(list_of({{"VAULT_ADDR", "https://v"}}), "https://v");
  EXPECT_EQ(list_of({{"VAULT_ADDR", "https://v"}, {"SOPS_HC_VAULT_ALLOWLIST", "all"}}), "all");
}

// Before 3.13 the list means nothing: the address in a file would get the token.
TEST(SopsCommand, GivesVaultsTokenToNoOldSops) {  // secrets/Q34
  const auto home = std::filesystem::temp_directory_path() / ("windlass-" + new_uuid_v7());
  std::filesystem::create_directories(home);
  const auto with_variable =
      command_environment({{"PATH", "/bin"}, {"HOME", "/home/x"}, {"VAULT_TOKEN", "t"}, {"VAULT_ADDR", "https://v"}});
  const auto with_file = command_environment({{"HOME", home}});
  const auto nothing = command_environment({{"HOME", home / "other"}});
  std::ofstream(home / ".vault-token") << "t";

  FakeProcessRunner processes;
  std::vector<std::string> warnings;
  std::optional<VaultTokenGuard> guard;
  const auto is_passed = [&](const Environment& environment) {
    return guard->environment_for_sops(processes, environment, Deadline()) == environment;
  };
  const struct {
    Result<Exit> answer;
    bool gets_token;
    std::string said;
  } rows[] = {
      {Exit{.out = "sops 3.13.0\n"}, true, ""},
      {Exit{.out = "sops 3.13.3 (latest)\n"}, true, ""},
      {Exit{.out = "sops 4.0.0\n"}, true, ""},
      {Exit{.out = "sops 3.12.9\n"}, false, "is 3.12"},
      {Exit{.out = "sops 2.99.0\n"}, false, "is 2.99"},
      {Exit{.out = "sops 3\n"}, false, "does not tell its version"},
      {Exit{.out = "version 3.13.0\n"}, false, "does not tell its version"},
      {Exit{.code = 1, .out = "sops 3.13.0\n"}, false, "does not tell its version"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.answer->out);
    processes.ran.clear();
    warnings.clear();
    processes.answer = [&](const Command&) { return row.answer; };
    guard.emplace([&](const std::string& warning) { warnings.push_back(warning); });
    EXPECT_TRUE(is_passed(nothing));
    EXPECT_TRUE(processes.ran.empty()) << "there is nothing to keep back";
    EXPECT_EQ(is_passed(with_variable), row.gets_token);
    EXPECT_EQ(is_passed(with_file), row.gets_token);
    ASSERT_EQ(processes.ran.size(), 1u);
    EXPECT_EQ(processes.ran[0].arguments, (std::vector<std::string>{"--version", "--disable-version-check"}));
    EXPECT_FALSE(processes.ran[0].environment.contains("VAULT_TOKEN"));
    ASSERT_EQ(warnings.size(), row.said.empty() ? 0u : 1u);
    if (!row.said.empty()) {
      EXPECT_TRUE(warnings[0].ends_with(row.said)) << warnings[0];
    }
  }
  EXPECT_EQ(guard->environment_for_sops(processes, with_variable, Deadline()),
            (Environment{{"PATH", "/bin"},
                         {"HOME", "/nonexistent"},
                         {"GNUPGHOME", "/home/x/.gnupg"},
                         {"XDG_CONFIG_HOME", "/home/x/.config"},
                         {"AWS_CONFIG_FILE", "/home/x/.aws/config"},
                         {"AWS_SHARED_CREDENTIALS_FILE", "/home/x/.aws/credentials"},
                         {"SOPS_DISABLE_VERSION_CHECK", "1"},
                         {"SOPS_HC_VAULT_ALLOWLIST", "https://v"}}));

  // No answer is not remembered.
  guard.emplace(nullptr);
  processes.answer = [](const Command&) -> Result<Exit> { return Exit{.code = 130, .timed_out = true}; };
  EXPECT_FALSE(is_passed(with_variable));
  processes.answer = [](const Command&) -> Result<Exit> { return Exit{.out = "sops 3.13.0\n"}; };
  EXPECT_TRUE(is_passed(with_variable));
  std::filesystem::remove_all(home);
}

TEST_F(DecryptorTest, AsksAnOldSopsWithoutVaultsToken) {  // secrets/Q34
  environment = {{"HOME", "/home/x"}, {"VAULT_TOKEN", "t"}};
  processes.answer = [](const Command& command) -> Result<Exit> {
    return Exit{.out = command.arguments[0] == "--version" ? "sops 3.9.0\n" : "first: one\n"};
  };
  EXPECT_EQ(of_vector("groups.yaml"), "first: one\n");
  ASSERT_EQ(processes.ran.size(), 2u);
  for (const auto& command : processes.ran) EXPECT_FALSE(command.environment.contains("VAULT_TOKEN"));
}

TEST(SopsCommand, EndsWithAWordOfOurs) {
  struct Row {
    Exit exit;
    Kind kind;
    const char* message;
  };
  const Row rows[] = {
      {{.code = 128, .err = "secret"}, Kind::denied, "sops has no key that fits"},
      {{.code = 51, .err = "secret"}, Kind::invalid, "its MAC does not fit: it was changed after it was encrypted"},
      {{.code = 25, .err = "secret"}, Kind::invalid, "sops ended with exit code 25"},
      {{.code = 130, .timed_out = true}, Kind::unavailable, "sops did not end within 30s"},
      {{.out = "x", .out_cut = true}, Kind::invalid, "it has more than 16777216 bytes in plain text"},
  };
  for (const auto& row : rows) {
    FakeProcessRunner processes;
    processes.answer = [&](const Command&) { return row.exit; };
    const auto plain = decrypt_by_command(processes, {}, "x", Format::yaml, "/", Deadline());
    ASSERT_FALSE(plain) << row.message;
    EXPECT_EQ(plain.error().kind, row.kind) << row.message;
    EXPECT_EQ(plain.error().message, row.message);
  }
}

TEST(KeySources, ThatCannotBeUsedAreToldAtStart) {  // secrets/Q30a
  FakeProcessRunner processes;
  EXPECT_TRUE(Decryptor({{"HOME", "/nowhere"}}, processes).warnings().empty());
  EXPECT_EQ(Decryptor({{"SOPS_AGE_KEY_FILE", "/etc/passwd"}}, processes).warnings().back(),
            "SOPS: SOPS_AGE_KEY_FILE: /etc/passwd can be read by every user of this machine: take the right away with "
            "chmod o-r");
  EXPECT_EQ(
      Decryptor({{"SOPS_AGE_KEY_FILE", "/nowhere/key"}, {"SOPS_AGE_KEY", "AGE-SECRET-KEY-1X"}}, processes).warnings(),
      (std::vector<std::string>{"SOPS: SOPS_AGE_KEY holds something that is no age identity",
                                "SOPS: SOPS_AGE_KEY_FILE: reading /nowhere/key: no such file or directory"}));
}

}  // namespace
}  // namespace windlass::sops
