#include "app/start_checks.h"

#include "app/state_folder.h"
#include "secrets/secret_provider.h"

namespace windlass {

EngineOptions engine_options(const Settings& settings) {
  EngineOptions options{.tls_dir = settings.docker_cert_path,
                        .tls_verify = settings.docker_tls_verify,
                        .api_version = settings.docker_api_version};
  if (!settings.docker_host.empty()) options.docker_host = settings.docker_host;
  return options;
}

std::vector<std::string> faults_at_start(const Settings& settings) {
  std::vector<std::string> faults;
  if (const auto usable = check_engine_options(engine_options(settings)); !usable)
    faults.push_back(usable.error().message);
  const bool is_path = settings.data_mount_path.starts_with('/');  // else that is a fault already
  if (const auto there = StateFolder::check(settings.data_mount_path); is_path && !there)
    faults.push_back(there.error().message);
  if (const auto usable = check_secret_settings(settings.secrets, process_environment()); !usable)
    faults.push_back(usable.error().message);
  return faults;
}

}  // namespace windlass
