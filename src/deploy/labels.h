// The labels that windlass writes on containers: doco-cd's, so that its tools and its return keep working, and a few of
// our own (deploy 6).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/deploy_config.h"
#include "docker/engine.h"
#include "model/job.h"

namespace windlass {

inline constexpr std::string_view kReleaseLabel = "cd.windlass.release";     // id of the release that made a container
inline constexpr std::string_view kSourceIdLabel = "cd.windlass.source.id";  // deploy/L17b
// The Docker context that a container was deployed on; none of the default engine.
inline constexpr std::string_view kContextLabel = "cd.windlass.context";
inline constexpr std::string_view kInstanceLabel = "cd.windlass.instance";  // INSTANCE_ID of who made a container
inline constexpr std::string_view kSourceNameLabel = "cd.doco.source.name";
inline constexpr std::string_view kSourceUrlLabel = "cd.doco.source.url";  // the artifact
inline constexpr std::string_view kStackLabel = "cd.doco.deployment.name";
inline constexpr std::string_view kTargetLabel = "cd.doco.deployment.config.target";  // of the deploy config
inline constexpr std::string_view kDigestLabel = "cd.doco.deployment.target.sha";
inline constexpr std::string_view kConfigHashLabel = "cd.doco.deployment.config.sha";
inline constexpr std::string_view kTimeLabel = "cd.doco.deployment.timestamp";
inline constexpr std::string_view kWorkingDirLabel = "cd.doco.deployment.working_dir";  // as the engine's host sees it
// On every container that doco-cd or we made (L25: it is ours as well).
inline constexpr std::string_view kManagerLabel = "cd.doco.metadata.manager";
inline constexpr std::string_view kManager = "doco-cd";
inline constexpr std::string_view kOtherManager = "windlass";  // never written, but read
inline constexpr std::string_view kEphemeralLabel = "cd.doco.job.ephemeral";

// What a label set tells.
struct LabelFacts {
  const Job& job;
  const DeployConfig& config;
  std::string release_id;
  std::string digest;        // D
  std::string compose_hash;  // deploy/N5
  std::string config_hash;   // L11
  std::string working_dir;   // as the engine's host sees it
  std::string instance;      // INSTANCE_ID, "" for none
  WallTime now;
};

// L1 to L17b, and who we are.
Labels release_labels(const LabelFacts& facts);

// cd.doco.* and cd.windlass.*: the ones an unchanged container keeps as they are (L21).
bool is_own_label(std::string_view key);

// Takes from services, networks and volumes of a resolved model what only a deployer may say of them: all but
// cd.doco.job.* and cd.doco.deployment.recreate.*, which people write. Else a stack could pass for somebody else's.
void erase_deployers_labels(json::object& model);

// Labels that are no input of a service (N6).
bool is_left_out_of_hash(std::string_view key);

// The INSTANCE_ID of another windlass that made the container (deploy/O4); "" if none did, or nobody knows. `own`:
// ours.
std::string other_instance(const Labels& labels, std::string_view own);

// True if doco-cd or we made the container.
bool is_managed(const Labels& labels);
bool is_managed(const ContainerSummary& container);

// True if doco-cd made the container: its labels, none of ours.
bool is_made_by_doco_cd(const ContainerSummary& container);

// Do the labels say that a stack is what it is to be? Those of its newest container tell what doco-cd, or we, last
// brought it to (deploy/N1). `config_hash`: ours; doco-cd has another one, which says nothing.
bool is_at(const std::vector<ContainerSummary>& containers, std::string_view digest, std::string_view config_hash);

// True if the labels of a container, or of a volume of doco-cd's, name this source: our own label, else doco-cd's
// source name, with the host or, of the artifact that it names, in the same registry (deploy/O1).
bool belongs_to(const Labels& labels, const JobRequest& request);
bool belongs_to(const ContainerSummary& container, const JobRequest& request);

}  // namespace windlass
