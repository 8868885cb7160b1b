// Tells a stack that every deployment of one and the same release changes from one that has been brought up
// (deploy/U1).
//
// A random value from a store of secrets, or somebody who undoes what was done, makes a stack differ at every look; its
// containers would be made anew for ever. So deployments of one release that follow one another are counted on disk. A
// look that finds nothing to do ends the count: a secret that is rotated once a week is no loop. Repairs and rollbacks
// are neither counted nor stopped.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "deploy/prepared_stack.h"
#include "deploy/release_store.h"
#include "model/stack_loop.h"
#include "secrets/secret_resolver.h"

namespace windlass {

enum class LoopVerdict {
  deploy,
  recreate,    // deploy, and make all services anew for once: that may end it
  stop,        // it has not: the stack is looping, and somebody must be told
  leave_alone  // somebody has been told
};

struct LoopDecision {
  LoopVerdict verdict = LoopVerdict::deploy;
  StackLoop loop;  // as it is after that
};

// `before`: what is on record of the stack. `differences`: what the deployment would change that an earlier one of the
// same release should have changed already. `limit`: so many deployments may follow one another.
LoopDecision judge_loop(const std::optional<StackLoop>& before, StackLoop now, unsigned limit);

class LoopGuard {
 public:
  // `limit`: MAX_DEPLOYMENT_LOOP_COUNT, 0: nothing is counted or stopped.
  LoopGuard(unsigned limit, ReleaseStore& releases, SecretResolver& secrets, const Clock& clock)
      : limit_(limit), releases_(releases), secrets_(secrets), clock_(clock) {}

  // What to do with the stack, whose plan is made. `key`: of the run. Writes nothing.
  Result<LoopDecision> judge(const PreparedStack& stack, const std::string& key);
  // It is to be left alone from now on.
  Status stop(StackLoop loop);
  // It was deployed.
  Status deployed(StackLoop loop);
  // A look has found nothing to do. Counts only if the values of these references were asked for after the stack was
  // deployed: what they were then says nothing.
  Status found_unchanged(const StackId& stack, const std::set<std::string>& references);
  Status forget(const StackId& stack);

 private:
  unsigned limit_;
  ReleaseStore& releases_;
  SecretResolver& secrets_;
  const Clock& clock_;
  std::mutex mutex_;
  // Stacks that a look has found unchanged after their first deployment: stack -> key. In memory, because such a look
  // writes nothing; a process that has forgotten it counts one too many, once. Guarded by mutex_.
  std::map<StackId, std::string> unchanged_;
};

}  // namespace windlass
