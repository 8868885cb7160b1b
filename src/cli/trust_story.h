// Why an artifact is or is not trusted, for people to read.
#pragma once

#include <string>

#include "oci/artifact_trust.h"

namespace windlass {

// "2 public keys, 1 keyless identity, transparency log not asked for"
std::string describe(const TrustPolicy& policy);

// Every signature that was looked at, step by step, then what could not be looked at, then the verdict; one line each.
std::string tell(const TrustReport& report, const TrustPolicy& policy);

}  // namespace windlass
