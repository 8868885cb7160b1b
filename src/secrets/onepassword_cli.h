// Provider `1password` with a service account, by the command `op`: there is no public protocol (secrets/V2.2, V2.6).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "config/secret_settings.h"
#include "secrets/secret_provider.h"
#include "sys/process.h"

namespace windlass {

// `environment`: of this process; of it the command sees PATH, HOME and the proxies. Kind::invalid: op is not in PATH.
Result<std::unique_ptr<SecretProvider>> make_onepassword_cli(const OnePasswordSettings& settings,
                                                             const std::map<std::string, std::string>& environment,
                                                             ProcessRunner& processes, const Clock& clock);

}  // namespace windlass
