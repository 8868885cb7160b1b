#include "model/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace windlass {

std::string_view to_string(ServiceAction action) {
  switch (action) {
    case ServiceAction::keep:
      return "keep";
    case ServiceAction::adopt:
      return "adopt";
    case ServiceAction::signal:
      return "signal";
    case ServiceAction::start:
      return "start";
    case ServiceAction::create:
      return "create";
    case ServiceAction::recreate:
      return "recreate";
    case ServiceAction::remove:
      return "remove";
  }
  return "keep";
}

bool StackPlan::changes_anything() const {
  return !reasons.empty() || std::any_of(services.begin(), services.end(), [](const ServicePlan& service) {
    return service.action != ServiceAction::keep;
  });
}

std::optional<ServiceAction> StackPlan::action_of(std::string_view service) const {
  const auto found = std::ranges::find(services, service, &ServicePlan::service);
  return found == services.end() ? std::nullopt : std::optional(found->action);
}

bool StackPlan::makes_new_containers(std::string_view service) const {
  const auto action = action_of(service);
  return !action || action == ServiceAction::create || action == ServiceAction::recreate;
}

std::string StackPlan::str() const {
  std::vector<std::string> parts;
  for (const auto& service : services) {
    auto part = fmt::format("{} {}", to_string(service.action), service.service);
    if (!service.reasons.empty()) part += fmt::format(" ({})", join(service.reasons, ", "));
    parts.push_back(std::move(part));
  }
  parts.insert(parts.end(), reasons.begin(), reasons.end());
  return join(parts, "; ");
}

}  // namespace windlass
