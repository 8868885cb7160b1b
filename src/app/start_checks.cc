#include "app/start_checks.h"

#include "app/engine_access.h"
#include "app/state_folder.h"
#include "oci/reference.h"
#include "secrets/secret_provider.h"

namespace windlass {
namespace {

constexpr auto kDecryptTimeout = std::chrono::seconds(60);  // of one setting

}  // namespace

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

Status check_swarm(const EngineInfo& engine, bool swarm_features) {
  if (!engine.swarm_manager || !swarm_features) return {};
  return fail(Kind::invalid,
              "the Docker engine is a manager of a Swarm, whose stacks this version of windlass does not deploy yet: "
              "DOCKER_SWARM_FEATURES=false makes it deploy with docker compose on this engine alone");
}

SettingChecks setting_checks(const sops::Decryptor& decryptor) {
  const auto is_artifact = [](std::string_view text) -> Status {
    const auto reference = Reference::parse(text);
    return reference ? Status() : tl::unexpected(reference.error());
  };
  const auto decrypt = [&decryptor](const std::string& path, const std::string& text) {
    return decryptor.text_if_encrypted(path, text, Deadline::in(kDecryptTimeout));
  };
  return {.is_artifact = is_artifact, .decrypt = decrypt, .of_service = faults_at_start};
}

}  // namespace windlass
