// Provider `webhook`: any store that answers HTTP requests with JSON (secrets/V1).
#pragma once

#include <memory>

#include "base/result.h"
#include "config/secret_settings.h"
#include "secrets/secret_http.h"
#include "secrets/secret_provider.h"

namespace windlass {

// Kind::invalid: SECRET_PROVIDER_WEBHOOK_STORES holds something that is no store; every fault with the store's name.
Result<std::unique_ptr<SecretProvider>> make_webhook_provider(const WebhookStoreSettings& settings, SecretHttp http);

}  // namespace windlass
