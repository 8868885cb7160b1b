#include "deploy/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "oci/reference.h"

namespace windlass {

namespace {

// L18
constexpr std::string_view kWrittenOfJobs[] = {kEphemeralLabel, "cd.doco.job.last_run", "cd.doco.job.next_run",
                                               "cd.doco.job.swarm.restart_replicas"};

// Does a compose file say nothing with it that a deployer would have to believe?
bool is_for_people(std::string_view key) {
  if (!is_own_label(key)) return true;
  if (key.starts_with("cd.doco.deployment.recreate.")) return true;
  return key.starts_with("cd.doco.job.") && std::ranges::find(kWrittenOfJobs, key) == std::end(kWrittenOfJobs);
}

// L13: one line of YAML, the keys in this order.
std::string discovery_text(const AutoDiscovery& discovery) {
  return fmt::format("{{enabled: {}, depth: {}, delete: {}, remove_volumes: {}, remove_images: {}}}", discovery.enabled,
                     discovery.depth, discovery.remove, discovery.remove_volumes, discovery.remove_images);
}

}  // namespace

Labels release_labels(const LabelFacts& facts) {
  const auto& request = facts.job.request;
  const auto now = std::chrono::floor<std::chrono::seconds>(facts.now);
  // L8: of a digest only the hex part
  const auto ref = request.ref_is_digest ? request.ref.substr(request.ref.find(':') + 1) : request.ref;
  Labels labels{
      {std::string(kManagerLabel), std::string(kManager)},  // L25: switching back to doco-cd must work
      {"cd.doco.metadata.version", WINDLASS_VERSION},
      {std::string(kStackLabel), facts.config.name},
      {std::string(kTimeLabel), to_rfc3339(now)},
      {"cd.doco.deployment.compose.sha", facts.compose_hash},
      {std::string(kWorkingDirLabel), facts.working_dir},
      {std::string(kTargetLabel), request.target},
      {"cd.doco.deployment.target.ref", ref},
      {std::string(kDigestLabel), facts.digest},
      {"cd.doco.deployment.trigger", facts.digest},  // whoever asked (oci 14)
      {std::string(kConfigHashLabel), facts.config_hash},
      {"cd.doco.deployment.auto_discovery", facts.config.is_discovered ? "true" : "false"},
      {"cd.doco.deployment.auto_discovery.config", discovery_text(facts.config.auto_discovery)},
      {"cd.doco.source", "oci"},
      {std::string(kSourceNameLabel), request.repository},
      {std::string(kSourceUrlLabel), request.artifact},
      {std::string(kSourceIdLabel), request.source_id},
      {std::string(kReleaseLabel), facts.release_id},
  };
  // Said even where there is nothing to say: a container has its image's labels where the model has none.
  labels[std::string(kContextLabel)] = facts.config.context;
  labels[std::string(kInstanceLabel)] = facts.instance;
  labels[std::string(kEphemeralLabel)] = "false";
  return labels;
}

std::string other_instance(const Labels& labels, std::string_view own) {
  const auto made_by = label_of(labels, kInstanceLabel);
  return made_by == own ? "" : made_by;
}

bool is_own_label(std::string_view key) { return key.starts_with("cd.doco.") || key.starts_with("cd.windlass."); }

void erase_deployers_labels(json::object& model) {
  for (const auto* kind : {"services", "networks", "volumes"}) {
    auto* members = model.contains(kind) ? model[kind].if_object() : nullptr;
    if (members == nullptr) continue;
    for (auto& member : *members) {
      auto* definition = member.value().if_object();
      auto* labels =
          definition != nullptr && definition->contains("labels") ? (*definition)["labels"].if_object() : nullptr;
      if (labels == nullptr) continue;
      std::vector<std::string> forged;
      for (const auto& [key, value] : *labels)
        if (!is_for_people(key)) forged.emplace_back(key);
      for (const auto& key : forged) labels->erase(key);
    }
  }
}

bool is_left_out_of_hash(std::string_view key) {
  if (key.starts_with(kComposePrefix)) return true;
  if (key.starts_with("cd.doco.job.") || key.starts_with("cd.doco.deployment.recreate.")) return false;
  return is_own_label(key);
}

bool is_managed(const Labels& labels) {
  const auto manager = label_of(labels, kManagerLabel);
  return manager == kManager || manager == kOtherManager;
}

bool is_managed(const ContainerSummary& container) { return is_managed(container.labels); }

bool is_made_by_doco_cd(const ContainerSummary& container) {
  return is_managed(container) && container.label(kReleaseLabel).empty();
}

bool is_at(const std::vector<ContainerSummary>& containers, std::string_view digest, std::string_view config_hash) {
  const ContainerSummary* newest = nullptr;
  std::optional<WallTime> newest_at;
  for (const auto& container : containers) {
    const auto made_at = parse_rfc3339(container.label(kTimeLabel));
    if (!is_managed(container) || (newest != nullptr && made_at < newest_at)) continue;
    newest = &container;
    newest_at = made_at;
  }
  if (newest == nullptr || newest->label(kDigestLabel) != digest) return false;
  return is_made_by_doco_cd(*newest) || newest->label(kConfigHashLabel) == config_hash;
}

bool belongs_to(const Labels& labels, const JobRequest& request) {
  if (const auto id = label_of(labels, kSourceIdLabel); !id.empty()) return id == request.source_id;
  const auto name = label_of(labels, kSourceNameLabel);
  if (name.empty() || name == request.source_id) return !name.empty();
  if (name != request.repository) return false;
  // The same name in another registry is another source. Volumes do not say where it was.
  const auto artifact = Reference::parse(label_of(labels, kSourceUrlLabel));
  return label_of(labels, "cd.doco.source") != "oci" || !artifact || artifact->source_id() == request.source_id;
}

bool belongs_to(const ContainerSummary& container, const JobRequest& request) {
  return belongs_to(container.labels, request);
}

}  // namespace windlass
