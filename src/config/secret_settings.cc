#include "config/secret_settings.h"

#include <fmt/format.h>

#include <iterator>

#include "base/text.h"
#include "config/scalars.h"
#include "config/setting_reader.h"
#include "sys/url.h"

namespace windlass {
namespace {

// In the order of the variant's alternatives.
constexpr std::string_view kNames[] = {"", "webhook", "openbao", "1password", "infisical", "bitwarden_sm", "aws_sm"};

std::string of(std::string_view setting) { return fmt::format("SECRET_PROVIDER_{}", setting); }

class Reader {
 public:
  Reader(SettingReader& read, std::string_view provider) : read_(read), provider_(provider) {}

  std::string text(std::string_view setting) {
    auto value = read_.text(of(setting));
    if (value.empty()) missing(setting);
    return value;
  }

  Secret secret(std::string_view setting) {
    const auto faults = read_.faults().size();
    auto value = read_.secret(of(setting));
    if (value.empty() && read_.faults().size() == faults) missing(fmt::format("{} or {}_FILE", setting, of(setting)));
    return value;
  }

  // `standard`: "" if there is none.
  std::string url(std::string_view setting, std::string_view standard = "") {
    auto value = read_.text(of(setting));
    if (value.empty()) value = standard;
    if (value.empty()) return missing(setting), "";
    const auto url = parse_url(trim(value));
    if (!url || !url->query.empty()) {
      read_.fault(fmt::format("{}: not an http or https URL such as https://secrets.acme.example", of(setting)));
      return "";
    }
    auto text = url->str();
    while (text.ends_with('/')) text.pop_back();
    return text;
  }

  SettingReader& settings() { return read_; }

 private:
  void missing(std::string_view setting) {
    read_.fault(fmt::format("{}: needed with SECRET_PROVIDER={}", of(setting), provider_));
  }

  SettingReader& read_;
  std::string_view provider_;
};

WebhookStoreSettings read_webhook(Reader read) {
  auto& settings = read.settings();
  return {.stores = read.secret("WEBHOOK_STORES"),
          .username = settings.secret(of("AUTH_USERNAME")),
          .password = settings.secret(of("AUTH_PASSWORD")),
          .token = settings.secret(of("AUTH_TOKEN")),
          .api_key = settings.secret(of("AUTH_APIKEY"))};
}

// BAO_NAME, else VAULT_NAME, as the tools of both read them.
std::string bao(SettingReader& read, std::string_view name) {
  auto value = read.text(fmt::format("BAO_{}", name));
  return value.empty() ? read.text(fmt::format("VAULT_{}", name)) : value;
}

void refuse(SettingReader& read, std::string_view name, std::string_view remedy) {
  const auto value = bao(read, name);
  if (!value.empty() && parse_bool(value) != false)
    read.fault(fmt::format("BAO_{0}, VAULT_{0}: not supported: {1}", name, remedy));
}

OpenbaoSettings read_openbao(Reader read) {
  auto& settings = read.settings();
  refuse(settings, "SKIP_VERIFY", "name the server's CA in BAO_CACERT instead");
  refuse(settings, "TLS_SERVER_NAME", "ask the server by the name in its certificate");
  auto url = read.url("SITE_URL");  // before the token, for the order of faults
  return {.site_url = std::move(url),
          .token = read.secret("ACCESS_TOKEN"),
          .name_space = bao(settings, "NAMESPACE"),
          .ca_file = bao(settings, "CACERT"),
          .client_cert_file = bao(settings, "CLIENT_CERT"),
          .client_key_file = bao(settings, "CLIENT_KEY")};
}

OnePasswordSettings read_onepassword(Reader read) {
  auto& settings = read.settings();
  OnePasswordSettings result;
  const bool has_host = settings.is_set(of("CONNECT_HOST"));
  result.connect_token = settings.secret(of("CONNECT_TOKEN"));
  if (has_host != !result.connect_token.empty())
    settings.fault("SECRET_PROVIDER_CONNECT_HOST and SECRET_PROVIDER_CONNECT_TOKEN must be set together");
  if (has_host) {
    result.connect_host = read.url("CONNECT_HOST");
    return result;
  }
  if (result.connect_token.empty()) result.access_token = read.secret("ACCESS_TOKEN");
  settings.flag(of("CACHE_ENABLED"), result.cache_enabled);
  settings.duration(of("CACHE_TTL"), std::chrono::milliseconds(1), result.cache_ttl);
  settings.number(of("CACHE_MAX_SIZE"), {1, 100'000}, result.cache_max_size);
  return result;
}

InfisicalSettings read_infisical(Reader read) {
  auto url = read.url("SITE_URL", "https://app.infisical.com");
  if (!url.empty() && !url.ends_with("/api")) url += "/api";
  auto client_id = read.text("CLIENT_ID");
  return {.api_url = std::move(url), .client_id = std::move(client_id), .client_secret = read.secret("CLIENT_SECRET")};
}

BitwardenSettings read_bitwarden(Reader read) {
  auto api = read.url("API_URL", "https://vault.bitwarden.com/api");
  auto identity = read.url("IDENTITY_URL", "https://vault.bitwarden.com/identity");
  return {.api_url = std::move(api), .identity_url = std::move(identity), .access_token = read.secret("ACCESS_TOKEN")};
}

AwsSettings read_aws(Reader read) {
  auto& settings = read.settings();
  AwsSettings result;
  result.region = read.text("REGION");
  result.access_key_id = settings.text(of("ACCESS_KEY_ID"));
  result.secret_access_key = settings.secret(of("SECRET_ACCESS_KEY"));
  if (result.access_key_id.empty() != result.secret_access_key.empty())
    settings.fault("SECRET_PROVIDER_ACCESS_KEY_ID and SECRET_PROVIDER_SECRET_ACCESS_KEY must be set together");
  result.session_token = settings.secret(of("SESSION_TOKEN"));
  result.endpoint_url = settings.text("AWS_ENDPOINT_URL_SECRETS_MANAGER");
  return result;
}

}  // namespace

std::string_view SecretSettings::name() const { return kNames[provider.index()]; }

std::vector<Secret> secrets_in(const SecretSettings& settings) {
  std::vector<Secret> secrets;
  if (const auto* webhook = std::get_if<WebhookStoreSettings>(&settings.provider))
    secrets = {webhook->stores, webhook->username, webhook->password, webhook->token, webhook->api_key};
  if (const auto* openbao = std::get_if<OpenbaoSettings>(&settings.provider)) secrets = {openbao->token};
  if (const auto* onepassword = std::get_if<OnePasswordSettings>(&settings.provider))
    secrets = {onepassword->connect_token, onepassword->access_token};
  if (const auto* infisical = std::get_if<InfisicalSettings>(&settings.provider)) secrets = {infisical->client_secret};
  if (const auto* bitwarden = std::get_if<BitwardenSettings>(&settings.provider)) secrets = {bitwarden->access_token};
  if (const auto* aws = std::get_if<AwsSettings>(&settings.provider))
    secrets = {aws->secret_access_key, aws->session_token};
  std::erase_if(secrets, [](const Secret& secret) { return secret.empty(); });
  return secrets;
}

SecretSettings read_secret_settings(SettingReader& read) {
  SecretSettings settings;
  read.duration("SECRET_REFRESH_INTERVAL", std::chrono::milliseconds(0), settings.refresh_interval);
  const auto name = read.text("SECRET_PROVIDER");
  if (name.empty()) {
    if (const auto unused = read.names_with_prefix("SECRET_PROVIDER_"); !unused.empty())
      read.warn(fmt::format("{} has no effect without SECRET_PROVIDER", unused.front()));
  } else if (name == "webhook") {
    settings.provider = read_webhook({read, name});
  } else if (name == "openbao") {
    settings.provider = read_openbao({read, name});
  } else if (name == "1password") {
    settings.provider = read_onepassword({read, name});
  } else if (name == "infisical") {
    settings.provider = read_infisical({read, name});
  } else if (name == "bitwarden_sm") {
    settings.provider = read_bitwarden({read, name});
  } else if (name == "aws_sm") {
    settings.provider = read_aws({read, name});
  } else {
    read.fault(fmt::format("SECRET_PROVIDER: unknown secret provider: {}: must be one of {}", printable(name, 100),
                           fmt::join(std::begin(kNames) + 1, std::end(kNames), ", ")));
  }
  return settings;
}

}  // namespace windlass
