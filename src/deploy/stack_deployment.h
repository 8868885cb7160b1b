// Bringing one prepared stack up: images, containers, health, record (deploy 7).
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/log.h"
#include "deploy/prepared_stack.h"
#include "deploy/release_store.h"
#include "deploy/watch.h"
#include "docker/engine.h"
#include "driver/driver.h"

namespace windlass {

// How long a stack may take until all its services are healthy (deploy/C13).
std::chrono::seconds start_timeout(const DeployConfig& config);

// What all stacks of a run are brought to.
struct ReleaseOrigin {
  const Job& job;
  Digest digest;
  std::string trust_hash;  // keyed: of the policies under which it is trusted
};

// What goes with a stack that is taken down.
struct Removal {
  bool volumes = false;
  bool images = false;
};

class StackDeployment {
 public:
  struct Options {
    std::chrono::milliseconds pull_timeout = std::chrono::minutes(10);  // deploy/C13
    std::chrono::milliseconds build_timeout = std::chrono::minutes(20);
    std::chrono::milliseconds record_again = std::chrono::seconds(1);  // after the state file refused a release
  };

  StackDeployment(Options options, Driver& driver, Engine& engine, StackPreparer& preparer, ReleaseStore& releases,
                  const Clock& clock);

  // Before a release comes back: the names of its images mean again what they meant then. An image that the engine has
  // no more is pulled like any other.
  Status restore_images(PreparedStack& stack, const std::map<std::string, std::string>& images,
                        const Deadline& deadline);

  // Takes the stack down, whose containers are in `stack`, and forgets it. Images of its containers go unless somebody
  // else uses them or may need them again.
  Status take_down(PreparedStack& stack, const Removal& removal, const Log& log, const Deadline& deadline);

  // Pulls what the plan needs; the live directory is still as it was. May add recreations for images that moved.
  Status get_images(PreparedStack& stack, const Log& log, const Deadline& deadline);

  // Creates, recreates, starts, watches until healthy and for a stack with rollback for `stable_for` after it, records
  // the release. The live directory is at the new release. On failure the new containers stay as they are, the release
  // is recorded as failed, and `stack.failure` says what a rollback rule asks (C14, V2).
  Status bring_up(const ReleaseOrigin& origin, PreparedStack& stack, const Log& log, const Deadline& deadline);

 private:
  Status build(const PreparedStack& stack, const std::vector<std::string>& services, const Deadline& deadline);
  void note_images_in_use(const PreparedStack& stack);
  void forget_images_in_use(const std::string& stack);
  // Ids of what stacks that are being deployed will run: pulled perhaps, and in no container yet.
  std::set<std::string> images_in_use(const Deadline& deadline);
  void prune_images(const PreparedStack& stack, const Log& log, const Deadline& deadline);
  void remove_images(const std::map<std::string, std::string>& images, const Log& log, const Deadline& deadline);
  Release new_release(const ReleaseOrigin& origin, const PreparedStack& stack) const;
  Status keep_inputs_of_adopted(const PreparedStack& stack);
  Status send_signals(const PreparedStack& stack, const Log& log, const Deadline& deadline);
  Status up_and_watch(PreparedStack& stack, json::object model, const Log& log, const Deadline& deadline);
  Error why_not_up(HealthWatch& watch, PreparedStack& stack, Error cause, const Deadline& until,
                   const Deadline& deadline);
  Status record(Release& release, const PreparedStack& stack, const Status& done, const Deadline& deadline);

  Options options_;
  Driver& driver_;
  Engine& engine_;
  StackPreparer& preparer_;
  ReleaseStore& releases_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, std::set<std::string>> images_in_use_;  // names by stack, from the pull to the record
};

}  // namespace windlass
