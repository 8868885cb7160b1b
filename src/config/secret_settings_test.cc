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

TEST(SecretSettings, ReadThoseOf1Password) {
  const auto account = std::get<OnePasswordSettings>(read_with({{"SECRET_PROVIDER", "1password"},
                                                                {"SECRET_PROVIDER_ACCESS_TOKEN", "ops_x"},
                                                                {"SECRET_PROVIDER_CACHE_ENABLED", "true"},
                                                                {"SECRET_PROVIDER_CACHE_TTL", "1m"},
                                                                {"SECRET_PROVIDER_CACHE_MAX_SIZE", "7"}})
                                                         .provider);
  EXPECT_EQ(account.access_token.reveal(), "ops_x");
  EXPECT_TRUE(account.cache_enabled);
  EXPECT_EQ(account.cache_ttl, 1min);
  EXPECT_EQ(account.cache_max_size, 7u);
  const auto connect =
      std::get<OnePasswordSettings>(read_with({{"SECRET_PROVIDER", "1password"},
                                               {"SECRET_PROVIDER_ACCESS_TOKEN", "ops_x"},
                                               {"SECRET_PROVIDER_CONNECT_HOST", "http://connect:8080/"},
                                               {"SECRET_PROVIDER_CONNECT_TOKEN", "c"}})
                                        .provider);
  EXPECT_EQ(connect.connect_host, "http://connect:8080");
  EXPECT_EQ(connect.connect_token.reveal(), "c");
}

TEST(SecretSettings, ReadThoseOfTheOthers) {
  for (const auto* url : {"https://i.example", "https://i.example/", "https://i.example/api/"})
    EXPECT_EQ(std::get<InfisicalSettings>(read_with({{"SECRET_PROVIDER", "infisical"},
                                                     {"SECRET_PROVIDER_SITE_URL", url},
                                                     {"SECRET_PROVIDER_CLIENT_ID", "id"},
                                                     {"SECRET_PROVIDER_CLIENT_SECRET", "x"}})
                                              .provider)
                  .api_url,
              "https://i.example/api");
  const auto bitwarden = std::get<BitwardenSettings>(
      read_with({{"SECRET_PROVIDER", "bitwarden_sm"}, {"SECRET_PROVIDER_ACCESS_TOKEN", "x"}}).provider);
  EXPECT_EQ(bitwarden.api_url, "https://vault.bitwarden.com/api");
  EXPECT_EQ(bitwarden.identity_url, "https://vault.bitwarden.com/identity");
  const auto aws = std::get<AwsSettings>(read_with({{"SECRET_PROVIDER", "aws_sm"},
                                                    {"SECRET_PROVIDER_REGION", "eu-central-1"},
                                                    {"SECRET_PROVIDER_ACCESS_KEY_ID", "AKID"},
                                                    {"SECRET_PROVIDER_SECRET_ACCESS_KEY", "s"},
                                                    {"SECRET_PROVIDER_SESSION_TOKEN", "t"}})
                                             .provider);
  EXPECT_EQ(aws.region, "eu-central-1");
  EXPECT_EQ(aws.access_key_id, "AKID");
  EXPECT_EQ(aws.secret_access_key.reveal(), "s");
  EXPECT_EQ(aws.session_token.reveal(), "t");
  EXPECT_EQ(read_with({{"SECRET_PROVIDER", "aws_sm"}, {"SECRET_PROVIDER_REGION", "eu"}}).name(), "aws_sm");
}

TEST(SecretSettings, SayWhatIsWrong) {
  struct Row {
    Environment environment;
    Faults faults;
  };
  const std::string needed = ": needed with SECRET_PROVIDER=";
  for (const auto& [environment, faults] : std::initializer_list<Row>{
           {{{"SECRET_PROVIDER", "vault"}},
            {"SECRET_PROVIDER: unknown secret provider: vault: must be one of webhook, openbao, 1password, infisical, "
             "bitwarden_sm, aws_sm"}},
           {{{"SECRET_PROVIDER", "1password"}},
            {"SECRET_PROVIDER_ACCESS_TOKEN or SECRET_PROVIDER_ACCESS_TOKEN_FILE" + needed + "1password"}},
           {{{"SECRET_PROVIDER", "1password"}, {"SECRET_PROVIDER_CONNECT_HOST", "http://connect:8080"}},
            {"SECRET_PROVIDER_CONNECT_HOST and SECRET_PROVIDER_CONNECT_TOKEN must be set together"}},
           {{{"SECRET_PROVIDER", "1password"}, {"SECRET_PROVIDER_CONNECT_TOKEN", "x"}},
            {"SECRET_PROVIDER_CONNECT_HOST and SECRET_PROVIDER_CONNECT_TOKEN must be set together"}},
           {{{"SECRET_PROVIDER", "1password"},
             {"SECRET_PROVIDER_ACCESS_TOKEN", "x"},
             {"SECRET_PROVIDER_CACHE_MAX_SIZE", "0"}},
            {"SECRET_PROVIDER_CACHE_MAX_SIZE: \"0\" is not a whole number from 1 to 100000"}},
           {{{"SECRET_PROVIDER", "infisical"}},
            {"SECRET_PROVIDER_CLIENT_ID" + needed + "infisical",
             "SECRET_PROVIDER_CLIENT_SECRET or SECRET_PROVIDER_CLIENT_SECRET_FILE" + needed + "infisical"}},
           {{{"SECRET_PROVIDER", "bitwarden_sm"}},
            {"SECRET_PROVIDER_ACCESS_TOKEN or SECRET_PROVIDER_ACCESS_TOKEN_FILE" + needed + "bitwarden_sm"}},
           {{{"SECRET_PROVIDER", "aws_sm"}}, {"SECRET_PROVIDER_REGION" + needed + "aws_sm"}},
           {{{"SECRET_PROVIDER", "aws_sm"}, {"SECRET_PROVIDER_REGION", "eu"}, {"SECRET_PROVIDER_ACCESS_KEY_ID", "x"}},
            {"SECRET_PROVIDER_ACCESS_KEY_ID and SECRET_PROVIDER_SECRET_ACCESS_KEY must be set together"}},
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
