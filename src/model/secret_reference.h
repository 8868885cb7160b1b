// Values that are kept outside and belong to a stack: where they are, and what they are (key external_secrets).
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/secret.h"

namespace windlass {

// Where one value is kept, in the words of the store.
struct SecretReference {
  std::string text;         // of a mapping its compact JSON, keys in order (secrets/E4)
  bool is_mapping = false;  // {store_ref: …, remote_ref: {…}}
  bool operator==(const SecretReference&) const = default;
};

using SecretReferences = std::map<std::string, SecretReference>;  // by the name of the variable
using SecretValues = std::map<std::string, Secret>;               // likewise

// The values of one stack.
struct StackSecrets {
  SecretValues values;
  std::set<std::string> one_time;  // variables whose value is another one each time
};

}  // namespace windlass
