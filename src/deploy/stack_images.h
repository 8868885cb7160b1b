// The images of stacks: got before anything live is touched, removed when nobody needs them any more.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "deploy/prepared_stack.h"
#include "deploy/release_store.h"
#include "docker/engine.h"
#include "driver/driver.h"

namespace windlass {

class StackImages {
 public:
  struct Options {
    std::chrono::milliseconds pull_timeout = std::chrono::minutes(10);  // deploy/C13
    std::chrono::milliseconds build_timeout = std::chrono::minutes(20);
  };

  StackImages(Options options, Driver& driver, Engine& engine, StackPreparer& preparer, ReleaseStore& releases);

  // Before a release comes back: the names of its images mean again what they meant then. An image that the engine has
  // no more is pulled like any other. `images`: ids by service.
  Status restore(PreparedStack& stack, const std::map<std::string, std::string>& images, const Deadline& deadline);

  // Pulls and builds what the plan needs. May add recreations for images that moved. As long as `stack` lives nobody
  // removes its images: they may be in no container yet.
  Status get(PreparedStack& stack, const Log& log, const Deadline& deadline);

  // What only old releases of this stack were made from (deploy/I1). A good deployment stays good when that fails.
  void prune(const StackId& stack, const Log& log, const Deadline& deadline);

  // Ids by name; none that any container uses, or that a release of another stack may need (deploy/I1). The engine
  // keeps what is in use by itself as well.
  void remove(const std::map<std::string, std::string>& images, const Log& log, const Deadline& deadline);

 private:
  Status build(const PreparedStack& stack, const std::vector<std::string>& services, const Deadline& deadline);
  void keep_for(PreparedStack& stack);
  // Ids of what containers use, and of what stacks in the making will.
  Result<std::set<std::string>> used_images(const Deadline& deadline);

  Options options_;
  Driver& driver_;
  Engine& engine_;
  StackPreparer& preparer_;
  ReleaseStore& releases_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<const PreparedStack::ImageNames>> in_the_making_;
};

}  // namespace windlass
