#include "secrets/onepassword_cli.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "secrets/fetched_texts.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// The command as far as it matters: fills templates, or says what it does not find.
struct FakeOp final : ProcessRunner {
  std::map<std::string, std::string> values;  // by reference
  std::vector<Command> ran;
  std::string fault;  // of every call

  Result<Exit> run(const Command& command, const Deadline&) override {
    ran.push_back(command);
    if (!fault.empty()) return Exit{.code = 1, .err = fault};
    auto text = command.input;
    for (auto at = text.find("{{ "); at != text.npos; at = text.find("{{ ", at)) {
      const auto end = text.find(" }}", at);
      const auto reference = text.substr(at + 3, end - at - 3);
      if (!values.contains(reference))
        return Exit{.code = 1, .err = "[ERROR] could not find item in vault: " + reference + "\n"};
      text.replace(at, end + 3 - at, values.at(reference));
      at += values.at(reference).size();
    }
    return Exit{.out = text};
  }
};

class OnePasswordCli : public ::testing::Test {
 protected:
  OnePasswordCli() : folder(fs::temp_directory_path() / ("windlass-" + new_uuid_v7())) {
    fs::create_directories(folder);
    std::ofstream(folder / "op") << "#!/bin/sh\n";
    ::chmod((folder / "op").c_str(), 0755);
    op.values = {
        {"op://v/i/password", "s3cret\nin two lines"}, {"op://v/i/user", ""}, {"op://v/i/x?attribute=otp", "123456"}};
    make();
  }
  ~OnePasswordCli() override { fs::remove_all(folder); }
  void make() {
    settings.access_token = Secret("ops_token");
    provider = *make_onepassword_cli(
        settings,
        {{"PATH", "/nowhere:" + folder.string()}, {"HOME", "/home/me"}, {"WEBHOOK_SECRET", "x"}, {"https_proxy", "p"}},
        op, clock);
  }
  std::vector<std::string> fetched(const std::vector<std::string>& references) {
    return fetched_texts(provider->fetch(references, Deadline::in(10s)));
  }

  fs::path folder;
  OnePasswordSettings settings;
  FakeOp op;
  FakeClock clock;
  std::unique_ptr<SecretProvider> provider;
};

TEST_F(OnePasswordCli, AsksForAllReferencesInOneCall) {
  EXPECT_EQ(fetched({"op://v/i/password", "op://v/i/user", "op://v/i/x?attribute=otp"}),
            (std::vector<std::string>{"s3cret\nin two lines", "", "123456"}));
  ASSERT_EQ(op.ran.size(), 1u);
  const auto& command = op.ran[0];
  EXPECT_EQ(command.program, (folder / "op").string());
  EXPECT_EQ(command.arguments, std::vector<std::string>{"inject"});
  EXPECT_EQ(command.environment, (std::map<std::string, std::string>{{"HOME", "/home/me"},
                                                                     {"OP_SERVICE_ACCOUNT_TOKEN", "ops_token"},
                                                                     {"PATH", "/nowhere:" + folder.string()},
                                                                     {"https_proxy", "p"}}));
}

TEST_F(OnePasswordCli, TellsWhichReferenceIsWrong) {
  EXPECT_EQ(
      fetched(
          {"op://v/i/password", "op://v/i/nothing", "op://v", "op://v/{i}/x", "op://$OP_SERVICE_ACCOUNT_TOKEN/i/x"}),
      (std::vector<std::string>{
          "s3cret\nin two lines", "not_found: op inject: [ERROR] could not find item in vault: op://v/i/nothing",
          "invalid: invalid secret reference \"op://v\": expected op://vault/item/[section/]field[?attribute=otp]",
          "invalid: a reference with a brace, a dollar sign or a line break cannot be given to op",
          "invalid: a reference with a brace, a dollar sign or a line break cannot be given to op"}));
  EXPECT_EQ(op.ran.size(), 3u);  // both, then each alone
}

TEST_F(OnePasswordCli, TellsWhatTheCommandSays) {
  const std::pair<std::string, std::string> rows[] = {
      {"[ERROR] invalid service account token", "denied: "},
      {"[ERROR] rate limit exceeded", "unavailable: "},
      {"[ERROR] something else", "invalid: "},
  };
  for (const auto& [words, kind] : rows) {
    op.fault = words + "\n";
    EXPECT_EQ(fetched({"op://v/i/password"}), std::vector<std::string>{kind + "op inject: " + words});
  }
}

TEST_F(OnePasswordCli, RemembersValuesOnlyWhereAsked) {  // secrets/V2.2
  fetched({"op://v/i/password"});
  fetched({"op://v/i/password"});
  EXPECT_EQ(op.ran.size(), 2u);
  settings.cache_enabled = true;
  settings.cache_max_size = 1;
  make();
  op.ran.clear();
  fetched({"op://v/i/password"});
  EXPECT_EQ(fetched({"op://v/i/password"}), std::vector<std::string>{"s3cret\nin two lines"});
  EXPECT_EQ(op.ran.size(), 1u);
  clock.advance(5min);
  fetched({"op://v/i/password"});
  EXPECT_EQ(op.ran.size(), 2u);
  clock.advance(1s);
  fetched({"op://v/i/user"});
  fetched({"op://v/i/password"});  // had to make room
  EXPECT_EQ(op.ran.size(), 4u);
  fetched({"op://v/i/x?attribute=otp"});
  fetched({"op://v/i/x?attribute=otp"});
  EXPECT_EQ(op.ran.size(), 6u);
}

TEST_F(OnePasswordCli, NeedsTheCommand) {
  const auto made = make_onepassword_cli(settings, {{"PATH", "/nowhere"}}, op, clock);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("needs the command op in PATH"), std::string::npos);
}

}  // namespace
}  // namespace windlass
