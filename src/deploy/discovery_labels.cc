#include "deploy/discovery_labels.h"

#include <algorithm>

#include "config/key_reader.h"
#include "config/scalars.h"
#include "config/switch_keys.h"
#include "config/yaml.h"
#include "deploy/labels.h"

namespace windlass {
namespace {

std::string deployment_label(const Labels& labels, const char* name) {
  return label_of(labels, std::string("cd.doco.deployment.") + name);
}

bool is_same_ref(const std::string& label, const JobRequest& request) {
  const bool is_digest = label.size() == 64 && label.find_first_not_of("0123456789abcdef") == label.npos;
  return request.ref_is_digest ? is_digest : label == request.ref;  // L8: the digits only
}

}  // namespace

std::optional<AutoDiscovery> discovery_of(const Labels& labels) {
  if (deployment_label(labels, "auto_discovery") != "true" && deployment_label(labels, "auto_discover") != "true")
    return std::nullopt;
  AutoDiscovery discovery{.enabled = true};
  const auto text = deployment_label(labels, "auto_discovery.config");
  if (text.empty()) {
    discovery.remove = true;
    for (const auto* name : {"auto_discover.delete", "auto_discovery.delete"})
      discovery.remove = parse_bool(deployment_label(labels, name)).value_or(discovery.remove);
    return discovery;
  }
  const auto yaml = parse_yaml("auto_discovery: " + text, "label");
  std::vector<std::string> ignored;
  if (yaml && yaml->documents.size() == 1) {
    KeyReader read(*yaml->documents.front(), "label", ignored);
    decode_auto_discovery(read, "label", ignored, ignored, discovery);
  }
  return discovery;
}

Result<std::vector<DiscoveredStack>> discovered_by_doco_cd(Engine& engine, const std::string& context,
                                                           ReleaseStore& releases, const JobRequest& request,
                                                           const Deadline& deadline) {
  const auto containers = engine.containers({std::string(kManagerLabel)}, deadline);
  if (!containers) return tl::unexpected(containers.error());
  std::vector<DiscoveredStack> stacks;
  for (const auto& container : *containers) {
    const auto& labels = container.labels;
    if (!is_made_by_doco_cd(container) || !belongs_to(container, request)) continue;
    if (deployment_label(labels, "config.target") != request.target ||
        !is_same_ref(deployment_label(labels, "target.ref"), request))
      continue;
    const auto rules = discovery_of(labels);
    const StackId id{.name = container.label(kProjectLabel), .context = context};
    if (!rules || id.name.empty() || std::ranges::find(stacks, id, &DiscoveredStack::id) != stacks.end()) continue;
    const auto record = releases.stack(id);
    if (!record) return tl::unexpected(record.error());
    if (!*record) stacks.push_back({id, *rules});
  }
  return stacks;
}

}  // namespace windlass
