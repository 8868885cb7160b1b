// Docker Hub, which tells no digest (Docker docs, "Webhooks"). Its callback_url is never called.
#include "webhook/registry/adapters.h"

namespace windlass {

std::vector<RegistryEvent> read_dockerhub(const RegistryRequest& request, const RegistryHook& hook) {
  return {event_of({.host = "docker.io",
                    .repository = std::string(text_at(request.body, "/repository/repo_name")),
                    .tag = std::string(text_at(request.body, "/push_data/tag")),
                    .digest = {}},
                   hook)};
}

}  // namespace windlass
