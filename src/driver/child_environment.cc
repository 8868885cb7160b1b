#include "driver/child_environment.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace windlass {
namespace {

bool is_proxy_variable(std::string_view name) {
  constexpr std::array<std::string_view, 5> names = {"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"};
  return std::find(names.begin(), names.end(), lower(name)) != names.end();
}

bool is_passed_on(std::string_view name) {
  // the last one: the operator's word on oci:// includes (config 2)
  constexpr std::array<std::string_view, 6> names = {
      "PATH", "HOME", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "COMPOSE_EXPERIMENTAL_OCI_REMOTE"};
  // All that docker and compose read; another one may be anything, a password as well.
  constexpr std::array<std::string_view, 13> of_docker = {"AUTH_CONFIG",
                                                          "API_VERSION",
                                                          "BUILDKIT",
                                                          "CERT_PATH",
                                                          "CONFIG",
                                                          "CONTENT_TRUST",
                                                          "CONTENT_TRUST_SERVER",
                                                          "CONTEXT",
                                                          "CUSTOM_HEADERS",
                                                          "DEFAULT_PLATFORM",
                                                          "HOST",
                                                          "TLS",
                                                          "TLS_VERIFY"};
  const bool is_of_docker =
      name.starts_with("DOCKER_") && std::find(of_docker.begin(), of_docker.end(), name.substr(7)) != of_docker.end();
  return std::find(names.begin(), names.end(), name) != names.end() || is_of_docker || is_proxy_variable(name);
}

}  // namespace

bool steers_child(std::string_view name) {
  constexpr std::array<std::string_view, 19> names = {"PATH",
                                                      "HOME",
                                                      "TMPDIR",
                                                      "GODEBUG",
                                                      "SSH_AUTH_SOCK",
                                                      "DOCKER_HOST",
                                                      "DOCKER_CONTEXT",
                                                      "DOCKER_CONFIG",
                                                      "DOCKER_CERT_PATH",
                                                      "DOCKER_TLS",
                                                      "DOCKER_TLS_VERIFY",
                                                      "DOCKER_API_VERSION",
                                                      "DOCKER_AUTH_CONFIG",
                                                      "DOCKER_CUSTOM_HEADERS",
                                                      "GLIBC_TUNABLES",
                                                      "GIT_TEMPLATE_DIR",
                                                      "GIT_ASKPASS",
                                                      "GIT_EXEC_PATH",
                                                      "GIT_PROXY_COMMAND"};
  constexpr std::array<std::string_view, 7> prefixes = {"COMPOSE_", "LD_",        "SSL_CERT_", "DOCKER_CLI_",
                                                        "GIT_SSH",  "GIT_CONFIG", "GIT_TRACE"};
  return std::find(names.begin(), names.end(), name) != names.end() || is_proxy_variable(name) ||
         std::any_of(prefixes.begin(), prefixes.end(), [&](auto prefix) { return name.starts_with(prefix); });
}

bool may_hold_credentials(std::string_view name) {
  return name == "DOCKER_AUTH_CONFIG" || name == "DOCKER_CUSTOM_HEADERS" ||
         (is_proxy_variable(name) && lower(name) != "no_proxy");
}

ChildEnvironment child_environment(const std::map<std::string, std::string>& own,
                                   const std::map<std::string, std::string>& interpolation) {
  ChildEnvironment child;
  for (const auto& [name, value] : own)
    if (is_passed_on(name)) child.variables[name] = value;
  for (const auto& [name, value] : interpolation) {
    if (steers_child(name))
      child.withheld.push_back(name);
    else
      child.variables[name] = value;
  }
  return child;
}

std::map<std::string, std::string> without_credentials(std::map<std::string, std::string> variables) {
  std::erase_if(variables, [](const auto& variable) { return may_hold_credentials(variable.first); });
  return variables;
}

std::vector<std::string> credentials_in(const std::map<std::string, std::string>& own) {
  std::vector<std::string> credentials;
  for (const auto& [name, value] : own) {
    if (!may_hold_credentials(name)) continue;
    const auto host = value.rfind('@');
    if (is_proxy_variable(name) && host == value.npos) continue;  // nothing secret: messages may name the proxy
    credentials.push_back(value);
    const auto password = host == value.npos ? value.npos : value.rfind(':', host);
    if (password != value.npos) credentials.push_back(value.substr(password + 1, host - password - 1));
  }
  return credentials;
}

}  // namespace windlass
