// A registry's webhook: header lines, an empty line, the body (registry-events 3.3 and 4). Every adapter reads every
// body.
#include <iterator>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "oci/reference.h"
#include "webhook/registry/adapters.h"
#include "webhook/registry/detection.h"

namespace windlass {
namespace {

constexpr RegistryFormat kFormats[] = {
    RegistryFormat::doco_oci,
    RegistryFormat::distribution,
    RegistryFormat::harbor_default,
    RegistryFormat::harbor_cloudevents,
    RegistryFormat::dockerhub,
    RegistryFormat::github_package,
    RegistryFormat::quay,
    RegistryFormat::gitea_package,
    RegistryFormat::acr,
    RegistryFormat::acr_eventgrid,
    RegistryFormat::ecr_eventbridge,
    RegistryFormat::gar_pubsub,
    RegistryFormat::gar_unwrapped,
    RegistryFormat::jfrog,
    RegistryFormat::nexus,
    RegistryFormat::zot,
};

ServerRequest request_of(std::string_view input) {
  const auto end = input.find("\n\n");
  ServerRequest request{.method = "POST", .path = "/v1/webhook"};
  for (const auto line : split(input.substr(0, end), '\n'))
    if (const auto colon = line.find(':'); colon != line.npos)
      request.headers.push_back({std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))});
  if (end != input.npos) request.body = std::string(input.substr(end + 2));
  return request;
}

void check(const RegistryEvent& event) {
  if (!event.detail.empty()) require_printable(event.detail);
  if (event.ignored) return require(event.artifact.empty(), "what is ignored names no artifact");
  const auto reference = Reference::parse(event.artifact);
  require(reference.has_value(), "what is deployed has a sound reference");
  require(event.digest.empty() || Digest::parse(event.digest), "and a digest or none");
}

}  // namespace

void fuzz(std::string_view input) {
  const auto request = request_of(input);
  const auto parsed = parse_json(request.body);
  const auto body = parsed ? std::optional(*parsed) : std::nullopt;
  const auto detected = detect_sender(request, body);
  require(!detect_by_header(request) || detect_by_header(request)->kind == detected.kind, "headers decide first");
  if (!body) return;
  RegistryHook hook{.repositories = {{"docker-hosted", "nexus.example:8083/path"}}};
  for (const auto format : kFormats) {
    hook.format = format;
    hook.registry_host = format == RegistryFormat::zot ? "zot.example:5000" : "";
    const auto events = adapter_of(format)({request, *body}, hook);
    require(!events.empty(), "an adapter says what became of the request");
    for (const auto& event : events) check(event);
  }
}

}  // namespace windlass
