// Bringing one prepared stack up: containers, health, record (deploy 7); and taking one down.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/log.h"
#include "base/slots.h"
#include "deploy/prepared_stack.h"
#include "deploy/release_store.h"
#include "deploy/stack_images.h"
#include "deploy/watch.h"
#include "docker/engine.h"
#include "driver/driver.h"
#include "model/observer.h"

namespace windlass {

// How long a stack may take until all its services are healthy (deploy/C13).
std::chrono::seconds start_timeout(const DeployConfig& config);

// What the configuration says of the time after the deployment.
StackRules rules_of(const DeployConfig& config);

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
    std::chrono::milliseconds record_again = std::chrono::seconds(1);  // after the state file refused a release
    Observer* observer = &Observer::nobody();                          // of both
    std::string instance;                                              // INSTANCE_ID
  };

  StackDeployment(Options options, Driver& driver, Engine& engine, StackPreparer& preparer, StackImages& images,
                  ReleaseStore& releases, const Clock& clock);

  // Takes the stack down, whose containers are in `stack`, and keeps a record of that only. Images of its containers go
  // unless somebody else uses them or may need them again.
  Status take_down(const ReleaseOrigin& origin, PreparedStack& stack, const Removal& removal, const Log& log,
                   const Deadline& deadline);

  // Creates, recreates, starts, watches until healthy and for a stack with rollback for `stable_for` after it, records
  // the release. The live directory is at the new release. On failure the new containers stay as they are, the release
  // is recorded as failed, and `stack.failure` says what a rollback rule asks (C14, V2). `place`: among the stacks that
  // are brought up at the same time. It is given back before the wait for health, which costs nothing and may be long.
  Status bring_up(const ReleaseOrigin& origin, PreparedStack& stack, Slots::Held place, const Log& log,
                  const Deadline& deadline);

 private:
  using Told = void (Observer::*)(const StackEvent&);
  Status told(const ReleaseOrigin& origin, const PreparedStack& stack, Told well, const std::function<Status()>& step);
  Status remove(const ReleaseOrigin& origin, PreparedStack& stack, const Removal& removal, const Log& log,
                const Deadline& deadline);
  Status start(const ReleaseOrigin& origin, PreparedStack& stack, Slots::Held place, const Log& log,
               const Deadline& deadline);
  Release new_release(const ReleaseOrigin& origin, const PreparedStack& stack) const;
  Status pass_on_adopted(const ReleaseOrigin& origin, const PreparedStack& stack, const Log& log);
  Status keep_inputs_of_adopted(const PreparedStack& stack);
  Status send_signals(const PreparedStack& stack, const Log& log, const Deadline& deadline);
  Status up(const PreparedStack& stack, json::object model, const Log& log, const Deadline& deadline);
  Status up_and_watch(PreparedStack& stack, json::object model, Slots::Held place, const Log& log,
                      const Deadline& deadline);
  Error why_not_up(HealthWatch& watch, PreparedStack& stack, Error cause, const Deadline& until,
                   const Deadline& deadline);
  Status record_when_possible(Release& release, const PreparedStack& stack, const Status& done, const Log& log,
                              const Deadline& deadline);
  Status record(Release& release, const PreparedStack& stack, const Status& done, const Deadline& deadline);

  Options options_;
  Driver& driver_;
  Engine& engine_;
  StackPreparer& preparer_;
  StackImages& images_;
  ReleaseStore& releases_;
  const Clock& clock_;
};

}  // namespace windlass
