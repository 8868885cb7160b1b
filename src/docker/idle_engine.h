// For tests: an engine that answers and has nothing, of which a test replaces what it is about.
#pragma once

#include <map>

#include "docker/engine.h"
#include "docker/engines.h"

namespace windlass {

struct IdleEngine : Engine {
  Status ping() override { return {}; }
  Result<EngineInfo> info(const Deadline&) override { return EngineInfo{}; }
  Result<std::vector<ContainerSummary>> containers(const std::vector<std::string>&, const Deadline&) override {
    return std::vector<ContainerSummary>();
  }
  Result<std::vector<ContainerSummary>> unhealthy_containers(const std::string&, const Deadline&) override {
    return std::vector<ContainerSummary>();
  }
  Result<std::vector<ContainerSummary>> containers_with_volume(const std::string&, const Deadline&) override {
    return std::vector<ContainerSummary>();
  }
  Result<std::vector<Volume>> volumes(const std::vector<std::string>&, const Deadline&) override {
    return std::vector<Volume>();
  }
  Status remove_volume(const std::string&, const Deadline&) override { return {}; }
  Result<ContainerDetail> inspect(const std::string&, const Deadline&) override {
    return fail(Kind::not_found, "no such container");
  }
  Result<std::string> last_logs(const std::string&, int, const Deadline&) override { return std::string(); }
  Result<std::string> image_id(const std::string&, const Deadline&) override { return std::string(); }
  Status tag_image(const std::string&, const std::string&, const Deadline&) override { return {}; }
  Status remove_image(const std::string&, const Deadline&) override { return {}; }
  Status signal(const std::string&, const std::string&, const Deadline&) override { return {}; }
  Status stop(const std::string&, const Deadline&) override { return {}; }
  Status remove(const std::string&, const Deadline&) override { return {}; }
  Status rename(const std::string&, const std::string&, const Deadline&) override { return {}; }
  Status restart(const std::string&, int, const std::string&, const Deadline&) override { return {}; }
  Result<json::object> inspect_json(const std::string&, const Deadline&) override {
    return fail(Kind::not_found, "no such container");
  }
  Result<std::string> create(const std::string&, const json::object&, const Deadline&) override {
    return fail(Kind::not_found, "no such image");
  }
  Status start(const std::string&, const Deadline&) override { return {}; }
  Result<int> execute(const std::string&, const std::vector<std::string>&, const Deadline&) override {
    return fail(Kind::not_found, "no such container");
  }
  Status connect(const std::string&, const std::string&, const json::object&, const Deadline&) override { return {}; }
  Result<std::unique_ptr<EventStream>> events(const std::string&, const std::vector<std::string>&,
                                              const Deadline&) override {
    return fail(Kind::unavailable, "no events");
  }
};

// The engines that a test has, by context; they live longer than this.
struct FixedEngines : Engines {
  std::map<std::string, Engine*> by_context;

  explicit FixedEngines(Engine& standard) : by_context{{"", &standard}} {}
  Result<std::shared_ptr<Engine>> engine_of(const std::string& context) override {
    const auto found = by_context.find(context);
    if (found == by_context.end()) return fail(Kind::not_found, "docker context " + context + " is not known");
    return std::shared_ptr<Engine>(std::shared_ptr<void>(), found->second);
  }
};

}  // namespace windlass
