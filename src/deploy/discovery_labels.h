// What the labels of containers say of auto-discovery (deploy/L12, L13, L19).
#pragma once

#include <optional>
#include <vector>

#include "base/deadline.h"
#include "config/deploy_config.h"
#include "deploy/release_store.h"
#include "docker/engine.h"
#include "model/job.h"

namespace windlass {

// The rules by which the stack of a container was found; nothing if it was not. Older doco-cds wrote one flag a label,
// and before that none: their stacks go when their folder goes.
std::optional<AutoDiscovery> discovery_of(const Labels& labels);

// Stacks that doco-cd found for this source, target and ref, and that nobody has on record (deploy/R9 to R11, R14): a
// folder that vanished before the first run of ours, say. `engine`: that of the context.
Result<std::vector<DiscoveredStack>> discovered_by_doco_cd(Engine& engine, const std::string& context,
                                                           ReleaseStore& releases, const JobRequest& request,
                                                           const Deadline& deadline);

}  // namespace windlass
