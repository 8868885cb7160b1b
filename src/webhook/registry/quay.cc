// Quay's push notification, which tells tags but no digest (Quay docs, "Repository notifications").
#include "webhook/registry/adapters.h"

namespace windlass {
namespace {

// An array; in old releases an object whose values are image ids of v1, which are no digests.
std::vector<std::string> tags_in(const json::value& updated) {
  std::vector<std::string> tags;
  if (const auto* list = updated.if_array())
    for (const auto& tag : *list)
      if (const auto* text = tag.if_string()) tags.emplace_back(*text);
  if (const auto* object = updated.if_object())
    for (const auto& member : *object) tags.emplace_back(member.key());
  return tags;
}

}  // namespace

std::vector<RegistryEvent> read_quay(const RegistryRequest& request, const RegistryHook& hook) {
  const auto* updated = value_at(request.body, "/updated_tags");
  if (updated == nullptr) return {RegistryEvent::pass_over(Ignored::event_not_push)};
  const auto url = text_at(request.body, "/docker_url");
  const auto slash = url.find('/');
  std::vector<RegistryEvent> events;
  for (const auto& tag : tags_in(*updated))
    events.push_back(event_of({.host = host_of(url),
                               .repository = slash == url.npos ? "" : std::string(url.substr(slash + 1)),
                               .tag = tag,
                               .digest = {}},
                              hook));
  if (events.empty()) events.push_back(RegistryEvent::pass_over(Ignored::no_tag, url));
  return events;
}

}  // namespace windlass
