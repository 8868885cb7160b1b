// What PASS_ENV lets the compose files of a stack see of our own environment (config 6).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"

namespace windlass {

// Empty unless `settings.pass_env`; with `settings.pass_env_allow` only what that names. Settings that are secrets,
// SECRET_PROVIDER_*, SOPS_* and DOCKER_AUTH_CONFIG are withheld whether windlass uses them or not (config 14 #11).
Environment passed_environment(const Settings& settings, const Environment& environment);

// Is a variable of that name never passed?
bool is_withheld(std::string_view name);
// Does PASS_ENV_ALLOW name it, "APP_*" all that begin so? Nothing in it allows all.
bool is_allowed(std::string_view name, const std::vector<std::string>& allowed);

}  // namespace windlass
