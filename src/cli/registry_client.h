// Registries as the commands see them: with this user's credentials and what the environment says about registries.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "config/settings.h"
#include "oci/credentials.h"
#include "oci/registry.h"
#include "oci/registry_access.h"
#include "sys/http_client.h"
#include "sys/process.h"

namespace windlass {

class RegistryClient {
 public:
  // `transport` must outlive it. Credentials that cannot be read are an error, as at the start of the service.
  static Result<std::unique_ptr<RegistryClient>> make(const Environment& environment, HttpTransport& transport);

  RegistryAccess& access() { return *access_; }
  const RegistryOptions& options() const { return options_; }
  CredentialSource& credentials() { return *credentials_; }
  const Clock& clock() const { return clock_; }

 private:
  RegistryClient() = default;
  SystemClock clock_;
  std::unique_ptr<ProcessRunner> processes_;  // for credential helpers
  std::unique_ptr<CredentialSource> credentials_;
  RegistryOptions options_;
  std::unique_ptr<RegistryAccess> access_;
};

}  // namespace windlass
