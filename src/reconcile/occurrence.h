// What happened to a container of a stack, in the words of the deploy key `reconciliation`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "docker/engine.h"
#include "model/stack_id.h"

namespace windlass {

struct Occurrence {
  StackId stack;
  std::string service;  // "": the stack as a whole
  std::string container_id;
  std::string container;      // its name
  std::string event;          // die, destroy, update, stop, kill, oom, unhealthy
  std::int64_t time_ns = 0;   // by the engine's clock; 0: it was found so
  bool has_finished = false;  // its container had done its work (endings.h)

  // The same event of the same container.
  bool operator==(const Occurrence& other) const {
    return stack == other.stack && container_id == other.container_id && event == other.event;
  }
};

// The engine's words for all of them, and for what tells that one is over.
const std::vector<std::string>& engine_events();

// Nothing for events of other kinds, for containers that neither we nor doco-cd made (images that compose built carry
// its labels, so those prove nothing), and for those that come and go by design: one-off ones, and those of scheduled
// jobs (deploy/E3, E6). `context`: of the engine that told it. `instance`: our INSTANCE_ID; what another one made is
// its own business (O4).
std::optional<Occurrence> occurrence_of(const EngineEvent& event, const std::string& context,
                                        std::string_view instance);

// A container that is unhealthy now, whenever it became so.
std::optional<Occurrence> occurrence_of_unhealthy(const ContainerSummary& container, const std::string& context,
                                                  std::string_view instance);

}  // namespace windlass
