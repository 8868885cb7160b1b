#include "cli/push_order.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "sys/files.h"

namespace windlass {
namespace {

// Of a throw-away key, with the password "pw".
constexpr std::string_view kEncryptedKey = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg7TCufa5xdIgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEECy1HUAMC62sCXXlBe3ESrsEgZAq
D+bIEp0mbp8SS+JoktjjH9AmLLN74qNkyCS4kyYVoM4sGApieQLhnzXuZaF/xh9E
vVSDriGseLSiH1cXYXzxl7HGIxjuCeqeiZZL/XixQVZ6mcnSX9DlsIxNFrkRJSp+
KPzH5JK0L8nw54HWNZ8fdLX1sSWkZiC38BW/pUx/E+lX7mCeH8ZoxrA+msxce+o=
-----END ENCRYPTED PRIVATE KEY-----
)";

TEST(PushOrder, TellsAMissingPasswordFromAWrongOne) {
  char name[] = "/tmp/windlass-push-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name);
  const auto file = (folder / "cosign.key").string();
  ASSERT_TRUE(write_file(file, kEncryptedKey));
  const PushCommand command{.reference = "r.example/app:1", .key_file = file};
  const auto none = push_order(command, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "--sign: " + file +
                                      ": the key has a password, and none was given: set COSIGN_PASSWORD or give "
                                      "--sign-password-file FILE");
  const auto wrong = push_order(command, {{"COSIGN_PASSWORD", "other"}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "--sign: " + file + ": the password does not open the key");
  EXPECT_TRUE(push_order(command, {{"COSIGN_PASSWORD", "pw"}}));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace windlass
