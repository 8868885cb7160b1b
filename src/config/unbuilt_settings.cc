#include "config/unbuilt_settings.h"

#include <fmt/format.h>

#include "config/scalars.h"

namespace windlass {
namespace {

struct Unbuilt {
  const char* name;
  const char* standard;  // the value that asks for nothing; "": only unset does
  const char* what;
  bool has_file = false;  // NAME_FILE exists too
};

// Not here because every value of theirs asks for nothing: SCHEDULER_ENABLED (no schedules) and API_ALLOW_UNMANAGED (no
// such route).
//
// A deployment would not be what these ask for: they stop the start.
constexpr Unbuilt kRefused[] = {
    // First of all what would make a deployment safer: to ignore it would be to deploy what it forbids.
    {"TUF_ROOT", "", "a trusted root over the network, OCI_TRUSTED_ROOT_FILE names a file"},
    {"TUF_MIRROR", "", "a trusted root over the network, OCI_TRUSTED_ROOT_FILE names a file"},
    {"TUF_ROOT_JSON", "", "a trusted root over the network, OCI_TRUSTED_ROOT_FILE names a file"},

    {"CERT_ROTATION_ENABLED", "false", "certificate rotation"},
    {"CERT_ROTATION_THRESHOLD", "72h", "certificate rotation"},
    {"CERT_ROTATION_CHECK_INTERVAL", "1h", "certificate rotation"},
};

// What they are for is refused where it is asked for: polls and webhooks of Git sources, managers of a Swarm. Whoever
// has set them for that and deploys from registries besides need not unset them.
constexpr Unbuilt kWithoutEffect[] = {
    {"SOURCE_URL_REWRITES", "", "Git sources", true},
    {"GIT_ACCESS_TOKEN", "", "Git sources", true},
    {"GIT_ACCESS_TOKEN_USER", "oauth2", "Git sources"},
    {"GIT_ACCESS_TOKEN_HOSTS", "", "Git sources"},
    {"GIT_AUTH_DOMAINS", "", "Git sources", true},
    {"GITHUB_APP_ID", "", "Git sources", true},
    {"GITHUB_APP_PRIVATE_KEY", "", "Git sources", true},
    {"GITHUB_APP_INSTALLATION_ID", "0", "Git sources"},
    {"GIT_CLONE_DEPTH", "0", "Git sources"},
    {"GIT_CLONE_SUBMODULES", "true", "Git sources"},
    {"SSH_PRIVATE_KEY", "", "Git sources", true},
    {"SSH_PRIVATE_KEY_PASSPHRASE", "", "Git sources", true},
    {"SSH_HOST_KEY_POLICY", "accept-new", "Git sources"},
    {"SSH_KNOWN_HOSTS", "", "Git sources", true},
    {"SKIP_TLS_VERIFICATION", "false", "Git sources"},
    {"GIT_COMMIT_STATUS", "false", "Git sources"},
    {"GIT_SCM_PROVIDER", "auto", "Git sources"},
    {"GIT_SCM_API_URL", "", "Git sources"},
    {"WEBHOOK_ALLOWED_HOSTS", "", "webhooks of Git sources"},

    {"DOCKER_SWARM_CONFIG_RETENTION", "0", "managers of a Swarm"},
    {"DOCKER_SWARM_SECRET_RETENTION", "0", "managers of a Swarm"},
    {"SWARM_PRUNE_JOB", "false", "managers of a Swarm"},

    {"PUBLIC_URL", "", "links in notifications"},
};

// "1h" and "60m", "false" and "0" are the same value.
bool same_value(const std::string& value, const std::string& standard) {
  if (value == standard) return true;
  if (const auto flag = parse_bool(standard); flag && standard.size() > 1) return parse_bool(value) == flag;
  const auto span = parse_duration(standard);
  return span && parse_duration(value) == span;
}

// The variables of the setting whose value asks for something.
std::vector<std::string> asked_for(const SettingReader& read, const Unbuilt& setting) {
  std::vector<std::string> names;
  const std::string name = setting.name;
  if (read.is_set(name) && !same_value(read.text(name), setting.standard)) names.push_back(name);
  if (setting.has_file && read.is_set(name + "_FILE")) names.push_back(name + "_FILE");
  return names;
}

void refuse(SettingReader& read, const std::string& name, const Unbuilt& setting) {
  const std::string remedy =
      *setting.standard == '\0' ? "unset it" : fmt::format("unset it or leave it at {}", setting.standard);
  read.fault(fmt::format("{}: not built yet in this version of windlass ({}): {}", name, setting.what, remedy));
}

}  // namespace

void refuse_unbuilt_settings(SettingReader& read) {
  for (const auto& setting : kRefused)
    for (const auto& name : asked_for(read, setting)) refuse(read, name, setting);
  for (const auto& setting : kWithoutEffect)
    for (const auto& name : asked_for(read, setting))
      read.warn(fmt::format("{}: has no effect: {} are not built yet in this version of windlass", name, setting.what));
}

}  // namespace windlass
