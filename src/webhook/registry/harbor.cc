// Harbor, in its default format and as CloudEvents (Harbor docs, "Configure webhook notifications").
#include "webhook/registry/adapters.h"

namespace windlass {
namespace {

// Both hold the same data. resource_url ends in ways that differ between releases: only its host counts.
std::vector<RegistryEvent> read_resources(const json::value& data, const RegistryHook& hook) {
  std::vector<RegistryEvent> events;
  const auto* resources = value_at(data, "/resources");
  if (resources != nullptr && resources->is_array())
    for (const auto& resource : resources->get_array())
      events.push_back(event_of({.host = host_of(text_at(resource, "/resource_url")),
                                 .repository = std::string(text_at(data, "/repository/repo_full_name")),
                                 .tag = std::string(text_at(resource, "/tag")),
                                 .digest = std::string(text_at(resource, "/digest"))},
                                hook));
  if (events.empty()) events.push_back(RegistryEvent::pass_over(Ignored::no_events));
  return events;
}

std::vector<RegistryEvent> read_data(const json::value& body, std::string_view pointer, const RegistryHook& hook) {
  const auto* data = value_at(body, pointer);
  return data != nullptr ? read_resources(*data, hook) : std::vector{RegistryEvent::pass_over(Ignored::no_events)};
}

}  // namespace

std::vector<RegistryEvent> read_harbor_default(const RegistryRequest& request, const RegistryHook& hook) {
  const auto type = text_at(request.body, "/type");
  if (type != "PUSH_ARTIFACT" && type != "pushImage")  // the name of Harbor 1
    return {RegistryEvent::pass_over(Ignored::event_not_push, type)};
  return read_data(request.body, "/event_data", hook);
}

std::vector<RegistryEvent> read_harbor_cloudevents(const RegistryRequest& request, const RegistryHook& hook) {
  const auto type = text_at(request.body, "/type");
  if (type != "harbor.artifact.pushed") return {RegistryEvent::pass_over(Ignored::event_not_push, type)};
  return read_data(request.body, "/data", hook);
}

}  // namespace windlass
