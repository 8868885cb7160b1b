// The engines that stacks are deployed to: the default one, and those of Docker contexts, made when they are named.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "config/settings.h"
#include "deploy/docker_host.h"
#include "docker/context.h"
#include "driver/compose_driver.h"
#include "driver/own_stack_driver.h"
#include "model/observer.h"
#include "sys/http_client.h"
#include "sys/process.h"

namespace windlass {

class ContextHosts final : public DockerHosts {
 public:
  struct Parts {
    const Settings& settings;
    const Environment& environment;
    HttpTransport& transport;
    ProcessRunner& processes;
    ReleaseStore& releases;
    Observer& observer;
    const Clock& clock;
    StackPreparer::Options preparer;  // but for the context
    std::filesystem::path handover;   // folder of orders to a helper
    Log log;
  };

  // `engine`: the default one.
  ContextHosts(Parts parts, Engine& engine);

  // Of a context its metadata are read each time: what has changed counts from then on.
  Result<std::shared_ptr<DockerHost>> host_of(const std::string& context) override;

  DockerHost& standard() { return *standard_; }
  // The driver of the default engine, on which this process may run in a container.
  OwnStackDriver& own_stack() { return *own_stack_; }
  // Of all contexts that there are.
  std::vector<std::string> context_names() const;

 private:
  struct Known {
    DockerContext metadata;
    std::shared_ptr<DockerHost> host;
  };
  // `metadata`: null for the default engine.
  std::shared_ptr<DockerHost> made(const DockerContext* metadata, std::unique_ptr<Engine> own, Engine& engine);
  std::unique_ptr<Driver> compose_driver(const DockerContext& context);
  std::unique_ptr<Driver> standard_driver(Engine& engine);

  const Parts parts_;
  OwnStackDriver* own_stack_ = nullptr;  // of standard_
  std::shared_ptr<DockerHost> standard_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;  // guarded by mutex_
};

}  // namespace windlass
