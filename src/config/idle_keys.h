// Deploy keys that say nothing about an OCI artifact deployed with docker compose (config 4): checked, so that a file
// means the same to doco-cd, and then forgotten.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/key_reader.h"

namespace windlass {

// `git_depth` is of Git sources, `swarm` and `wait_jobs` of managers of a Swarm, which are refused at start,
// and `wait_running_jobs` of scheduled jobs, which are refused too. `repository_url` may only be empty. Adds faults by
// key and place; `warnings` tell unknown members.
void check_idle_keys(KeyReader& read, std::string_view file, std::vector<std::string>& faults,
                     std::vector<std::string>& warnings);

}  // namespace windlass
