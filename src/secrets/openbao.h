// Provider `openbao`: the key-value engine of OpenBao and Vault (secrets/V5).
#pragma once

#include <memory>

#include "base/log.h"
#include "base/result.h"
#include "config/secret_settings.h"
#include "secrets/secret_http.h"
#include "secrets/secret_provider.h"

namespace windlass {

// Kind::invalid: a certificate file that cannot be read.
Result<std::unique_ptr<SecretProvider>> make_openbao(const OpenbaoSettings& settings, SecretHttp http, Log log);

}  // namespace windlass
