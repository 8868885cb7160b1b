// The deploy key `reconciliation` (config 9, deploy 15): a bool, or a mapping of events and limits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/key_reader.h"
#include "model/reconciliation_rule.h"
#include "sys/json.h"

namespace windlass {

// `rule` holds what counts where the key says nothing: the defaults, or what a nested file overrides. Each fault names
// file, line, key and rule; unknown members go to `warnings`.
void decode_reconciliation(KeyReader& read, std::string_view file, std::vector<std::string>& faults,
                           std::vector<std::string>& warnings, ReconciliationRule& rule);

// The rule as it could have been written.
json::object to_json(const ReconciliationRule& rule);
// Of such an object; what it does not say is as by default.
ReconciliationRule reconciliation_of(const json::value& value);

}  // namespace windlass
