// `windlass verify REF`: says, step by step, why an artifact is or is not trusted (oci 11), by the policy that the
// service would use or by one given on the command line.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "sys/http_client.h"

namespace windlass {

struct VerifyCommand {
  std::string reference;               // a tag is resolved first
  std::vector<std::string> key_files;  // PEM. Keys or an identity given here take the place of OCI_TRUST_POLICY
  KeylessIdentity identity;
  bool ignore_tlog = false;
  std::string trusted_root_file;  // "": OCI_TRUSTED_ROOT_FILE
  std::string ca_file;            // of registries; "": the system's authorities
};

// 0: trusted. 1: not trusted. 2: it could not be found out, which is said on standard error.
int verify(const VerifyCommand& command, const Environment& environment, HttpTransport& transport);

// What `command` is judged by. Kind::invalid when neither it nor the settings name a rule, or a key cannot be read.
Result<TrustPolicy> policy_of(const VerifyCommand& command, const TrustPolicy& of_settings);

}  // namespace windlass
