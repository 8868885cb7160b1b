// Provider `infisical`, with universal authentication (secrets/V3).
#pragma once

#include <memory>

#include "base/clock.h"
#include "config/secret_settings.h"
#include "secrets/secret_http.h"
#include "secrets/secret_provider.h"

namespace windlass {

std::unique_ptr<SecretProvider> make_infisical(const InfisicalSettings& settings, SecretHttp http, const Clock& clock);

}  // namespace windlass
