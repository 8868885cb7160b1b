// What happened to a container some time ago: is it still so?
#pragma once

#include "base/deadline.h"
#include "base/result.h"
#include "deploy/release_store.h"
#include "docker/engine.h"
#include "reconcile/occurrence.h"

namespace windlass {

// unhealthy: it runs and is unhealthy. die, stop, kill: it does not run, or is gone and missed. oom: the same, or it
// has not been started since. update: it is still there. destroy: it is missed, that is, its service has fewer
// containers than the stack's last good release wants. Of a stack as a whole: nothing of it runs.
//
// `engine`: that of its context.
//
// A container that has finished is not missed if its service need not run. An error: nobody knows yet; Kind::conflict
// if it is paused, and nothing can be said before it is not.
Result<bool> is_still_so(const Occurrence& occurrence, Engine& engine, ReleaseStore& releases,
                         const Deadline& deadline);

// need not run: restart "no" or on-failure (deploy/N17); as the engine writes it
bool need_not_run(const ContainerDetail& container);

}  // namespace windlass
