#include "config/passed_environment.h"

#include <algorithm>

namespace windlass {
namespace {

// With their _FILE twins: a path tells where to look.
constexpr std::string_view kWithheld[] = {
    "API_SECRET",
    "WEBHOOK_SECRET",
    "WEBHOOK_SECRET_PREVIOUS",
    "REGISTRY_WEBHOOKS",
    "GIT_ACCESS_TOKEN",
    "GIT_AUTH_DOMAINS",
    "GITHUB_APP_ID",
    "GITHUB_APP_PRIVATE_KEY",
    "SSH_PRIVATE_KEY",
    "POLL_CONFIG",
    "SSH_PRIVATE_KEY_PASSPHRASE",
    "APPRISE_NOTIFY_URLS",
    "APPRISE_API_URL",  // may hold a password or a key
    "SOURCE_URL_REWRITES",
    "DOCKER_AUTH_CONFIG",
    // what sops and credential helpers are handed for their keys; not AWS_*, which compose files use (docs/secrets.md)
    "VAULT_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_PASSWORD",
    "GOOGLE_CREDENTIALS",  // a path, or the key itself
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "IDENTITY_HEADER",
    "MSI_SECRET",
    // proxies carry a password in their URL
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
};
constexpr std::string_view kWithheldPrefixes[] = {"SECRET_PROVIDER", "SOPS_"};

}  // namespace

bool is_allowed(std::string_view name, const std::vector<std::string>& allowed) {
  return allowed.empty() || std::any_of(allowed.begin(), allowed.end(), [&](std::string_view entry) {
           if (!entry.ends_with('*')) return name == entry;
           entry.remove_suffix(1);
           return name.starts_with(entry);
         });
}

bool is_withheld(std::string_view name) {
  for (const auto prefix : kWithheldPrefixes)
    if (name.starts_with(prefix)) return true;
  if (name.ends_with("_FILE")) name.remove_suffix(5);
  return std::find(std::begin(kWithheld), std::end(kWithheld), name) != std::end(kWithheld);
}

Environment passed_environment(const Settings& settings, const Environment& environment) {
  Environment passed;
  if (!settings.pass_env) return passed;
  for (const auto& variable : environment)
    if (!is_withheld(variable.first) && is_allowed(variable.first, settings.pass_env_allow)) passed.insert(variable);
  return passed;
}

}  // namespace windlass
