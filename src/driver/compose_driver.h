// docker compose, as a child process (deploy 1).
//
// The plugin's own program is run where it is found: `docker compose` would start it only after 25 to 60 ms of its own.
// The model that resolve() gives is fed back through standard input, so no secret in it ever lies in a file.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "driver/driver.h"
#include "sys/process.h"

namespace windlass {

struct ComposeOptions {
  // Of this process: PATH, HOME, DOCKER_*, SSH_AUTH_SOCK, SSL_CERT_FILE, SSL_CERT_DIR, the proxy variables and
  // COMPOSE_EXPERIMENTAL_OCI_REMOTE are passed on, nothing else (X12).
  std::map<std::string, std::string> environment;
  // Where the docker command keeps its plugins for everyone; the user's own folder comes before these.
  std::vector<std::filesystem::path> plugin_folders = {
      "/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins",
      "/usr/libexec/docker/cli-plugins"};
  std::string version;                           // "2.26.1" if it is known already; else check() finds it out
  std::vector<std::string> insecure_registries;  // "host[:port]": asked for oci:// includes in plain HTTP (oci 6)
  bool providers = false;                        // ALLOW_PROVIDER_SERVICES (deploy/X18)
  bool quiet = true;  // DOCKER_QUIET_DEPLOY: false also logs what the tool prints (deploy/C16)
};

// The plugin's program: $DOCKER_CONFIG/cli-plugins, else $HOME/.docker/cli-plugins, then the common folders.
std::optional<std::filesystem::path> find_compose_plugin(const ComposeOptions& options);

// Looks for the plugin now; without one it is `docker compose`. Calls may come from several threads. What `log` masks
// is masked in errors too: secrets of the service itself, wherever the tool has read them.
std::unique_ptr<Driver> make_compose_driver(ComposeOptions options, ProcessRunner& runner, Log log);

}  // namespace windlass
