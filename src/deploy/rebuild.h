// What the engine's containers tell of their releases, put back on record after the state file was lost
// (reliability/F25).
//
// Labels say which release of which source made a container, and where its live directory is. What they do not say is
// lost: releases whose containers are gone, runs, which files of a live directory a release put there.
#pragma once

#include <set>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "deploy/live_directory.h"
#include "deploy/release_store.h"
#include "docker/engine.h"

namespace windlass {

struct RebuildParts {
  Engine& engine;
  std::string context;  // of the engine; "": the default one
  ReleaseStore& releases;
  LiveDirectories& live;
  std::string host_data_dir;  // DATA_MOUNT_PATH as the engine's host sees it
  std::string instance;       // INSTANCE_ID
  // Sources that are polled with inline deployments: no label holds those, so their releases cannot be brought back.
  std::set<std::string> sources_with_inline_deployments;
};

// Into stores that know nothing of the engine yet. The number of releases that were found. Containers that run from
// another data directory are another installation's; those whose labels contradict each other are named in a warning
// and left out. Kind::unavailable when the engine does not answer.
Result<std::size_t> rebuild_records(const RebuildParts& parts, const Log& log, const Deadline& deadline);

}  // namespace windlass
