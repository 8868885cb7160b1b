#include "webhook/registry/distribution.h"

#include "webhook/registry/adapters.h"

namespace windlass {
namespace {

// target.url is built from what the registry is told about its own name; behind a proxy request.host may be another.
std::string host_in(const json::value& event) {
  const auto url = text_at(event, "/target/url");
  return url.find("://") == url.npos ? host_of(text_at(event, "/request/host")) : host_of(url);
}

}  // namespace

RegistryEvent distribution_event(const json::value& event, std::string host, const RegistryHook& hook) {
  if (const auto action = text_at(event, "/action"); action != "push")
    return RegistryEvent::pass_over(Ignored::action_not_push, action);
  if (const auto type = text_at(event, "/target/mediaType"); !is_manifest_type(type))
    return RegistryEvent::pass_over(Ignored::not_manifest, type);
  return event_of({.host = std::move(host),
                   .repository = std::string(text_at(event, "/target/repository")),
                   .tag = std::string(text_at(event, "/target/tag")),
                   .digest = std::string(text_at(event, "/target/digest"))},
                  hook);
}

std::vector<RegistryEvent> read_distribution(const RegistryRequest& request, const RegistryHook& hook) {
  std::vector<RegistryEvent> events;
  const auto* list = value_at(request.body, "/events");
  if (list != nullptr && list->is_array())
    for (const auto& event : list->get_array()) events.push_back(distribution_event(event, host_in(event), hook));
  if (events.empty()) events.push_back(RegistryEvent::pass_over(Ignored::no_events));
  return events;
}

}  // namespace windlass
