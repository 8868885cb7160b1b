// Key `external_secrets` of a deploy configuration: variables whose values are kept outside (config 4, secrets/E4).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/key_reader.h"
#include "model/secret_reference.h"
#include "sys/json.h"

namespace windlass {

// Names that the document gives replace those in `references`, the others stay (config 8). Faults and unknown keys name
// file, line and variable.
void decode_external_secrets(KeyReader& read, std::string_view file, std::vector<std::string>& faults,
                             std::vector<std::string>& warnings, SecretReferences& references);

// As it could have been written.
json::object to_json(const SecretReferences& references);

}  // namespace windlass
