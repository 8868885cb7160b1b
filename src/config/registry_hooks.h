// REGISTRY_WEBHOOKS: which registries may announce pushes in their own words (registry-events 3.11).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/setting_reader.h"
#include "model/registry_hook.h"

namespace windlass {

// Of a YAML list. Adds "<file>:<line>: <key>: <fault>" for all that is wrong, unknown keys too; no secret is ever
// shown.
std::vector<RegistryHook> parse_registry_hooks(std::string_view text, std::string_view file,
                                               std::vector<std::string>& faults);

// Of REGISTRY_WEBHOOKS or the file that REGISTRY_WEBHOOKS_FILE names; nothing where neither is set. A token that
// travels in URLs and is one of the secrets of `settings`, or of another format, is a fault (registry-events 3.2).
std::vector<RegistryHook> read_registry_hooks(SettingReader& read, const Settings& settings);

}  // namespace windlass
