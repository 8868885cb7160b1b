// What happened to a container of a stack, in the words of the deploy key `reconciliation`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "docker/engine.h"

namespace windlass {

struct Occurrence {
  std::string stack;
  std::string service;  // "": the stack as a whole
  std::string container_id;
  std::string container;  // its name
  std::string event;      // die, destroy, update, stop, kill, oom, unhealthy
};

// The engine's words for all of them.
const std::vector<std::string>& engine_events();

// Nothing for events of other kinds, for containers that neither we nor doco-cd made (images that compose built carry
// its labels, so those prove nothing), and for those that come and go by design: one-off ones, and those of scheduled
// jobs (deploy/E3, E6).
std::optional<Occurrence> occurrence_of(const EngineEvent& event);

// A container that is unhealthy now, whenever it became so.
std::optional<Occurrence> occurrence_of_unhealthy(const ContainerSummary& container);

}  // namespace windlass
