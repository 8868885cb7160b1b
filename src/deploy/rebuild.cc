#include "deploy/rebuild.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "deploy/discovery_labels.h"
#include "deploy/labels.h"
#include "deploy/model_paths.h"
#include "oci/reference.h"

namespace windlass {
namespace {

// A release as its containers tell of it.
struct Found {
  Release release;
  std::optional<AutoDiscovery> discovery;
  std::string live_path;  // relative to the data directory, "" if it is none that this source would get
  std::vector<std::string> services;
};

Result<Reference> reference_of(const ContainerSummary& container) {
  auto reference = Reference::parse(container.label(kSourceUrlLabel));
  if (!reference) return reference;
  if (reference->source_id() != container.label(kSourceIdLabel))
    return fail(Kind::invalid, "its labels name two sources");
  return reference;
}

// The live directory is the plain path of the source, or that with a reference behind it (oci 9).
std::string live_path_of(const ContainerSummary& container, const Reference& reference, std::string_view host_data) {
  const auto below = path_below(host_data, container.label(kWorkingDirLabel));
  if (!below) return "";
  const auto plain = path_on(container.label(kContextLabel), reference.live_path());
  const auto own = fmt::format("{}@{}", plain, reference.digest() ? "@digest" : reference.identifier());
  for (const auto& path : {own, plain})
    if (*below == path || below->starts_with(path + "/")) return path;
  return "";
}

Result<Found> found_in(const ContainerSummary& container, std::string_view host_data) {
  const auto reference = reference_of(container);
  if (!reference) return tl::unexpected(reference.error());
  auto digest = Digest::parse(container.label(kDigestLabel));
  if (!digest) return tl::unexpected(digest.error());
  const auto stack = container.label(kStackLabel);
  if (stack.empty() || stack != container.label(kProjectLabel))
    return fail(Kind::invalid, "its labels name two stacks");
  const auto made_at = parse_rfc3339(container.label(kTimeLabel));
  if (!made_at) return fail(Kind::invalid, fmt::format("its label {} is no time", kTimeLabel));
  JobRequest request{.trigger = Trigger::poll,
                     .artifact = container.label(kSourceUrlLabel),
                     .source_id = reference->source_id(),
                     .repository = container.label(kSourceNameLabel),
                     .ref = reference->identifier(),
                     .ref_is_digest = reference->digest().has_value(),
                     .digest = *digest,
                     .target = container.label(kTargetLabel)};
  return Found{.release = {.id = container.label(kReleaseLabel),
                           .stack = {.name = stack, .context = container.label(kContextLabel)},
                           .request = std::move(request),
                           .digest = digest->str(),
                           .plan = "found in the labels of its containers",
                           .state = ReleaseState::succeeded,
                           .started_at = *made_at,
                           .finished_at = *made_at},
               .discovery = discovery_of(container.labels),
               .live_path = live_path_of(container, *reference, host_data)};
}

// Oldest first.
std::vector<Found> releases_of(const std::vector<ContainerSummary>& containers, const RebuildParts& parts,
                               const Log& log) {
  std::map<std::string, Found> by_id;
  for (const auto& container : containers) {
    if (!path_below(parts.host_data_dir, container.label(kWorkingDirLabel))) continue;  // another windlass's
    if (!other_instance(container.labels, parts.instance).empty()) continue;
    if (container.label(kContextLabel) != parts.context) continue;  // the same engine has another name, too
    auto found = found_in(container, parts.host_data_dir);
    if (!found) {
      log.warning("container is left out", {{"container", container.name}, {"error", found.error().message}});
      continue;
    }
    auto& known = by_id.try_emplace(found->release.id, *found).first->second;
    const auto service = container.label(kServiceLabel);
    known.services.push_back(service);
    known.release.images[service] = container.image_id;
  }
  std::vector<Found> releases;
  for (auto& [id, found] : by_id) releases.push_back(std::move(found));
  std::sort(releases.begin(), releases.end(), [](const Found& a, const Found& b) {
    return std::pair(a.release.started_at, a.release.id) < std::pair(b.release.started_at, b.release.id);
  });
  return releases;
}

}  // namespace

Result<std::size_t> rebuild_records(const RebuildParts& parts, const Log& log, const Deadline& deadline) {
  const auto containers = parts.engine.containers({std::string(kReleaseLabel)}, deadline);
  if (!containers) return tl::unexpected(containers.error());
  auto releases = releases_of(*containers, parts, log);
  std::map<StackId, std::map<std::string, std::string>> release_of;  // stack -> service -> release
  for (auto& found : releases) {
    auto& release = found.release;
    const auto& request = release.request;
    if (!found.live_path.empty())
      if (auto claimed = parts.live.claim(
              {request.source_id, request.ref, request.ref_is_digest, release.stack.context}, found.live_path);
          !claimed)
        return tl::unexpected(claimed.error());
    if (auto kept = parts.releases.remember(lane_of(request), *request.digest, true); !kept)
      return tl::unexpected(kept.error());
    if (parts.sources_with_inline_deployments.contains(request.source_id)) release.request.artifact.clear();
    if (auto begun = parts.releases.begin(release, {}, {.discovery = found.discovery}); !begun)
      return tl::unexpected(begun.error());
    auto& services = release_of[release.stack];
    for (const auto& service : found.services) services[service] = release.id;
    if (auto done = parts.releases.finish(release, services); !done) return tl::unexpected(done.error());
    log.info("release found", {{"stack", release.stack.str()}, {"release", release.id}, {"digest", release.digest}});
  }
  return releases.size();
}

}  // namespace windlass
