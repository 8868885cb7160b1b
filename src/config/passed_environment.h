// What PASS_ENV lets the compose files of a stack see of our own environment (config 6).
#pragma once

#include "config/settings.h"

namespace windlass {

// Empty unless `settings.pass_env`. Settings that are secrets, SECRET_PROVIDER_*, SOPS_* and DOCKER_AUTH_CONFIG are
// withheld whether windlass uses them or not (config 14 #11).
Environment passed_environment(const Settings& settings, const Environment& environment);

}  // namespace windlass
