#include "webhook/registry/detection.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "sys/http_client.h"
#include "webhook/registry/event.h"

namespace windlass {
namespace {

using Kind = Detected::Kind;

constexpr std::string_view kForgeHeaders[] = {"X-Forgejo-Event", "X-Forgejo-Event-Type", "X-Gitea-Event",
                                              "X-Gitea-Event-Type"};
// The native handling looks for them in this order (webhook/S1 to S5).
constexpr std::string_view kGitSignatures[] = {"X-Hub-Signature-256", "X-Gitea-Signature", "X-Gitlab-Token",
                                               "X-Gogs-Signature", "X-Forgejo-Signature"};
constexpr std::string_view kOwnSignature = "X-Doco-OCI-Signature-256";

Detected from(RegistryFormat format) { return {Kind::registry, format}; }
Detected not_a_registry() { return {.kind = Kind::native}; }

// Present, even if it is empty.
bool has(const ServerRequest& request, std::string_view name) {
  return std::any_of(request.headers.begin(), request.headers.end(),
                     [&](const HttpHeader& header) { return same_name(header.name, name); });
}

bool is_filled(const ServerRequest& request, std::string_view name) { return !request.header(name).empty(); }

bool has_git_signature(const ServerRequest& request) {
  return std::any_of(std::begin(kGitSignatures), std::end(kGitSignatures),
                     [&](auto name) { return is_filled(request, name); });
}

std::string media_type(const ServerRequest& request) {
  const auto value = request.header("Content-Type");
  return lower(trim(value.substr(0, value.find(';'))));
}

std::optional<RegistryFormat> format_of_cloudevent(std::string_view type) {
  if (type.starts_with("harbor.")) return RegistryFormat::harbor_cloudevents;
  if (type.starts_with("zotregistry.")) return RegistryFormat::zot;
  if (type.starts_with("Microsoft.ContainerRegistry.")) return RegistryFormat::acr_eventgrid;
  return std::nullopt;
}

std::optional<Detected> by_cloudevent(const ServerRequest& request, const json::value* body) {
  auto type = request.header("Ce-Type");
  if (type.empty()) {
    const auto media = media_type(request);
    const bool says_so =
        media == "application/cloudevents+json" || media == "application/cloudevents-batch+json" ||
        (body != nullptr && !text_at(*body, "/specversion").empty() && !text_at(*body, "/type").empty());
    if (!says_so) return std::nullopt;
    if (body == nullptr) return Detected{};
    type = body->is_array() ? text_at(*body, "/0/type") : text_at(*body, "/type");
  }
  const auto format = format_of_cloudevent(type);
  return format ? from(*format) : Detected{};
}

bool is_distribution_type(std::string_view media) {
  return media.starts_with("application/vnd.docker.distribution.events.v") && media.ends_with("+json");
}

bool is_text(const json::value& body, std::string_view pointer) {
  const auto* found = value_at(body, pointer);
  return found != nullptr && found->is_string();
}

bool is_object(const json::value& body, std::string_view pointer) {
  const auto* found = value_at(body, pointer);
  return found != nullptr && found->is_object();
}

Detected by_object(const json::value& body) {
  if (const auto* events = value_at(body, "/events"); events != nullptr && events->is_array())
    return from(RegistryFormat::distribution);
  if (is_text(body, "/detail-type") && is_text(body, "/source")) return from(RegistryFormat::ecr_eventbridge);
  if (is_object(body, "/message") && is_text(body, "/subscription")) return from(RegistryFormat::gar_pubsub);
  if (is_text(body, "/type") && is_object(body, "/event_data")) return from(RegistryFormat::harbor_default);
  if (is_object(body, "/push_data") && is_text(body, "/repository/repo_name")) return from(RegistryFormat::dockerhub);
  if (is_text(body, "/docker_url")) return from(RegistryFormat::quay);
  if (is_text(body, "/domain") && is_text(body, "/event_type") && is_object(body, "/data"))
    return from(RegistryFormat::jfrog);
  const auto action = text_at(body, "/action");
  if ((action == "INSERT" || action == "DELETE") && (is_text(body, "/digest") || is_text(body, "/tag")))
    return from(RegistryFormat::gar_unwrapped);
  if (is_text(body, "/action") && (is_object(body, "/target") || action == "ping")) return from(RegistryFormat::acr);
  if (text_at(body, "/source") == "oci") return from(RegistryFormat::doco_oci);
  return {};
}

}  // namespace

bool has_native_signature(const ServerRequest& request) {
  return is_filled(request, kOwnSignature) || has_git_signature(request);
}

// Several senders imitate others' headers, so the order counts.
std::optional<Detected> detect_by_header(const ServerRequest& request) {
  if (request.method == "OPTIONS" && has(request, "WebHook-Request-Origin")) return from(RegistryFormat::acr_eventgrid);
  if (is_filled(request, kOwnSignature) && !has_git_signature(request)) return not_a_registry();
  const auto is_forge = [&](auto name) { return has(request, name); };
  if (std::any_of(std::begin(kForgeHeaders), std::end(kForgeHeaders), is_forge)) {
    const auto is_package = [&](auto name) { return request.header(name) == "package"; };
    return std::any_of(std::begin(kForgeHeaders), std::end(kForgeHeaders), is_package)
               ? from(RegistryFormat::gitea_package)
               : not_a_registry();
  }
  if (has(request, "X-Gogs-Event")) return not_a_registry();
  if (has(request, "X-GitHub-Event")) {
    const auto event = request.header("X-GitHub-Event");
    return event == "package" || event == "registry_package" || event == "ping" ? from(RegistryFormat::github_package)
                                                                                : not_a_registry();
  }
  if (has(request, "X-Gitlab-Event")) return not_a_registry();
  if (has(request, "X-Nexus-Webhook-Id")) return from(RegistryFormat::nexus);
  if (has(request, "X-JFrog-Event-Auth")) return from(RegistryFormat::jfrog);
  if (has(request, "aeg-event-type")) return from(RegistryFormat::acr_eventgrid);
  return std::nullopt;
}

Detected detect_sender(const ServerRequest& request, const std::optional<json::value>& body) {
  if (auto detected = detect_by_header(request)) return *detected;
  const auto* value = body ? &*body : nullptr;
  if (auto detected = by_cloudevent(request, value)) return *detected;
  if (is_distribution_type(media_type(request))) return from(RegistryFormat::distribution);
  if (value == nullptr) return {};
  if (value->is_object()) return by_object(*value);
  return is_text(*value, "/0/eventType") ? from(RegistryFormat::acr_eventgrid) : Detected{};
}

}  // namespace windlass
