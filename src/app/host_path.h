// Where the data folder lies for the engine: bind mounts of a compose project are paths on the engine's host, and
// windlass may itself run in a container (deploy/P1 to P5).
#pragma once

#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "docker/engine.h"

namespace windlass {

// The id of the container this process runs in, from /proc/self/mountinfo: the 64 hexadecimal digits in the root of the
// /etc/hostname mount. "" if it runs in none.
std::string own_container_id(std::string_view mountinfo);

// The host side of the data folder `mount_path`. `configured` (DATA_HOST_PATH) counts without a look at the engine;
// outside a container both paths are the same. Kind::not_found when the own container mounts nothing there, naming
// DATA_HOST_PATH; Kind::invalid when the mount cannot be written.
Result<std::string> host_path_of(const std::string& mount_path, const std::string& configured,
                                 std::string_view mountinfo, Engine& engine, const Deadline& deadline);

// Makes host paths resolve in here too: a link at `host_path` to `mount_path` (deploy/P5). Nothing to do when they are
// equal. Kind::conflict when something else is at the host path.
Status link_host_path(const std::string& host_path, const std::string& mount_path);

}  // namespace windlass
