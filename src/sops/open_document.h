// Decrypts the values of a file and checks its MAC, with the data key at hand.
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "sops/metadata.h"

namespace windlass::sops {

class AgeIdentity;

// The one limit for what is masked (B1). A longer value is a file of its own, an archive or a key store: it is not kept
// a second time, and its lines are not looked for in each line of the log. Keys with their chains, and configurations
// that somebody has encrypted as one value, are below it.
constexpr std::size_t kToldValueBytesMax = 64 << 10;

// A file in plain text, and the values in it that were encrypted: what must not be shown (B1). Those that are true or
// false are no secrets; those above the limit are left out.
struct Plain {
  Secret text;
  std::vector<Secret> values;
};

// The data key of the file by its age entries (Q29). Kind::denied: none fits; Kind::conflict: it is in several parts.
Result<Secret> data_key_of(const Metadata& metadata, const std::vector<AgeIdentity>& identities);

// Kind::invalid: damaged, or changed after it was encrypted; Kind::conflict: only sops can say (see parse()).
Result<Plain> open_document(EncryptedFile file, const Secret& data_key);

}  // namespace windlass::sops
