// The native payload from a sender that can shape its body but not sign it; its digest may be missing.
#include "oci/reference.h"
#include "webhook/registry/adapters.h"

namespace windlass {

std::vector<RegistryEvent> read_doco_oci(const RegistryRequest& request, const RegistryHook& hook) {
  if (const auto source = text_at(request.body, "/source"); source != "oci")
    return {RegistryEvent::pass_over(Ignored::event_not_push, source)};
  const auto artifact = text_at(request.body, "/artifact");
  const auto reference = Reference::parse(artifact);
  if (!reference) return {RegistryEvent::pass_over(Ignored::invalid_reference, reference.error().message)};
  if (reference->digest() && !hook.registry_host.empty())
    return {RegistryEvent::pass_over(Ignored::no_tag, artifact)};  // the host is the operator's to say
  if (reference->digest())
    return {{.artifact = reference->str(), .digest = reference->digest()->str(), .ignored = {}, .detail = {}}};
  return {event_of({.host = reference->registry(),
                    .repository = reference->repository(),
                    .tag = reference->tag(),
                    .digest = std::string(text_at(request.body, "/digest"))},
                   hook)};
}

}  // namespace windlass
