// Settings files that are a YAML list of mappings: registries, registry webhooks.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/key_reader.h"

namespace windlass {

// Gives each mapping to `decode`. Adds "<file>:<line>: <key>: <fault>" for what is wrong, unknown keys too: a typo must
// not switch a check off. `what` and `key` are for the faults: "registries", and the key that every entry has.
void read_mappings(std::string_view text, std::string_view file, std::string_view what, std::string_view key,
                   std::vector<std::string>& faults, const std::function<void(KeyReader&)>& decode);

}  // namespace windlass
