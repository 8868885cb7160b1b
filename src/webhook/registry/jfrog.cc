// JFrog Artifactory's predefined webhook, domain docker (JFrog docs, "Domain: docker").
#include "webhook/registry/adapters.h"
#include "webhook/registry/repository_place.h"

namespace windlass {
namespace {

// "platform/app/main/manifest.json": what stands before the tag.
std::string repository_in(const json::value& body) {
  const auto path = text_at(body, "/data/path");
  const auto file = path.rfind('/');
  const auto tag = file == path.npos || file == 0 ? path.npos : path.rfind('/', file - 1);
  return std::string(tag == path.npos ? text_at(body, "/data/image_name") : path.substr(0, tag));
}

// Old releases say nothing.
bool is_image(std::string_view type) { return type.empty() || type == "docker" || type == "oci"; }

std::string digest_in(const json::value& body) {
  const auto name = text_at(body, "/data/name");
  if (name != "manifest.json" && name != "list.manifest.json") return {};
  return "sha256:" + std::string(text_at(body, "/data/sha256"));
}

}  // namespace

std::vector<RegistryEvent> read_jfrog(const RegistryRequest& request, const RegistryHook& hook) {
  const auto& body = request.body;
  const auto type = text_at(body, "/event_type");
  if (text_at(body, "/domain") != "docker" || type != "pushed")
    return {RegistryEvent::pass_over(Ignored::event_not_push, type)};
  if (const auto kind = text_at(body, "/data/image_type"); !is_image(kind))
    return {RegistryEvent::pass_over(Ignored::not_container, kind)};
  Push push{.host = host_of(text_at(body, "/jpd_origin")),
            .repository = repository_in(body),
            .tag = std::string(text_at(body, "/data/tag")),
            .digest = digest_in(body)};
  const std::string key(text_at(body, "/data/repo_key"));
  if (place_repository(push, key, hook)) return {event_of(std::move(push), "")};
  if (!hook.registry_host.empty()) push.host = hook.registry_host;
  if (hook.docker_access == DockerAccess::path)
    push.repository.insert(0, key + "/");
  else if (!push.host.empty())
    push.host.insert(0, key + ".");
  return {event_of(std::move(push), "")};
}

}  // namespace windlass
