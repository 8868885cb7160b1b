// The settings read again while the service runs (config 1, 14 #16).
//
// Variables of a running process stay as they are; what can change is what the files say that they name.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"

namespace windlass {

struct RereadSettings {
  Settings settings;
  std::vector<std::string> changed;   // variables whose file has another content now
  std::vector<std::string> warnings;  // that were not there before
};

// Everything is read and checked as at the start. Beside the faults of that: a file that is empty and was not, since
// somebody may be writing it (all but the secret before, whose time has an end); notifications that would be switched
// on, which the start alone does.
tl::expected<RereadSettings, SettingsError> read_settings_again(const Environment& environment, const Settings& now,
                                                                const SettingChecks& checks);

}  // namespace windlass
