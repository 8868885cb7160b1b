// Where this user's registry credentials are, as the environment says it (oci 5).
#pragma once

#include <map>
#include <string>

#include "oci/credentials.h"

namespace windlass {

// DOCKER_CONFIG, else ~/.docker; DOCKER_AUTH_CONFIG; podman's files, which are looked at where Docker's is not there.
CredentialSource::Options credential_options(const std::map<std::string, std::string>& environment);

}  // namespace windlass
