#include "config/misspelt_settings.h"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "base/text.h"

namespace windlass {
namespace {

constexpr std::string_view kMark = " is not a setting; did you mean ";

// What is told of misspelt settings, whether the other settings are good or not.
std::string told_of(const Environment& environment) {
  const auto settings = read_settings(environment);
  std::string told;
  for (const auto& line : settings ? settings->warnings : settings.error().faults)
    if (line.find(kMark) != line.npos) told += line + "\n";
  return told;
}

TEST(MisspeltSettings, AreToldWithWhatWasMeant) {
  const std::pair<const char*, const char*> rows[] = {
      {"POLL_CONFG", "POLL_CONFIG"},
      {"WEBHOOK_SECERT", "WEBHOOK_SECRET"},
      {"WEBHOOK_SECRET_FIEL", "WEBHOOK_SECRET_FILE"},
      {"OCI_TRUST_POLCY", "OCI_TRUST_POLICY"},
      {"LOGLEVEL", "LOG_LEVEL"},
      {"SECRET_PROVIDER_ACCES_TOKEN", "SECRET_PROVIDER_ACCESS_TOKEN"},
      {"APPRISE_NOTIFY_URL", "APPRISE_NOTIFY_URLS"},
      {"HTTPS_PORT", "HTTP_PORT"},
      {"GIT_ACESS_TOKEN", "GIT_ACCESS_TOKEN"},
  };
  for (const auto& [name, meant] : rows)
    EXPECT_EQ(told_of({{name, "hunter22"}}), std::string(name) + std::string(kMark) + meant + "?\n");
}

TEST(MisspeltSettings, AreNoOtherVariables) {
  for (const char* name : {"PATH", "HOMES", "TZDIR", "PASS_WORD", "HTTP_HOST", "http_proxy", "FTP_PROXY", "LANGUAGE",
                           "SHELL", "HOSTNAME", "INVOCATION_ID", "JOURNAL_STREAM", "SSH_CONNECTION", "GITHUB_API_URL",
                           "DOCKER_BUILDKIT", "KUBERNETES_SERVICE_PORT", "XDG_RUNTIME_DIR", "OLDPWD"})
    EXPECT_EQ(told_of({{name, "x"}}), "");
  EXPECT_EQ(told_of({{"POLL_CONFG", ""}}), "") << "unset";
}

TEST(MisspeltSettings, LeaveWhatStacksAreToSee) {
  const Environment environment{{"APP_SECRET", "x"}, {"PASS_ENV", "true"}};
  EXPECT_EQ(told_of(environment), "APP_SECRET is not a setting; did you mean API_SECRET?\n");
  auto allowed = environment;
  allowed["PASS_ENV_ALLOW"] = "APP_*";
  EXPECT_EQ(told_of(allowed), "");
}

TEST(MisspeltSettings, AreToldBesideFaults) {  // what is missing may be there under another name
  const auto settings = read_settings({{"SECRET_PROVIDER", "openbao"},
                                       {"SECRET_PROVIDER_SITE_URL", "https://bao.example"},
                                       {"SECRET_PROVIDER_ACCES_TOKEN", "hunter22"}});
  ASSERT_FALSE(settings);
  EXPECT_EQ(join(settings.error().faults, "\n"),
            "SECRET_PROVIDER_ACCESS_TOKEN or SECRET_PROVIDER_ACCESS_TOKEN_FILE: needed with SECRET_PROVIDER=openbao\n"
            "SECRET_PROVIDER_ACCES_TOKEN is not a setting; did you mean SECRET_PROVIDER_ACCESS_TOKEN?");
}

// Also those that are only asked for where others are set.
TEST(MisspeltSettings, AreNoneOfTheDocumentedOnes) {
  std::ifstream file(WINDLASS_SOURCE_DIR "/docs/settings.md");
  std::stringstream text;
  text << file.rdbuf();
  const auto page = text.str();
  const std::regex name("[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]");
  int names = 0;
  for (std::sregex_iterator at(page.begin(), page.end(), name), end; at != end; ++at, ++names)
    EXPECT_EQ(told_of({{at->str(), "x"}}), "");
  EXPECT_GT(names, 80);
}

}  // namespace
}  // namespace windlass
