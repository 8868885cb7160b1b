// Whose a stack is: one source's, by what is on record of it and by the labels of what the engine has (deploy/O1 to
// O4).
//
// A stack that is another source's, another instance's or nobody's may be adopted: where the artifact asks for it
// (`adopt: true`), and the operator does not limit that.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "config/adopt_allow.h"
#include "config/deploy_config.h"
#include "deploy/release_store.h"
#include "docker/engine.h"
#include "model/job.h"
#include "model/stack_id.h"

namespace windlass {

inline constexpr std::string_view kSomebodyElses =
    "another stack with the same name already exists and is not managed by this repository";

// What there is of a stack that the source may deploy.
struct OwnedStack {
  std::vector<ContainerSummary> containers;  // of its name, in any state
  std::optional<StackRecord> record;         // nothing: the state file does not know it
  // Others of ours whose containers these are: another context leads to the same engine.
  std::vector<StackId> taken_over;
  bool has_old_volumes = false;  // nobody knows it, nothing runs, but doco-cd left volumes of this source's
};

class Ownership {
 public:
  // `instance`: INSTANCE_ID, "" for none. `adoptable`: the only adoptions that are allowed, nothing: all.
  Ownership(std::string instance, std::optional<std::vector<AllowedAdoption>> adoptable, Engine& engine,
            ReleaseStore& releases)
      : instance_(std::move(instance)), adoptable_(std::move(adoptable)), engine_(engine), releases_(releases) {}

  // Changes nothing. Kind::conflict: the stack is somebody else's, and how it could be taken over; Kind::denied: the
  // artifact asks to adopt what it may not; else what the engine and the state file say.
  Result<OwnedStack> check(const JobRequest& request, const DeployConfig& config, const Deadline& deadline);

 private:
  Status check_instance(const OwnedStack& stack, const JobRequest& request, const DeployConfig& config) const;
  // True: there is something foreign among them. What they tell besides comes into the stack.
  Result<bool> look_at_volumes(OwnedStack& stack, const JobRequest& request, const DeployConfig& config,
                               const Deadline& deadline);
  Result<bool> look_at_aliases(OwnedStack& stack, const JobRequest& request, const DeployConfig& config);
  Status may_adopt(const JobRequest& request, const DeployConfig& config, std::string_view obstacle) const;

  std::string instance_;
  std::optional<std::vector<AllowedAdoption>> adoptable_;
  Engine& engine_;
  ReleaseStore& releases_;
};

}  // namespace windlass
