// Volumes whose definition has changed (deploy/C8): an engine never changes a volume that is there, and compose goes on
// with it as it is.
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "docker/engine.h"
#include "sys/json.h"

namespace windlass {

struct ChangedVolume {
  std::string name;        // the engine's
  std::string difference;  // "driver_opts o, label tier": names only, values may be secret
  bool holds_data;         // false: it only mounts a share or memory, so nothing is lost with it
};

// The volumes of a resolved model that are there with another driver, other options or other labels. External ones are
// nobody's business.
std::vector<ChangedVolume> changed_volumes(const json::object& model, const std::vector<Volume>& there);

// Removes those that hold no data, with the stack's containers that use them, so that compose makes both anew. Of the
// others, and of those that other stacks use too, a warning tells what is to be done by hand. Kind::conflict when a
// volume stays in use.
Status renew_volumes(Engine& engine, const json::object& model, const std::string& stack, const Log& log,
                     const Deadline& deadline);

}  // namespace windlass
