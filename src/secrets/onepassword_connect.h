// Provider `1password` by a Connect server (secrets/V2.4, V2.5).
#pragma once

#include <memory>

#include "config/secret_settings.h"
#include "secrets/secret_http.h"
#include "secrets/secret_provider.h"

namespace windlass {

std::unique_ptr<SecretProvider> make_onepassword_connect(const OnePasswordSettings& settings, SecretHttp http);

}  // namespace windlass
