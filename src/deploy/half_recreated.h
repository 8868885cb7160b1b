// Containers that a killed `docker compose up` left half recreated (reliability/F9).
//
// compose makes the new container as "<12 digits of the old id>_<name>", removes the old one, and renames. Ended in
// between, the temporary name stays in the way of every later `up`.
#pragma once

#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "docker/engine.h"

namespace windlass {

// Settles them: where the container with the final name is still there, the unfinished one goes; where it is gone, the
// unfinished one gets the name. `containers` is brought up to date. Gives how many there were.
Result<int> settle_half_recreated(Engine& engine, std::vector<ContainerSummary>& containers, const Deadline& deadline);

}  // namespace windlass
