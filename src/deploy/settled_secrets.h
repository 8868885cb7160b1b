// Which external secrets a stack was brought up with: references, and of values only keyed hashes (secrets/B4).
#pragma once

#include <functional>
#include <map>
#include <string>

#include "model/secret_reference.h"
#include "secrets/secret_resolver.h"
#include "sys/json.h"

namespace windlass {

struct SettledSecret {
  std::string reference;
  std::string hash;  // keyed, of the value
};
using SettledSecrets = std::map<std::string, SettledSecret>;  // by variable

using SecretHash = std::function<std::string(const std::string& reference, const Secret& value)>;

SettledSecrets settled_secrets(const SecretReferences& references, const StackSecrets& secrets, const SecretHash& hash);

// A variable whose value is another one now; "" if there is none. What cannot be fetched counts as unchanged
// (secrets/E10).
std::string changed_secret(const SettledSecrets& secrets, const SecretAnswers& answers, const SecretHash& hash);

json::object to_json(const SettledSecrets& secrets);
// Null and foreign members give nothing.
SettledSecrets settled_secrets(const json::object* object);

}  // namespace windlass
