#include "app/secret_masks.h"

#include "base/text.h"

namespace windlass {

void mask_secrets(const Settings& settings, const Log& log) {
  const auto& notifications = settings.notifications;
  for (const auto* secret : {&settings.webhook_secret, &settings.webhook_secret_previous, &settings.api_secret,
                             &settings.docker_auth_config, &notifications.urls, &notifications.api_credentials})
    log.mask(*secret);
  for (auto& url : comma_list(notifications.urls.reveal())) log.mask(Secret(std::move(url)));
  for (const auto& hook : settings.registry_hooks) log.mask(hook.secret);
}

}  // namespace windlass
