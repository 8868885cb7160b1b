// One Docker engine and all that deploys to it; and the engines by their Docker contexts (deploy 12).
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "deploy/prepared_stack.h"
#include "deploy/stack_deployment.h"
#include "deploy/stack_images.h"
#include "docker/engines.h"
#include "driver/driver.h"

namespace windlass {

struct DockerHost {
  Engine& engine;
  Driver& driver;
  StackPreparer& preparer;
  StackImages& images;
  StackDeployment& deployment;
  bool is_remote = false;  // on another machine, which does not see our files (Y7)
};

struct DockerHosts : Engines {
  // As engine_of(): does not connect. Who holds it goes on with the engine that the context led to then.
  virtual Result<std::shared_ptr<DockerHost>> host_of(const std::string& context) = 0;

  Result<std::shared_ptr<Engine>> engine_of(const std::string& context) override {
    auto host = host_of(context);
    if (!host) return tl::unexpected(host.error());
    return std::shared_ptr<Engine>(*host, &(*host)->engine);
  }
};

}  // namespace windlass
