// Settings of the specification that windlass does not have yet (config 2): refused by name, never ignored.
#pragma once

#include "config/setting_reader.h"

namespace windlass {

// Adds a fault for each one that is set to something else than its default.
void refuse_unbuilt_settings(SettingReader& read);

}  // namespace windlass
