// The service: every part built once, connected, started in order and stopped in reverse.
#pragma once

#include <memory>

#include "base/log.h"
#include "base/result.h"
#include "config/settings.h"

namespace windlass {

class Service {
 public:
  // Opens the data folder and the port; jobs of the last life are taken back. Nothing runs yet. Errors name what is in
  // the way: another process on the data, a damaged state file, a port in use. `rebuild_state`: a damaged state file
  // is set aside, and what is deployed is read from the engine before any job runs.
  static Result<std::unique_ptr<Service>> make(Settings settings, Environment environment, bool rebuild_state, Log log);
  virtual ~Service() = default;

  // Serves until SIGINT or SIGTERM (api 9), or until the engine turns out to be unusable at start. The exit code of the
  // process.
  virtual int run() = 0;
};

}  // namespace windlass
