#include "config/secret_settings.h"

#include <gtest/gtest.h>

#include "config/settings.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using Faults = std::vector<std::string>;

SecretSettings read_with(const Environment& environment) {
  const auto settings = read_settings(environment);
  EXPECT_TRUE(settings) << settings.error().faults.front();
  return settings ? settings->secrets : SecretSettings();
}

Faults faults_with(const Environment& environment) {
  const auto settings = read_settings(environment);
  return settings ? Faults() : settings.error().faults;
}

TEST(SecretSettings, AreOffByDefault) {
  EXPECT_EQ(read_with({}).name(), "");
  EXPECT_EQ(read_with({}).refresh_interval, 5min);
  EXPECT_EQ(read_with({{"SECRET_REFRESH_INTERVAL", "0"}}).refresh_interval, 0ms);
  EXPECT_EQ(read_with({{"SECRET_REFRESH_INTERVAL", "1h"}}).refresh_interval, 1h);
}

TEST(SecretSettings, WarnOfWhatHasNoEffect) {
  const auto settings = read_settings({{"SECRET_PROVIDER_SITE_URL", "https://bao"}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->warnings, Faults{"SECRET_PROVIDER_SITE_URL has no effect without SECRET_PROVIDER"});
}

TEST(SecretSettings, ReadThoseOfWebhookStores) {
  const auto settings = read_with({{"SECRET_PROVIDER", "webhook"},
                                   {"SECRET_PROVIDER_WEBHOOK_STORES", "stores: {}"},
                                   {"SECRET_PROVIDER_AUTH_USERNAME", "me"},
                                   {"SECRET_PROVIDER_AUTH_PASSWORD", "pass"},
                                   {"SECRET_PROVIDER_AUTH_TOKEN", "token"},
                                   {"SECRET_PROVIDER_AUTH_APIKEY", "key"}});
  EXPECT_EQ(settings.name(), "webhook");
  const auto& webhook = std::get<WebhookStoreSettings>(settings.provider);
  EXPECT_EQ(webhook.stores.reveal(), "stores: {}");
  EXPECT_EQ(webhook.username.reveal(), "me");
  EXPECT_EQ(webhook.password.reveal(), "pass");
  EXPECT_EQ(webhook.token.reveal(), "token");
  EXPECT_EQ(webhook.api_key.reveal(), "key");
}

TEST(SecretSettings, ReadThoseOfOpenbao) {
  const auto settings = read_with({{"SECRET_PROVIDER", "openbao"},
                                   {"SECRET_PROVIDER_SITE_URL", "https://Bao.example:8200/"},
                                   {"SECRET_PROVIDER_ACCESS_TOKEN", "s.token"},
                                   {"VAULT_NAMESPACE", "acme"},
                                   {"VAULT_CACERT", "/ca.pem"},
                                   {"BAO_CACERT", "/bao.pem"},
                                   {"BAO_CLIENT_CERT", "/cert.pem"},
                                   {"VAULT_CLIENT_KEY", "/key.pem"},
                                   {"VAULT_SKIP_VERIFY", "false"}});
  EXPECT_EQ(settings.name(), "openbao");
  const auto& bao = std::get<OpenbaoSettings>(settings.provider);
  EXPECT_EQ(bao.site_url, "https://bao.example:8200");
  EXPECT_EQ(bao.token.reveal(), "s.token");
  EXPECT_EQ(bao.name_space, "acme");
  EXPECT_EQ(bao.ca_file, "/bao.pem");
  EXPECT_EQ(bao.client_cert_file, "/cert.pem");
  EXPECT_EQ(bao.client_key_file, "/key.pem");
}

TEST(SecretSettings, SayWhatIsWrong) {
  struct Row {
    Environment environment;
    Faults faults;
  };
  const std::string needed = ": needed with SECRET_PROVIDER=";
  for (const auto& [environment, faults] : std::initializer_list<Row>{
           {{{"SECRET_PROVIDER", "vault"}},
            {"SECRET_PROVIDER: unknown secret provider: vault: must be one of webhook, openbao"}},
           {{{"SECRET_PROVIDER", "webhook"}},
            {"SECRET_PROVIDER_WEBHOOK_STORES or SECRET_PROVIDER_WEBHOOK_STORES_FILE" + needed + "webhook"}},
           {{{"SECRET_PROVIDER", "openbao"}},
            {"SECRET_PROVIDER_SITE_URL" + needed + "openbao",
             "SECRET_PROVIDER_ACCESS_TOKEN or SECRET_PROVIDER_ACCESS_TOKEN_FILE" + needed + "openbao"}},
           {{{"SECRET_PROVIDER", "openbao"},
             {"SECRET_PROVIDER_SITE_URL", "bao:8200"},
             {"SECRET_PROVIDER_ACCESS_TOKEN", "x"}},
            {"SECRET_PROVIDER_SITE_URL: not an http or https URL such as https://secrets.acme.example"}},
           {{{"SECRET_PROVIDER", "openbao"},
             {"SECRET_PROVIDER_SITE_URL", "https://bao"},
             {"SECRET_PROVIDER_ACCESS_TOKEN", "x"},
             {"VAULT_SKIP_VERIFY", "true"}},
            {"BAO_SKIP_VERIFY, VAULT_SKIP_VERIFY: not supported: name the server's CA in BAO_CACERT instead"}},
           {{{"SECRET_REFRESH_INTERVAL", "often"}},
            {"SECRET_REFRESH_INTERVAL: \"often\" is not a duration such as 90s, 30m or 1h30m"}},
       })
    EXPECT_EQ(faults_with(environment), faults);
}

}  // namespace
}  // namespace windlass
