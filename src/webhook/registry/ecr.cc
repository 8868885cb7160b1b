// Amazon ECR's events as EventBridge delivers them (Amazon ECR user guide, "Amazon ECR events and EventBridge").
#include "webhook/registry/adapters.h"

namespace windlass {
namespace {

std::string host_in(const json::value& body) {
  const std::string account(text_at(body, "/account")), region(text_at(body, "/region"));
  if (account.empty() || region.empty()) return {};
  return account + ".dkr.ecr." + region + ".amazonaws.com" + (region.starts_with("cn-") ? ".cn" : "");
}

}  // namespace

std::vector<RegistryEvent> read_ecr(const RegistryRequest& request, const RegistryHook& hook) {
  const auto& body = request.body;
  if (const auto type = text_at(body, "/detail-type"); type != "ECR Image Action")
    return {RegistryEvent::pass_over(Ignored::event_not_push, type)};
  if (const auto action = text_at(body, "/detail/action-type"); action != "PUSH")
    return {RegistryEvent::pass_over(Ignored::action_not_push, action)};
  if (const auto result = text_at(body, "/detail/result"); result != "SUCCESS")
    return {RegistryEvent::pass_over(Ignored::result_not_success, result)};
  if (const auto type = text_at(body, "/detail/manifest-media-type"); !is_manifest_type(type))
    return {RegistryEvent::pass_over(Ignored::not_manifest, type)};
  return {event_of({.host = host_in(body),
                    .repository = std::string(text_at(body, "/detail/repository-name")),
                    .tag = std::string(text_at(body, "/detail/image-tag")),
                    .digest = std::string(text_at(body, "/detail/image-digest"))},
                   hook)};
}

}  // namespace windlass
