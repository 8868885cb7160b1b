// One stack of a run, worked out before anything live is touched: its resolved model, what its services are made from,
// and the plan (deploy/S7 to S13).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "config/adopt_allow.h"
#include "config/deploy_config.h"
#include "deploy/encrypted_files.h"
#include "deploy/heartbeat.h"
#include "deploy/ownership.h"
#include "deploy/planning.h"
#include "deploy/release_store.h"
#include "deploy/remote_files.h"
#include "deploy/volumes.h"
#include "docker/engine.h"
#include "driver/driver.h"
#include "model/job.h"
#include "model/rollback_rule.h"
#include "model/secret_reference.h"
#include "model/stack_loop.h"
#include "oci/unpack.h"
#include "sys/json.h"

namespace windlass {

struct PreparedStack {
  using ImageNames = std::set<std::string>;

  DeployConfig config;
  std::string filtered_because;                    // "" unless webhook_filter leaves the stack alone (webhook/F7)
  json::object model;                              // resolved, paths below the live directory, no labels of ours yet
  std::map<std::string, std::string> environment;  // it was resolved with; values may be secret
  StackSecrets external_secrets;                   // their values; in `environment` too
  std::string working_dir;                         // as the engine's host sees it
  std::string live_root, staged_root;              // the live directory as the host sees it; the unpacked release
  std::string config_hash, compose_hash;
  std::vector<ServiceShape> services;
  std::vector<FileContent> contents;  // that are sent, because the engine does not see our files
  std::map<std::string, ServiceInputs> wanted;
  std::map<std::string, RecreateIgnore> ignores;    // by service
  std::set<std::string> in_place;                   // files of the live directory that must stay the same on disk
  std::shared_ptr<const EncryptedFiles> encrypted;  // of the release; null before prepare()
  PlainEntries plain;                               // of those that its containers see as files
  bool is_known = false;                            // the state file knows the stack:
  StackRecord record;
  std::vector<StackId> taken_over;  // as of OwnedStack, as is the next
  bool has_old_volumes = false;
  ContainersByService containers;  // as they are now
  StackPlan plan;
  RollbackRule rollback;                            // the stack's own, else AUTO_ROLLBACK
  std::set<std::string> has_image;                  // services whose image was restored: there is nothing to pull
  std::shared_ptr<const ImageNames> image_names;    // of all services; StackImages keeps them as long as this lives
  TellPhase tell_phase;                             // what is being done to it; may be empty
  std::string own_service;                          // the one that this process runs as; "": it is none of them
  std::string own_order;                            // what is done to it: the job, and the digest that it goes to
  std::map<std::string, std::string> moved_images;  // service -> image id: made anew for a newer image of that name
  std::optional<StackLoop> loop;                    // what to put on record once it is deployed
  bool is_looping = false;                          // which is why it is left alone (deploy/U1)
  std::optional<StartFailure> failure;  // set when it could not be brought up and nothing passing is to blame

  // Values of encrypted files and of external secrets: never shown.
  std::vector<Secret> secrets() const;
  bool asks_for_rollback() const { return failure && rollback.answers(*failure); }
  bool deploys() const { return filtered_because.empty() && plan.changes_anything(); }
};

class StackPreparer {
 public:
  struct Options {
    Secret hash_key;                                 // of this installation (deploy/N9)
    std::map<std::string, std::string> process_env;  // what PASS_ENV lets through; empty without it
    bool restricted = false;                         // DEPLOY_POLICY=restricted
    std::string context;                             // of the engine; "": the default one
    bool is_remote = false;                          // the engine does not see our files (deploy/Y7)
    std::string instance;                            // INSTANCE_ID
    std::string own_container;                       // the id of the one that this process runs in, "" if in none
    // The only adoptions that are allowed, by source_id; nothing: all.
    std::optional<std::vector<AllowedAdoption>> adoptable = std::nullopt;
  };

  StackPreparer(Options options, Driver& driver, Engine& engine, ReleaseStore& releases);

  // Reads and resolves against the unpacked release. `secrets`: the values of `external_secrets`, the highest layer of
  // what ${…} sees (config 6); one-time values are no part of what is compared. `host_root`: the live directory as the
  // engine's host sees it. `encrypted`: after find() on that release. `is_local`: nothing
  // that lies elsewhere is brought in, as if restricted.
  Result<PreparedStack> prepare(const DeployConfig& config, const StackSecrets& secrets, const UnpackedTree& tree,
                                const std::shared_ptr<EncryptedFiles>& encrypted, const std::string& host_root,
                                OciIncludes oci_includes, bool is_local, const Deadline& deadline);

  // Locks the stacks whose containers are taken over, before anything of them is changed; empty: nothing will be.
  using LockOthers = std::function<Status(const std::vector<StackId>& others)>;

  // Looks at the engine and the state file, checks whose stack it is (deploy/O1), and makes the plan. Kind::conflict
  // when it is somebody else's, another instance's (deploy/O4), or when the plan would remove the container that this
  // process runs in; one that is made anew is noted in the stack. Kind::denied when it asks to adopt it and may not.
  // The stack is locked by the caller. `settle`: containers that a killed driver left half made are settled first;
  // without it nothing is changed, and they are planned for as they are. `digest`: what is deployed. Containers that
  // nobody has on record and that were made from it, by doco-cd or before the state file was lost, are taken over as
  // they are (deploy/L23).
  Status plan(const Job& job, const Digest& digest, PreparedStack& stack, bool settle, const LockOthers& lock,
              const Deadline& deadline);

  // The model without secrets.
  json::object redacted_model(const PreparedStack& stack) const;

  // Stacks on the engine that auto-discovery found for the source, target and ref of the request, by us or by doco-cd.
  Result<std::vector<DiscoveredStack>> discovered(const JobRequest& request, const Deadline& deadline);

  // The same for a stack that is to be taken down: nothing if there is nothing of it. The plan removes every service.
  Status plan_removal(const Job& job, PreparedStack& stack, const LockOthers& lock, const Deadline& deadline);

  // Volumes of the stack that are there otherwise than its model says.
  Result<std::vector<ChangedVolume>> changed_volumes(const PreparedStack& stack, const Deadline& deadline);

  // The name of a container, running or not, that mounts something at or below a path of the host; "" if none does.
  Result<std::string> container_that_mounts(const std::string& host_path, const Deadline& deadline);

  // After images were pulled: services whose image of that name is another one now are to be recreated.
  Status plan_moved_images(PreparedStack& stack, const Deadline& deadline);

  // Plans to make every service anew, for that reason.
  void recreate_all(PreparedStack& stack, const std::string& reason) const;

 private:
  Status spare_this_process(PreparedStack& stack) const;
  Status check_volumes(const PreparedStack& stack, const Deadline& deadline);
  Result<std::vector<ContainerSummary>> own_containers(const Job& job, PreparedStack& stack, const LockOthers& lock,
                                                       const Deadline& deadline);

  Options options_;
  Driver& driver_;
  Engine& engine_;
  ReleaseStore& releases_;
  Ownership ownership_;
};

}  // namespace windlass
