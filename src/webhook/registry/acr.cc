// Azure Container Registry's own webhook: one event of Distribution's form (Azure docs, "Azure Container Registry
// webhook reference").
#include "webhook/registry/adapters.h"
#include "webhook/registry/distribution.h"

namespace windlass {

std::vector<RegistryEvent> read_acr(const RegistryRequest& request, const RegistryHook& hook) {
  const auto action = text_at(request.body, "/action");
  if (action == "ping") return {RegistryEvent::pass_over(Ignored::ping)};
  if (action == "chart_push" || action == "chart_delete")
    return {RegistryEvent::pass_over(Ignored::event_not_push, action)};
  return {distribution_event(request.body, host_of(text_at(request.body, "/request/host")), hook)};
}

}  // namespace windlass
