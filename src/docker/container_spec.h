// From the engine's description of a container (GET /containers/{id}/json) to the body that makes another one like it
// (POST /containers/create). Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "docker/engine.h"
#include "sys/json.h"

namespace windlass {

// How a container is made again.
struct ContainerSpec {
  std::string name;
  json::object body;
  // Networks that the body cannot hold, which API versions before 1.44 take one of.
  std::map<std::string, json::object> networks;  // name -> endpoint
};

// The same container: image by its id, labels, environment, mounts, anonymous volumes, networks and their aliases.
// What the engine chose by itself, host name, addresses, is chosen anew. Kind::invalid when the description is none.
Result<ContainerSpec> same_container(const json::object& described);

// A container that does something in place of the described one: its image, environment, mounts and rights; no ports,
// no labels of its project, no health check. The engine starts it again when it ends badly, three times.
struct Helper {
  std::vector<std::string> command;                // program and arguments
  std::map<std::string, std::string> environment;  // besides; may be secret
  Labels labels;
  bool needs_network = false;  // as the described one has; else none
};
Result<json::object> helper_of(const json::object& described, const Helper& helper);

}  // namespace windlass
