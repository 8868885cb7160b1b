// `windlass verify-bundle`: judges one Sigstore bundle about one file, with the command line that the public
// sigstore-conformance suite gives every client (oci 12).
#pragma once

#include <string>

#include "base/clock.h"

namespace windlass {

// `verify-bundle`: with a key, or with identity and issuer.
struct VerifyBundleCommand {
  std::string bundle;  // a file, as the next ones are
  std::string key;
  std::string certificate_identity, certificate_oidc_issuer;
  std::string trusted_root;  // "": what OCI_TRUSTED_ROOT_FILE names
  std::string file_or_digest;
};

struct CommandOutcome {
  int exit_code = 0;   // 0 trusted, 1 not trusted or not readable
  std::string output;  // for standard output
};

// `root_setting` is the value of OCI_TRUSTED_ROOT_FILE, used when the command line names no trusted root.
CommandOutcome verify_bundle_file(const VerifyBundleCommand& command, const std::string& root_setting, WallTime now);

}  // namespace windlass
