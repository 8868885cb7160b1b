// Sonatype Nexus Repository 3, webhook of a repository (Sonatype help, "Example headers and payloads"): neither host
// nor digest is told.
#include "webhook/registry/adapters.h"
#include "webhook/registry/repository_place.h"

namespace windlass {

std::vector<RegistryEvent> read_nexus(const RegistryRequest& request, const RegistryHook& hook) {
  const auto& body = request.body;
  if (const auto type = request.http.header("X-Nexus-Webhook-Id"); type != "rm:repository:component")
    return {RegistryEvent::pass_over(Ignored::event_not_push, type)};
  if (const auto action = text_at(body, "/action"); action != "CREATED" && action != "UPDATED")
    return {RegistryEvent::pass_over(Ignored::action_not_push, action)};
  if (const auto format = text_at(body, "/component/format"); format != "docker")
    return {RegistryEvent::pass_over(Ignored::not_container, format)};
  Push push{.host = {},
            .repository = std::string(text_at(body, "/component/name")),
            .tag = std::string(text_at(body, "/component/version")),
            .digest = {}};
  const std::string key(text_at(body, "/repositoryName"));
  const bool is_placed = place_repository(push, key, hook);
  return {event_of(std::move(push), is_placed ? "" : hook.registry_host)};
}

}  // namespace windlass
