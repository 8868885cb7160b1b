// `windlass verify REF`: says, step by step, why an artifact is or is not trusted (oci 11), by the policies that the
// service would use or by one given on the command line.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "oci/reference.h"
#include "sys/http_client.h"

namespace windlass {

struct VerifyCommand {
  std::string reference;               // a tag is resolved first
  std::vector<std::string> key_files;  // PEM. Keys or an identity given here take the place of the settings
  KeylessIdentity identity;
  bool ignore_tlog = false;
  std::string trusted_root_file;  // "": OCI_TRUSTED_ROOT_FILE
  std::string ca_file;            // of registries; "": the system's authorities
};

// 0: trusted. 1: not trusted. 2: it could not be found out, which is said on standard error.
int verify(const VerifyCommand& command, const Environment& environment, HttpTransport& transport);

// What `reference` is judged by, each policy once; all must be satisfied. Kind::invalid when neither the command nor
// the settings name a rule, or a key cannot be read. A global policy that is not enabled is tried where nothing else is
// demanded.
Result<std::vector<TrustPolicy>> policies_of(const VerifyCommand& command, const Reference& reference,
                                             const Settings& settings);

}  // namespace windlass
