// A JSON value as the tree that the decoders of YAML read: one schema, one decoder for both (config 14 #22).
#pragma once

#include "config/yaml.h"
#include "sys/json.h"

namespace windlass {

// Texts count as quoted, numbers and booleans as written plain; lines are 0, JSON has none to tell. `any_case`: keys
// match whatever their case, as in the JSON of a request (config 3); those of maps whose keys are the user's own stay
// as they are. Of equal keys the last one counts.
enum class JsonKeys { as_written, any_case };
YamlFile yaml_from_json(const json::value& value, JsonKeys keys);

}  // namespace windlass
