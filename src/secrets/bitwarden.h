// Provider `bitwarden_sm`: Bitwarden Secrets Manager (secrets/V4).
#pragma once

#include <memory>

#include "base/clock.h"
#include "config/secret_settings.h"
#include "secrets/secret_http.h"
#include "secrets/secret_provider.h"

namespace windlass {

// Kind::invalid: SECRET_PROVIDER_ACCESS_TOKEN is none of a machine account.
Result<std::unique_ptr<SecretProvider>> make_bitwarden(const BitwardenSettings& settings, SecretHttp http,
                                                       const Clock& clock);

}  // namespace windlass
