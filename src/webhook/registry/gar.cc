// Google Artifact Registry's notifications through a push subscription, wrapped by Pub/Sub or not (Google Cloud docs,
// "Configure Pub/Sub notifications", "Payload unwrapping").
#include "sys/crypto.h"
#include "webhook/registry/adapters.h"

namespace windlass {
namespace {

// "host/project/repository/image:tag"
Push push_of(std::string_view tagged, std::string_view by_digest) {
  const auto slash = tagged.find('/'), last = tagged.rfind('/'), colon = tagged.rfind(':');
  if (slash == tagged.npos || colon == tagged.npos || colon < last) return {};
  const auto at = by_digest.find('@');
  return {.host = host_of(tagged),
          .repository = std::string(tagged.substr(slash + 1, colon - slash - 1)),
          .tag = std::string(tagged.substr(colon + 1)),
          .digest = at == by_digest.npos ? "" : std::string(by_digest.substr(at + 1))};
}

RegistryEvent read_notification(const json::value& notification, const RegistryHook& hook) {
  if (const auto action = text_at(notification, "/action"); action != "INSERT")
    return RegistryEvent::pass_over(Ignored::action_not_push, action);
  return event_of(push_of(text_at(notification, "/tag"), text_at(notification, "/digest")), hook);
}

}  // namespace

std::vector<RegistryEvent> read_gar_pubsub(const RegistryRequest& request, const RegistryHook& hook) {
  const auto data = base64_decode(text_at(request.body, "/message/data"));
  const auto notification = data ? parse_json(*data) : fail(Kind::invalid, "no base64");
  if (!notification) return {RegistryEvent::pass_over(Ignored::no_events, "message.data holds no notification")};
  return {read_notification(*notification, hook)};
}

std::vector<RegistryEvent> read_gar_unwrapped(const RegistryRequest& request, const RegistryHook& hook) {
  return {read_notification(request.body, hook)};
}

}  // namespace windlass
