#include "reconcile/occurrence.h"

#include "deploy/labels.h"

namespace windlass {
namespace {

constexpr std::string_view kUnhealthy = "health_status: unhealthy";

std::optional<Occurrence> of_service(const Labels& labels, const std::string& context, std::string container_id,
                                     std::string container, std::string event, std::string_view instance) {
  Occurrence occurrence{.stack = {.name = label_of(labels, kProjectLabel), .context = context},
                        .service = label_of(labels, kServiceLabel),
                        .container_id = std::move(container_id),
                        .container = std::move(container),
                        .event = std::move(event)};
  const bool comes_and_goes = label_of(labels, kOneOffLabel) == "True" || label_of(labels, kEphemeralLabel) == "true";
  if (occurrence.stack.name.empty() || occurrence.service.empty() || comes_and_goes || !is_managed(labels) ||
      !other_instance(labels, instance).empty())
    return std::nullopt;
  return occurrence;
}

}  // namespace

const std::vector<std::string>& engine_events() {
  static const std::vector<std::string> events = {"die",  "destroy", "update",        "stop",
                                                  "kill", "oom",     "health_status", "start"};
  return events;
}

std::optional<Occurrence> occurrence_of(const EngineEvent& event, const std::string& context,
                                        std::string_view instance) {
  const bool is_health = event.action.starts_with("health_status");
  if ((is_health && event.action != kUnhealthy) || event.action == "start") return std::nullopt;
  auto occurrence = of_service(event.attributes, context, event.container_id, label_of(event.attributes, "name"),
                               is_health ? "unhealthy" : event.action, instance);
  if (occurrence) occurrence->time_ns = event.time_ns;
  return occurrence;
}

std::optional<Occurrence> occurrence_of_unhealthy(const ContainerSummary& container, const std::string& context,
                                                  std::string_view instance) {
  return of_service(container.labels, context, container.id, container.name, "unhealthy", instance);
}

}  // namespace windlass
