#include "webhook/registry/google_token.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sys/crypto.h"
#include "sys/fake_http.h"
#include "sys/json.h"
#include "webhook/registry/google_token_fixture.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

class GoogleTokensTest : public testing::Test {
 protected:
  GoogleTokensTest() : file(std::filesystem::temp_directory_path() / ("windlass-keys-" + new_uuid_v7())) {
    std::ofstream(file) << signer.key_set("k1");
    hook.format = RegistryFormat::gar_pubsub;
    hook.audience = "https://deploy.example/v1/webhook";
    hook.service_account = "pusher@project.iam.gserviceaccount.com";
    hook.jwks_file = file;
  }
  ~GoogleTokensTest() override { std::filesystem::remove(file); }

  json::object claims() {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch()).count();
    return {{"aud", hook.audience},
            {"iss", "https://accounts.google.com"},
            {"email", hook.service_account},
            {"email_verified", true},
            {"iat", now},
            {"exp", now + 3600}};
  }

  GoogleSigner signer;
  std::filesystem::path file;
  RegistryHook hook;
  FakeClock clock;
  FakeTransport transport;
};

TEST_F(GoogleTokensTest, AcceptsWhatGoogleSignedForUs) {
  GoogleTokens tokens({hook}, transport, clock, Log({.level = LogLevel::critical}));
  EXPECT_TRUE(tokens.accepts(signer.token("k1", claims()), hook));
  auto other = claims();
  other["iss"] = "accounts.google.com";
  EXPECT_TRUE(tokens.accepts(signer.token("k1", other), hook));
}

TEST_F(GoogleTokensTest, AcceptsNothingElse) {
  GoogleTokens tokens({hook}, transport, clock, Log({.level = LogLevel::critical}));
  const auto with = [&](std::string_view name, const json::value& value) {
    auto changed = claims();
    changed[name] = value;
    return signer.token("k1", changed);
  };
  const auto now = claims()["iat"].get_int64();
  const auto good = signer.token("k1", claims());
  const std::pair<const char*, std::string> rows[] = {
      {"another audience", with("aud", "https://other.example")},
      {"another issuer", with("iss", "https://accounts.example")},
      {"another account", with("email", "somebody@project.iam.gserviceaccount.com")},
      {"an address that is not verified", with("email_verified", false)},
      {"the same as text", with("email_verified", "true")},
      {"a token of yesterday", with("exp", now - 61)},
      {"a token of tomorrow", with("iat", now + 61)},
      {"a key that is not known", signer.token("k2", claims())},
      {"another key", GoogleSigner().token("k1", claims())},
      {"no signature", signer.token("k1", claims(), "none")},
      {"a signature cut off", good.substr(0, good.rfind('.') + 1)},
      {"another text", good.substr(0, 10) + "A" + good.substr(11)},
      {"two parts", good.substr(0, good.rfind('.'))},
      {"no token", ""},
  };
  for (const auto& [what, token] : rows) EXPECT_FALSE(tokens.accepts(token, hook)) << what;
}

TEST_F(GoogleTokensTest, FetchesKeysFromAUrl) {
  hook.jwks_file.clear();
  hook.jwks_url = "https://keys.example/certs";
  transport.answer = [&](const HttpRequest& request) {
    return HttpResponse{request.url == hook.jwks_url ? 200 : 404, {}, signer.key_set("k1")};
  };
  GoogleTokens tokens({hook}, transport, clock, Log({.level = LogLevel::critical}));
  const auto token = signer.token("k1", claims());
  for (int i = 0; i < 500 && !tokens.accepts(token, hook); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(tokens.accepts(token, hook));
}

TEST_F(GoogleTokensTest, OutlivesAFetchThatThrows) {  // reliability/F67
  auto other = hook;
  hook.jwks_file = other.jwks_file = "";
  hook.jwks_url = "https://throws.example/certs";
  other.jwks_url = "https://keys.example/certs";
  transport.answer = [&](const HttpRequest& request) {
    if (request.url == hook.jwks_url) throw std::bad_alloc();
    return HttpResponse{200, {}, signer.key_set("k1")};
  };
  GoogleTokens tokens({hook, other}, transport, clock, Log({.level = LogLevel::critical}));
  const auto token = signer.token("k1", claims());
  for (int i = 0; i < 500 && !tokens.accepts(token, other); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(tokens.accepts(token, other));
  EXPECT_FALSE(tokens.accepts(token, hook));
}

}  // namespace
}  // namespace windlass
