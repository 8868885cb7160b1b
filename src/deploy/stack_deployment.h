// Bringing one prepared stack up: images, containers, health, record (deploy 7).
#pragma once

#include <string>

#include "base/log.h"
#include "deploy/prepared_stack.h"
#include "deploy/release_store.h"
#include "docker/engine.h"
#include "driver/driver.h"

namespace windlass {

// How long a stack may take until all its services are healthy (deploy/C13).
std::chrono::seconds start_timeout(const DeployConfig& config);

class StackDeployment {
 public:
  struct Options {
    std::chrono::milliseconds pull_timeout = std::chrono::minutes(10);  // deploy/C13
    std::chrono::milliseconds build_timeout = std::chrono::minutes(20);
  };

  StackDeployment(Options options, Driver& driver, Engine& engine, StackPreparer& preparer, ReleaseStore& releases,
                  const Clock& clock);

  // Pulls what the plan needs; the live directory is still as it was. May add recreations for images that moved.
  Status get_images(PreparedStack& stack, const Log& log, const Deadline& deadline);

  // Creates, recreates, starts, watches until healthy, records the release. The live directory is at the new release.
  // On failure the new containers stay for inspection and the release is recorded as failed (C14).
  Status bring_up(const Job& job, const Digest& digest, PreparedStack& stack, const Log& log, const Deadline& deadline);

 private:
  Status up_and_watch(PreparedStack& stack, const json::object& model, const Log& log, const Deadline& deadline);
  Result<std::map<std::string, std::string>> releases_now(const PreparedStack& stack, const Deadline& deadline);

  Options options_;
  Driver& driver_;
  Engine& engine_;
  StackPreparer& preparer_;
  ReleaseStore& releases_;
  const Clock& clock_;
};

}  // namespace windlass
