#include "oci/credential_options.h"

#include "sys/helper_environment.h"

namespace windlass {

CredentialSource::Options credential_options(const std::map<std::string, std::string>& environment) {
  const auto value_of = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  };
  const auto home = value_of("HOME");
  const auto folder = value_of("DOCKER_CONFIG");
  std::vector<std::filesystem::path> podman;
  if (const auto file = value_of("REGISTRY_AUTH_FILE"); !file.empty()) podman.emplace_back(file);
  if (const auto runtime = value_of("XDG_RUNTIME_DIR"); !runtime.empty())
    podman.emplace_back(runtime + "/containers/auth.json");
  if (const auto config = value_of("XDG_CONFIG_HOME"); !config.empty())
    podman.emplace_back(config + "/containers/auth.json");
  else if (!home.empty())
    podman.emplace_back(home + "/.config/containers/auth.json");
  return {
      .config_file = (folder.empty() ? home + "/.docker" : folder) + "/config.json",
      .fallback_files = std::move(podman),
      .auth_config = Secret(value_of("DOCKER_AUTH_CONFIG")),
      .helper_environment = helper_environment(
          environment, {.names = {"DOCKER_CONFIG", "PASSWORD_STORE_DIR", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"},
                        .prefixes = {}})};
}

}  // namespace windlass
