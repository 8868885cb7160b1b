// What can be said of the settings before anything is started, by those who will use them (config 2.1).
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "docker/engine.h"

namespace windlass {

EngineOptions engine_options(const Settings& settings);

// Faults of DOCKER_HOST and its kin, of DATA_MOUNT_PATH and of the secret provider, each named; changes nothing and
// asks nobody.
std::vector<std::string> faults_at_start(const Settings& settings);

}  // namespace windlass
