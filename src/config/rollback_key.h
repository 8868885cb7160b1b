// The deploy key `rollback` (deploy/V2): false, true, or a mapping of `on`, `keep` and `stable_for`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/key_reader.h"
#include "model/rollback_rule.h"
#include "sys/json.h"

namespace windlass {

// Nothing when the key is absent or null: AUTO_ROLLBACK decides. Each fault names file, line, key and rule; unknown
// keys of the mapping go to `warnings`.
// `inherited`: what the members of a mapping that are not given keep, in place of the defaults.
std::optional<RollbackRule> decode_rollback(KeyReader& read, std::string_view file, std::vector<std::string>& faults,
                                            std::vector<std::string>& warnings,
                                            const std::optional<RollbackRule>& inherited = std::nullopt);

// The rule as it could have been written.
json::value to_json(const RollbackRule& rule);

}  // namespace windlass
