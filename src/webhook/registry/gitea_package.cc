// Package events of Gitea and Forgejo (Gitea docs, "Webhooks"; Forgejo user guide, "Webhooks"), which tell no digest.
#include "webhook/registry/adapters.h"

namespace windlass {
namespace {

// The registry is served at the root of the host, wherever the pages are.
std::string host_in(const json::value& package) {
  auto host = host_of(text_at(package, "/html_url"));
  return host.empty() ? host_of(text_at(package, "/owner/html_url")) : host;
}

}  // namespace

std::vector<RegistryEvent> read_gitea_package(const RegistryRequest& request, const RegistryHook& hook) {
  const auto* package = value_at(request.body, "/package");
  if (package == nullptr) return {RegistryEvent::pass_over(Ignored::event_not_push)};
  if (const auto action = text_at(request.body, "/action"); action != "created")
    return {RegistryEvent::pass_over(Ignored::action_not_push, action)};
  if (const auto type = text_at(*package, "/type"); type != "container")
    return {RegistryEvent::pass_over(Ignored::not_container, type)};
  return {event_of(
      {.host = host_in(*package),
       .repository = std::string(text_at(*package, "/owner/login")) + "/" + std::string(text_at(*package, "/name")),
       .tag = std::string(text_at(*package, "/version")),
       .digest = {}},
      hook)};
}

}  // namespace windlass
