// What the settings mean to those who fetch, judge and deploy artifacts: options of oci/, source/ and deploy/.
//
// Not here: how engines and compose are spoken to (engine_access.h), and what must be signed (source/trust_rules.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/slots.h"
#include "config/adopt_allow.h"
#include "config/settings.h"
#include "oci/unpack.h"

namespace windlass {

// Budgets of one artifact. `large_places` outlives them.
UnpackLimits unpack_limits(const Settings& settings, Slots& large_places);

// The only adoptions that are allowed, each by the id of its source; nothing: all that a deploy config asks for.
std::optional<std::vector<AllowedAdoption>> adoptable(const Settings& settings);

// What may let a stack pass that was refused: it is tried again when this changes.
std::string policy_text(const Settings& settings);

// SHA-256 of the names and values of variables, "" for none: models may depend on them.
std::string environment_hash(const Environment& environment);

// Of what a provider of secrets is made from, this can change while the service runs: hashes of files, by setting.
std::map<std::string, std::string> secret_files(const Settings& settings);

}  // namespace windlass
