// Deploy keys of the specification that windlass does not have yet (config 4): refused by name, never ignored.
#pragma once

#include <string_view>
#include <vector>

#include "config/key_reader.h"

namespace windlass {

// Adds a fault for each one whose value asks for something; what asks for nothing, `context: ""`, is fine.
void refuse_unbuilt_keys(KeyReader& read);

}  // namespace windlass
