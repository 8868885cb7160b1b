#include "cli/command_line.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

PrintCommand printed(const std::vector<std::string>& arguments) {
  const auto command = parse_command_line(arguments);
  const auto* print = std::get_if<PrintCommand>(&command);
  return print != nullptr ? *print : PrintCommand{-1, "nothing was printed"};
}

TEST(CommandLine, ServesWithoutAnArgument) {  // api/L1
  EXPECT_TRUE(std::holds_alternative<ServeCommand>(parse_command_line({})));
  EXPECT_FALSE(std::get<ServeCommand>(parse_command_line({"serve"})).rebuild_state);
  EXPECT_TRUE(std::get<ServeCommand>(parse_command_line({"serve", "--rebuild-state"})).rebuild_state);
}

TEST(CommandLine, KnowsHealthcheck) {  // api/L2
  EXPECT_TRUE(std::holds_alternative<HealthcheckCommand>(parse_command_line({"healthcheck"})));
}

TEST(CommandLine, PrintsSchemas) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"schema"}, {"schema", "deploy"}, {"schema", "poll"}}) {
    const auto print = printed(arguments);
    EXPECT_EQ(print.exit_code, 0);
    EXPECT_TRUE(print.text.starts_with("{\"")) << print.text.substr(0, 20);
  }
  EXPECT_EQ(printed({"schema", "webhook"}).exit_code, 2);
}

TEST(CommandLine, ReadsVerify) {
  const auto command =
      parse_command_line({"verify", "r.example/app:1", "--key", "a.pub", "--key", "b.pub", "--ignore-tlog",
                          "--trusted-root", "root.json", "--issuer", "https://i", "--identity", "me"});
  const auto* verify = std::get_if<VerifyCommand>(&command);
  ASSERT_NE(verify, nullptr);
  EXPECT_EQ(verify->reference, "r.example/app:1");
  EXPECT_EQ(verify->key_files, (std::vector<std::string>{"a.pub", "b.pub"}));
  EXPECT_EQ(verify->trusted_root_file, "root.json");
  EXPECT_EQ(verify->identity.issuer, "https://i");
  EXPECT_EQ(verify->identity.subject, "me");
  EXPECT_TRUE(verify->ignore_tlog);
  EXPECT_EQ(printed({"verify"}).exit_code, 2);
  EXPECT_EQ(printed({"verify", "r.example/app:1", "--key"}).exit_code, 2);
}

TEST(CommandLine, NeverStartsAServiceForATypo) {  // api/L3
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"sevre"}, {"serve", "now"}, {"--port"}, {"serve", "healthcheck"}}) {
    SCOPED_TRACE(arguments.front());
    const auto print = printed(arguments);
    EXPECT_EQ(print.exit_code, 2);
    EXPECT_NE(print.text.find("serve"), std::string::npos) << print.text;
  }
}

TEST(CommandLine, ReadsWhatToPush) {
  const auto command = parse_command_line({"push",
                                           "app",
                                           "r.example/app:1",
                                           "--tag",
                                           "2",
                                           "--tag=latest",
                                           "--annotation",
                                           "a=b",
                                           "--compression",
                                           "none",
                                           "--no-config",
                                           "--json",
                                           "--sign",
                                           "k.key",
                                           "--sign-password-file",
                                           "p",
                                           "--digest-file",
                                           "d",
                                           "--notify",
                                           "https://cd.example",
                                           "--target",
                                           "prod",
                                           "--wait",
                                           "--timeout",
                                           "1m30s",
                                           "--secret-file",
                                           "-",
                                           "--ca-file",
                                           "ca.pem"});
  const auto* push = std::get_if<PushCommand>(&command);
  ASSERT_NE(push, nullptr);
  EXPECT_EQ(push->folder, "app");
  EXPECT_EQ(push->reference, "r.example/app:1");
  EXPECT_EQ(push->tags, (std::vector<std::string>{"2", "latest"}));
  EXPECT_EQ(push->annotations, std::vector<std::string>{"a=b"});
  EXPECT_EQ(push->compression, LayerCompression::none);
  EXPECT_FALSE(push->needs_config);
  EXPECT_TRUE(push->as_json);
  EXPECT_EQ(push->digest_file, "d");
  EXPECT_EQ(push->ca_file, "ca.pem");
  EXPECT_EQ(push->key_file, "k.key");
  EXPECT_EQ(push->password_file, "p");
  ASSERT_TRUE(push->notify);
  EXPECT_EQ(push->notify->url, "https://cd.example");
  EXPECT_EQ(push->notify->target, "prod");
  EXPECT_TRUE(push->notify->waits);
  EXPECT_EQ(push->notify->timeout, std::chrono::seconds(90));
  EXPECT_EQ(push->notify->secret_file, "-");
}

TEST(CommandLine, TellsNobodyUnlessAskedTo) {
  const auto command = parse_command_line({"push", "app", "r.example/app:1"});
  const auto* push = std::get_if<PushCommand>(&command);
  ASSERT_NE(push, nullptr);
  EXPECT_FALSE(push->notify);
  EXPECT_TRUE(push->needs_config);
  EXPECT_EQ(push->compression, LayerCompression::gzip);
}

TEST(CommandLine, WantsToKnowWhomToTell) {
  for (const char* option : {"--wait", "--target=prod", "--timeout=1m", "--secret-file=s"}) {
    const auto command = parse_command_line({"push", "app", "r.example/app:1", option});
    const auto* print = std::get_if<PrintCommand>(&command);
    ASSERT_NE(print, nullptr) << option;
    EXPECT_EQ(print->exit_code, 2);
    EXPECT_NE(print->text.find("--notify"), std::string::npos) << print->text;
  }
}

TEST(CommandLine, ReadsWhatToSend) {
  const auto command = parse_command_line({"send", "r.example/app:1", "--digest", "sha256:x", "--url", "https://cd"});
  const auto* send = std::get_if<SendCommand>(&command);
  ASSERT_NE(send, nullptr);
  EXPECT_EQ(send->reference, "r.example/app:1");
  EXPECT_EQ(send->digest, "sha256:x");
  EXPECT_EQ(send->notify.url, "https://cd");
  EXPECT_FALSE(send->notify.waits);
}

// A secret on the command line could be read by every user of the machine: there is no option for one.
TEST(CommandLine, RefusesWrongUsageOfPushAndSend) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"push"},
           {"push", "app"},
           {"push", "app", "ref", "more"},
           {"push", "app", "ref", "--compression", "brotli"},
           {"push", "app", "ref", "--notify", "https://cd", "--timeout", "soon"},
           {"push", "app", "ref", "--notify", "https://cd", "--timeout", "-1s"},
           {"push", "app", "ref", "--secret", "x"},
           {"send"},
           {"send", "ref", "--secret", "x"},
       }) {
    SCOPED_TRACE(arguments.back());
    EXPECT_EQ(printed(arguments).exit_code, 2);
  }
}

// `--notify "$WEBHOOK_URL"` of a pipeline that does not set it must not deploy nothing and end well.
TEST(CommandLine, RefusesEmptyValues) {
  const std::pair<std::string, std::vector<std::string>> rows[] = {
      {"--notify", {"push", "app", "ref", "--notify", "", "--wait"}},
      {"--sign", {"push", "app", "ref", "--sign", ""}},
      {"--sign-password-file", {"push", "app", "ref", "--sign", "k", "--sign-password-file", ""}},
      {"--digest-file", {"push", "app", "ref", "--digest-file", ""}},
      {"--tag", {"push", "app", "ref", "--tag", "a", "--tag", ""}},
      {"DIR", {"push", "", "ref"}},
      {"--url", {"send", "ref", "--url", ""}},
      {"--digest", {"send", "ref", "--digest", ""}},
      {"--target", {"send", "ref", "--target", ""}},
      {"--secret-file", {"send", "ref", "--secret-file", ""}},
      {"--ca-file", {"send", "ref", "--ca-file", ""}},
      {"--key", {"verify", "ref", "--key", ""}},
      {"--identity-regexp", {"verify", "ref", "--issuer", "i", "--identity-regexp", ""}},
      {"--key", {"verify-bundle", "--bundle", "b", "--key", "", "a.txt"}},
      {"--to", {"rollback", "web", "--to", ""}},
      {"--context", {"rollback", "web", "--context", ""}},
      {"--api-secret-file", {"status", "--api-secret-file", ""}},
      {"RUN", {"runs", ""}},
      {"--as", {"plan", "app", "--as", ""}},
  };
  for (const auto& [option, arguments] : rows) {
    const auto print = printed(arguments);
    EXPECT_EQ(print.exit_code, 2) << option;
    EXPECT_TRUE(print.text.starts_with(option + ": the value is empty\n")) << print.text.substr(0, 80);
  }
  EXPECT_EQ(printed({"rollback", "web", "--to="}).exit_code, 2);
}

TEST(CommandLine, PrintsVersionAndHelp) {
  EXPECT_EQ(printed({"--version"}).exit_code, 0);
  EXPECT_EQ(printed({"--version"}).text, "windlass " WINDLASS_VERSION "\n");
  EXPECT_EQ(printed({"--help"}).exit_code, 0);
  EXPECT_EQ(printed({"push", "--help"}).exit_code, 0);
  EXPECT_NE(printed({"push", "--help"}).text.find("--notify"), std::string::npos);
}

TEST(CommandLine, VerifiesABundleByKeyOrByIdentity) {  // oci 12, the command line of sigstore-conformance
  const auto by_identity =
      parse_command_line({"verify-bundle", "--staging", "--bundle", "b.json", "--certificate-identity", "me",
                          "--certificate-oidc-issuer", "https://token.test", "--trusted-root", "root.json", "a.txt"});
  const auto* verify = std::get_if<VerifyBundleCommand>(&by_identity);
  ASSERT_NE(verify, nullptr);
  EXPECT_EQ(verify->bundle, "b.json");
  EXPECT_EQ(verify->certificate_identity, "me");
  EXPECT_EQ(verify->certificate_oidc_issuer, "https://token.test");
  EXPECT_EQ(verify->trusted_root, "root.json");
  EXPECT_EQ(verify->file_or_digest, "a.txt");
  const auto by_key = parse_command_line({"verify-bundle", "--bundle", "b.json", "--key", "k.pub", "a.txt"});
  ASSERT_NE(std::get_if<VerifyBundleCommand>(&by_key), nullptr);
  EXPECT_EQ(std::get<VerifyBundleCommand>(by_key).key, "k.pub");
  for (const auto& wrong : std::vector<std::vector<std::string>>{
           {"verify-bundle", "--key", "k.pub", "a.txt"},
           {"verify-bundle", "--bundle", "b.json", "--key", "k.pub"},
           {"verify-bundle", "--bundle", "b.json", "--certificate-identity", "me", "a.txt"},
           {"verify-bundle", "--bundle", "b.json", "--key", "k.pub", "--certificate-identity", "me",
            "--certificate-oidc-issuer", "i", "a.txt"}}) {
    EXPECT_EQ(printed(wrong).exit_code, 2);
  }
}

}  // namespace
}  // namespace windlass
