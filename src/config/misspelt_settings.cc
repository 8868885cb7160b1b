#include "config/misspelt_settings.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/passed_environment.h"
#include "config/slips.h"

namespace windlass {
namespace {

// Of shorter names too many words are neighbours.
constexpr std::size_t kLettersMin = 6, kLettersForTwoSlips = 10;

// What is read by others than the settings, or only where another setting asks for it. With their _FILE twins where
// they have one.
constexpr const char* kReadElsewhere[] = {"ALL_PROXY",
                                          "HTTPS_PROXY",
                                          "NO_PROXY",
                                          "SSL_CERT_DIR",
                                          "MSI_ENDPOINT",
                                          "MSI_SECRET",
                                          "COMPOSE_EXPERIMENTAL_OCI_REMOTE",
                                          "WEBHOOK_URL",
                                          "WINDLASS_URL",
                                          "SOPS_AGE_KEY",
                                          "SOPS_AGE_KEY_FILE",
                                          "SOPS_HC_VAULT_ALLOWLIST",
                                          "VAULT_ADDR",
                                          "SECRET_PROVIDER_SITE_URL",
                                          "SECRET_PROVIDER_ACCESS_TOKEN",
                                          "SECRET_PROVIDER_ACCESS_TOKEN_FILE",
                                          "SECRET_PROVIDER_CONNECT_HOST",
                                          "SECRET_PROVIDER_CONNECT_TOKEN",
                                          "SECRET_PROVIDER_CONNECT_TOKEN_FILE",
                                          "SECRET_PROVIDER_CACHE_ENABLED",
                                          "SECRET_PROVIDER_CACHE_TTL",
                                          "SECRET_PROVIDER_CACHE_MAX_SIZE",
                                          "SECRET_PROVIDER_CLIENT_ID",
                                          "SECRET_PROVIDER_CLIENT_SECRET",
                                          "SECRET_PROVIDER_CLIENT_SECRET_FILE",
                                          "SECRET_PROVIDER_API_URL",
                                          "SECRET_PROVIDER_IDENTITY_URL",
                                          "SECRET_PROVIDER_REGION",
                                          "SECRET_PROVIDER_ACCESS_KEY_ID",
                                          "SECRET_PROVIDER_SECRET_ACCESS_KEY",
                                          "SECRET_PROVIDER_SECRET_ACCESS_KEY_FILE",
                                          "SECRET_PROVIDER_SESSION_TOKEN",
                                          "SECRET_PROVIDER_SESSION_TOKEN_FILE",
                                          "SECRET_PROVIDER_WEBHOOK_STORES",
                                          "SECRET_PROVIDER_WEBHOOK_STORES_FILE",
                                          "SECRET_PROVIDER_AUTH_USERNAME",
                                          "SECRET_PROVIDER_AUTH_USERNAME_FILE",
                                          "SECRET_PROVIDER_AUTH_PASSWORD",
                                          "SECRET_PROVIDER_AUTH_PASSWORD_FILE",
                                          "SECRET_PROVIDER_AUTH_TOKEN",
                                          "SECRET_PROVIDER_AUTH_TOKEN_FILE",
                                          "SECRET_PROVIDER_AUTH_APIKEY",
                                          "SECRET_PROVIDER_AUTH_APIKEY_FILE",
                                          "AWS_ENDPOINT_URL_SECRETS_MANAGER",
                                          "BAO_CACERT",
                                          "BAO_CLIENT_CERT",
                                          "BAO_CLIENT_KEY",
                                          "BAO_NAMESPACE",
                                          "VAULT_CACERT",
                                          "VAULT_CLIENT_CERT",
                                          "VAULT_CLIENT_KEY",
                                          "VAULT_NAMESPACE"};

}  // namespace

std::vector<std::string> misspelt_settings(const SettingReader& read, const Settings& settings) {
  auto known = read.asked_for();
  known.insert(std::begin(kReadElsewhere), std::end(kReadElsewhere));
  std::vector<std::string> lines;
  for (const auto& name : read.names_with_prefix("")) {
    const bool is_for_stacks = !settings.pass_env_allow.empty() && is_allowed(name, settings.pass_env_allow);
    if (known.contains(name) || is_for_stacks || name.size() < kLettersMin) continue;
    const auto meant = nearest(known, name, name.size() < kLettersForTwoSlips ? 1 : 2);
    if (!meant.empty())
      lines.push_back(fmt::format("{} is not a setting; did you mean {}?", printable(name, 100), meant));
  }
  return lines;
}

}  // namespace windlass
