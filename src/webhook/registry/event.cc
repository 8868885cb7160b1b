#include "webhook/registry/event.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"
#include "model/digest.h"
#include "oci/reference.h"

namespace windlass {
namespace {

// cosign's tags, and the fallback tag of OCI distribution-spec, "Referrers Tag Schema".
bool is_accessory_tag(std::string_view tag) {
  static const re2::RE2 pattern(R"(sha(256|384|512)-[0-9a-f]{32,128}(\.[A-Za-z0-9_.-]+)?)");
  return re2::RE2::FullMatch(re2::StringPiece(tag.data(), tag.size()), pattern);
}

// A push by digest: "sha256:…", and JFrog's folders "sha256__…".
bool repeats_a_digest(std::string_view tag) {
  return tag.starts_with("sha256:") || tag.starts_with("sha512:") || tag.starts_with("sha256__");
}

std::string canonical_host(std::string host) {
  for (const auto* hub : {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
    if (host == hub) return "docker.io";
  return host;
}

std::string_view without_slashes(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

std::string_view to_string(Ignored reason) {
  switch (reason) {
    case Ignored::handshake:
      return "handshake";
    case Ignored::ping:
      return "ping";
    case Ignored::no_events:
      return "no_events";
    case Ignored::event_not_push:
      return "event_not_push";
    case Ignored::action_not_push:
      return "action_not_push";
    case Ignored::result_not_success:
      return "result_not_success";
    case Ignored::not_container:
      return "not_container";
    case Ignored::not_manifest:
      return "not_manifest";
    case Ignored::no_tag:
      return "no_tag";
    case Ignored::accessory_tag:
      return "accessory_tag";
    case Ignored::no_registry_host:
      return "no_registry_host";
    case Ignored::invalid_reference:
      return "invalid_reference";
    case Ignored::not_allowed:
      return "not_allowed";
  }
  return "event_not_push";
}

RegistryEvent RegistryEvent::pass_over(Ignored reason, std::string_view detail) {
  return {.artifact = {}, .digest = {}, .ignored = reason, .detail = printable(detail, 256)};
}

RegistryEvent event_of(Push push, std::string_view other_host) {
  if (push.tag.empty() || repeats_a_digest(push.tag)) return RegistryEvent::pass_over(Ignored::no_tag, push.repository);
  if (is_accessory_tag(push.tag)) return RegistryEvent::pass_over(Ignored::accessory_tag, push.tag);
  auto host = canonical_host(lower(other_host.empty() ? push.host : other_host));
  if (host.empty()) return RegistryEvent::pass_over(Ignored::no_registry_host, push.repository);
  auto repository = lower(without_slashes(push.repository));
  if (host == "docker.io" && repository.find('/') == std::string::npos) repository.insert(0, "library/");

  RegistryEvent event{.artifact = host + "/" + repository + ":" + push.tag};
  const auto reference = Reference::parse(event.artifact);
  if (!reference)
    return RegistryEvent::pass_over(Ignored::invalid_reference, event.artifact + ": " + reference.error().message);
  // "main@sha256:…" would be allowed as main and deployed as something else.
  if (reference->digest() || reference->tag() != push.tag)
    return RegistryEvent::pass_over(Ignored::invalid_reference, event.artifact + ": the tag is none");
  // "registry/app" is a repository of Docker Hub, whoever owns that name there.
  if (host != "docker.io" && reference->registry() != host)
    return RegistryEvent::pass_over(Ignored::invalid_reference, event.artifact + ": the host needs a dot or a port");
  if (Digest::parse(push.digest)) event.digest = std::move(push.digest);
  return event;
}

std::string host_of(std::string_view url) {
  const auto scheme = url.find("://");
  const auto name = scheme == url.npos ? std::string_view() : url.substr(0, scheme);
  if (scheme != url.npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const auto user = url.rfind('@'); user != url.npos) url.remove_prefix(user + 1);
  if (name == "https" && url.ends_with(":443")) url.remove_suffix(4);
  if (name == "http" && url.ends_with(":80")) url.remove_suffix(3);
  return lower(url);
}

const json::value* value_at(const json::value& value, std::string_view pointer) {
  boost::system::error_code none;
  return value.find_pointer({pointer.data(), pointer.size()}, none);
}

std::string_view text_at(const json::value& value, std::string_view pointer) {
  const auto* found = value_at(value, pointer);
  return found != nullptr && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
}

bool is_manifest_type(std::string_view media_type) {
  constexpr std::string_view types[] = {
      "",
      "application/vnd.docker.distribution.manifest.v1+json",
      "application/vnd.docker.distribution.manifest.v1+prettyjws",
      "application/vnd.docker.distribution.manifest.v2+json",
      "application/vnd.docker.distribution.manifest.list.v2+json",
      "application/vnd.oci.image.manifest.v1+json",
      "application/vnd.oci.image.index.v1+json",
  };
  return std::find(std::begin(types), std::end(types), media_type) != std::end(types);
}

}  // namespace windlass
