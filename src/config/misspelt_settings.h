// Variables that are no settings and look like one. The environment is not ours alone, so nothing is refused.
#pragma once

#include "config/setting_reader.h"
#include "config/settings.h"

namespace windlass {

// "POLL_CONFG is not a setting; did you mean POLL_CONFIG?" for each variable that is set and one slip away from a
// setting, or two if its name is long. Values are never told. Called last: what `read` was asked for are settings. What
// PASS_ENV_ALLOW names is there for stacks.
std::vector<std::string> misspelt_settings(const SettingReader& read, const Settings& settings);

}  // namespace windlass
