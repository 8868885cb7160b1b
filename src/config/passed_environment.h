// What PASS_ENV lets the compose files of a stack see of our own environment (config 6).
#pragma once

#include <string_view>

#include "config/settings.h"

namespace windlass {

// Empty unless `settings.pass_env`; with `settings.pass_env_allow` only what that names. Settings that are secrets,
// SECRET_PROVIDER_*, SOPS_* and DOCKER_AUTH_CONFIG are withheld whether windlass uses them or not (config 14 #11).
// Is a variable of that name never passed?
bool is_withheld(std::string_view name);

Environment passed_environment(const Settings& settings, const Environment& environment);

}  // namespace windlass
