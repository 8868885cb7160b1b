// OCI_TRUST_POLICY, OCI_TRUSTED_ROOT_FILE and OCI_VERIFY_MAX_WORKERS (oci 11.1, 11.6, 11.7).
#pragma once

#include "config/setting_reader.h"
#include "config/settings.h"

namespace windlass {

// A policy that could never let anything pass, or that lacks the root it needs, is a fault that says what to do.
void read_trust_settings(SettingReader& read, Settings& settings);

}  // namespace windlass
