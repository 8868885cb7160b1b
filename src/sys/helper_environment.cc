#include "sys/helper_environment.h"

#include <algorithm>

#include "base/text.h"

namespace windlass {
namespace {

// MSI_*, IDENTITY_*: the managed identity of Azure.
const PassedVariables& for_all() {
  static const PassedVariables variables{.names = {"PATH", "HOME", "USER", "GNUPGHOME", "XDG_CONFIG_HOME",
                                                   "SSL_CERT_FILE", "SSL_CERT_DIR", "MSI_ENDPOINT", "MSI_SECRET"},
                                         .prefixes = {"AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_", "IDENTITY_"}};
  return variables;
}

bool is_proxy_variable(std::string_view name) {
  constexpr std::string_view kProxies[] = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"};
  return std::find(std::begin(kProxies), std::end(kProxies), lower(name)) != std::end(kProxies);
}

bool is_among(const PassedVariables& variables, std::string_view name) {
  return std::find(variables.names.begin(), variables.names.end(), name) != variables.names.end() ||
         std::any_of(variables.prefixes.begin(), variables.prefixes.end(),
                     [&](auto prefix) { return name.starts_with(prefix); });
}

}  // namespace

std::map<std::string, std::string> helper_environment(const std::map<std::string, std::string>& own,
                                                      const PassedVariables& more) {
  std::map<std::string, std::string> passed;
  for (const auto& [name, value] : own)
    if (!value.empty() && (is_among(for_all(), name) || is_among(more, name) || is_proxy_variable(name)))
      passed.emplace(name, value);
  return passed;
}

}  // namespace windlass
