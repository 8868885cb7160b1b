// What can be said of the settings before anything is started, by those who will use them (config 2.1).
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "docker/engine.h"
#include "sops/decryptor.h"

namespace windlass {

// Faults of DOCKER_HOST and its kin, of DATA_MOUNT_PATH and of the secret provider, each named; changes nothing and
// asks nobody.
std::vector<std::string> faults_at_start(const Settings& settings);

// A manager of a Swarm is refused unless DOCKER_SWARM_FEATURES is false (deploy/M1): to deploy with docker compose what
// runs there as a stack already would be to run it twice.
Status check_swarm(const EngineInfo& engine, bool swarm_features);

// For read_settings(): those faults, references of artifacts that are none, and how encrypted files are read. The
// checks use the decryptor, which outlives them.
SettingChecks setting_checks(const sops::Decryptor& decryptor);

}  // namespace windlass
