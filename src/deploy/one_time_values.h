// Values that are others each time, such as one-time passwords: while a model is compared with what runs, a text that
// never changes stands in for them (secrets/E15).
#pragma once

#include <map>
#include <string>

#include "model/secret_reference.h"
#include "sys/json.h"

namespace windlass {

// What the variable holds while changes are looked for.
std::string one_time_stand_in(const std::string& variable);

// The values themselves in place of what stood in for them, wherever interpolation has put it.
void put_one_time_values(const StackSecrets& secrets, json::object& model,
                         std::map<std::string, std::string>& environment);

}  // namespace windlass
