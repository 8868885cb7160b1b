// Whether one container has started well (deploy/C12). Pure.
#pragma once

#include <optional>
#include <string>

#include "docker/engine.h"

namespace windlass {

struct Readiness {
  enum class State {
    waiting,    // not started yet, or its health check has not decided
    steadying,  // runs, has no health check: ready when it still runs in a while
    ready,      // healthy, or ended well where that is its purpose
    failed,
  };
  State state = State::waiting;
  std::string reason;         // failed: "exited with code 3"; waiting and steadying: what is missing, "not started yet"
  bool is_unhealthy = false;  // failed: by its health check
};

// What the events told about a container that its present state does not show.
struct ContainerPast {
  bool restarted = false;             // by its restart policy, since we watch
  std::optional<int> last_exit_code;  // of the last end that was heard of
};

Readiness judge(const ContainerDetail& container, const ContainerPast& past);

}  // namespace windlass
