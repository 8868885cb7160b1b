// GitHub's `package` and `registry_package` events (GitHub docs, "Webhook events and payloads").
#include "base/text.h"
#include "model/digest.h"
#include "webhook/registry/adapters.h"

namespace windlass {
namespace {

bool is_container(const json::value& package) {
  const auto ecosystem = lower(text_at(package, "/ecosystem"));
  if (lower(text_at(package, "/package_type")) == "container" || ecosystem == "container" || ecosystem == "docker")
    return true;
  const auto* metadata = value_at(package, "/package_version/container_metadata");
  return metadata != nullptr && metadata->is_object();
}

// "ghcr.io/owner/name:tag", its tag perhaps missing behind the colon.
struct PackageUrl {
  std::string host, repository, tag;
};

PackageUrl read_url(std::string_view url) {
  const auto host = host_of(url);
  if (const auto scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
  const auto slash = url.find('/');
  if (slash == url.npos) return {};
  auto path = url.substr(slash + 1);
  const auto colon = path.rfind(':');
  const bool has_tag = colon != path.npos && path.find('/', colon) == path.npos;
  return {host, std::string(path.substr(0, has_tag ? colon : path.size())),
          has_tag ? std::string(path.substr(colon + 1)) : ""};
}

std::string digest_in(const json::value& package) {
  for (const auto* pointer : {"/package_version/container_metadata/tag/digest",
                              "/package_version/container_metadata/manifest/digest", "/package_version/version"})
    if (const auto digest = text_at(package, pointer); Digest::parse(digest)) return std::string(digest);
  return {};
}

Push push_of(const json::value& package) {
  auto url = read_url(text_at(package, "/package_version/package_url"));
  if (url.repository.empty())
    url = {"ghcr.io", std::string(text_at(package, "/namespace")) + "/" + std::string(text_at(package, "/name")), ""};
  const auto tag = text_at(package, "/package_version/container_metadata/tag/name");
  return {.host = std::move(url.host),
          .repository = std::move(url.repository),
          .tag = tag.empty() ? std::move(url.tag) : std::string(tag),
          .digest = digest_in(package)};
}

}  // namespace

std::vector<RegistryEvent> read_github_package(const RegistryRequest& request, const RegistryHook& hook) {
  if (request.http.header("X-GitHub-Event") == "ping") return {RegistryEvent::pass_over(Ignored::ping)};
  const auto* package = value_at(request.body, "/package");
  if (package == nullptr) package = value_at(request.body, "/registry_package");
  if (package == nullptr) return {RegistryEvent::pass_over(Ignored::event_not_push)};
  if (const auto action = text_at(request.body, "/action"); action != "published" && action != "updated")
    return {RegistryEvent::pass_over(Ignored::action_not_push, action)};
  if (!is_container(*package))
    return {RegistryEvent::pass_over(Ignored::not_container, text_at(*package, "/package_type"))};
  return {event_of(push_of(*package), hook)};
}

}  // namespace windlass
