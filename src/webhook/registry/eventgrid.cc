// Azure Event Grid, in its own schema and as CloudEvents 1.0 (Azure docs, "Event schema for Container Registry",
// "Webhook event delivery").
#include "webhook/registry/adapters.h"
#include "webhook/registry/distribution.h"

namespace windlass {
namespace {

RegistryEvent read_one(const json::value& event, const RegistryHook& hook) {
  auto type = text_at(event, "/eventType");
  if (type.empty()) type = text_at(event, "/type");
  if (type == "Microsoft.EventGrid.SubscriptionValidationEvent")
    return RegistryEvent::pass_over(Ignored::handshake, text_at(event, "/data/validationCode"));
  if (type != "Microsoft.ContainerRegistry.ImagePushed") return RegistryEvent::pass_over(Ignored::event_not_push, type);
  const auto* data = value_at(event, "/data");
  if (data == nullptr) return RegistryEvent::pass_over(Ignored::no_tag, type);
  return distribution_event(*data, host_of(text_at(*data, "/request/host")), hook);
}

}  // namespace

std::vector<RegistryEvent> read_eventgrid(const RegistryRequest& request, const RegistryHook& hook) {
  if (!request.body.is_array()) return {read_one(request.body, hook)};
  std::vector<RegistryEvent> events;
  for (const auto& event : request.body.get_array()) events.push_back(read_one(event, hook));
  if (events.empty()) events.push_back(RegistryEvent::pass_over(Ignored::no_events));
  return events;
}

}  // namespace windlass
