// OCI_REGISTRIES_FILE: where registries really are, their mirrors, and how they are spoken to (oci 6).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/setting_reader.h"
#include "model/registry_rule.h"

namespace windlass {

// Of a YAML list of mappings. Adds "<file>:<line>: <key>: <fault>" for all that is wrong, unknown keys too: a typo must
// not switch a check off. Paths are absolute and their files can be read.
std::vector<RegistryRule> parse_registries(std::string_view text, std::string_view file,
                                           std::vector<std::string>& faults);

// Of the file that the variable names; nothing where it is unset.
std::vector<RegistryRule> read_registries_file(SettingReader& read);

}  // namespace windlass
