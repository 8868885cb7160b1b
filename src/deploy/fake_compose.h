// An engine in memory, and a compose that makes containers on it, for tests of the pipeline.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "docker/idle_engine.h"
#include "driver/driver.h"
#include "sys/files.h"
#include "sys/json.h"

namespace windlass {

using namespace std::chrono_literals;

// An engine in memory; every container is what the driver made of it.
struct FakeEngine final : IdleEngine {
  std::mutex mutex;
  std::map<std::string, std::map<std::string, ContainerSummary>> projects;  // project -> service -> container
  std::string state = "running";                                            // of containers that are made from now on
  std::string image_of_new = "sha256:image";
  int exit_code = 0;
  int made = 0;
  std::string fault;                           // of containers(); "": it answers
  std::map<std::string, std::string> renamed;  // id -> new name
  std::map<std::string, std::string> tagged;   // name -> id

  void make(const std::string& project, const std::string& service, Labels labels) {
    labels["com.docker.compose.service"] = service;
    labels["com.docker.compose.project"] = project;
    projects[project][service] = {.id = fmt::format("container-{}", ++made),
                                  .name = fmt::format("{}-{}-1", project, service),
                                  .image = "name-of-image",
                                  .image_id = image_of_new,
                                  .state = state,
                                  .labels = std::move(labels)};
  }
  // "key" or "key=value"
  static bool has(const ContainerSummary& container, const std::string& label) {
    const auto equals = label.find('=');
    const auto found = container.labels.find(label.substr(0, equals));
    return found != container.labels.end() && (equals == label.npos || found->second == label.substr(equals + 1));
  }
  bool is_manager = false;
  int infos = 0;
  Result<EngineInfo> info(const Deadline&) override {
    ++infos;
    if (!fault.empty()) return fail(Kind::unavailable, fault);
    return EngineInfo{.swarm_manager = is_manager};
  }
  Result<std::vector<ContainerSummary>> containers(const std::vector<std::string>& labels, const Deadline&) override {
    if (!fault.empty()) return fail(Kind::unavailable, fault);
    const std::lock_guard lock(mutex);
    std::vector<ContainerSummary> list;
    for (const auto& [project, services] : projects)
      for (const auto& [service, container] : services)
        if (std::all_of(labels.begin(), labels.end(), [&](const auto& label) { return has(container, label); }))
          list.push_back(container);
    return list;
  }
  std::map<std::string, std::vector<Volume>> volumes_of;  // project -> volumes
  Result<std::vector<Volume>> volumes(const std::vector<std::string>& labels, const Deadline&) override {
    std::vector<Volume> all;
    for (const auto& [project, volumes] : volumes_of) all.insert(all.end(), volumes.begin(), volumes.end());
    if (labels.empty()) return all;
    const auto& label = labels.at(0);
    const auto found = volumes_of.find(label.substr(label.find('=') + 1));
    return found == volumes_of.end() ? std::vector<Volume>() : found->second;
  }
  Status remove_volume(const std::string& name, const Deadline&) override {
    for (auto& [project, volumes] : volumes_of)
      std::erase_if(volumes, [&](const Volume& volume) { return volume.name == name; });
    return {};
  }
  Result<ContainerDetail> inspect(const std::string& id, const Deadline&) override {
    const std::lock_guard lock(mutex);
    for (const auto& [project, services] : projects)
      for (const auto& [service, container] : services)
        if (container.id == id)
          return ContainerDetail{.id = id,
                                 .name = container.name,
                                 .image_id = container.image_id,
                                 .state = container.state,
                                 .exit_code = exit_code,
                                 .started_at = "2026-01-02T03:04:05Z",
                                 .labels = container.labels};
    return fail(Kind::not_found, "no such container");
  }
  Result<std::string> last_logs(const std::string&, int, const Deadline&) override { return std::string("boom\n"); }
  std::map<std::string, std::string> images;  // name -> id of what is not "sha256:image"
  std::set<std::string> absent_images;
  Result<std::string> image_id(const std::string& name, const Deadline&) override {
    const std::lock_guard lock(mutex);
    if (absent_images.contains(name)) return fail(Kind::not_found, "no such image");
    const auto found = images.find(name);
    return found == images.end() ? std::string("sha256:image") : found->second;
  }
  Status tag_image(const std::string& id, const std::string& reference, const Deadline&) override {
    const std::lock_guard lock(mutex);
    tagged[reference] = images[reference] = id;
    return {};
  }
  std::vector<std::string> removed_images;
  std::vector<std::string> signals;  // "id signal"
  std::optional<Error> remove_image_error;
  Status remove_image(const std::string& id, const Deadline&) override {
    const std::lock_guard lock(mutex);
    if (remove_image_error) return tl::unexpected(*remove_image_error);
    removed_images.push_back(id);
    return {};
  }
  Status remove(const std::string& id, const Deadline&) override {
    const std::lock_guard lock(mutex);
    for (auto& [project, services] : projects)
      std::erase_if(services, [&](const auto& service) { return service.second.id == id; });
    return {};
  }
  Status signal(const std::string& id, const std::string& signal, const Deadline&) override {
    if (signal == "STKFLT") return fail(Kind::invalid, "400: invalid signal: STKFLT");
    const std::lock_guard lock(mutex);
    signals.push_back(id + " " + signal);
    return {};
  }
  Status rename(const std::string& id, const std::string& name, const Deadline&) override {
    const std::lock_guard lock(mutex);
    renamed[id] = name;
    for (auto& [project, services] : projects)
      for (auto& [service, container] : services)
        if (container.id == id) container.name = name;
    return {};
  }
  struct NoEvents final : EventStream {
    Result<std::optional<EngineEvent>> next(const Deadline& deadline) override {
      std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(deadline.left(), 20ms));
      return std::optional<EngineEvent>();
    }
  };
  Result<std::unique_ptr<EventStream>> events(const std::string&, const std::vector<std::string>&,
                                              const Deadline&) override {
    return std::unique_ptr<EventStream>(new NoEvents);
  }
};

// compose as far as it matters: a service is recreated when its definition, labels included, is another one.
struct FakeDriver final : Driver {
  explicit FakeDriver(FakeEngine& engine) : engine(engine) {}
  FakeEngine& engine;
  std::map<std::string, std::string> definitions;  // project/service -> JSON it was made from
  std::map<std::string, std::string> models;       // stack -> model, with {root} for the project folder
  std::optional<Error> resolve_error, pull_error, up_error;
  std::function<void(const std::string& stack)> before_up;
  std::atomic<int> resolved = 0, pulled = 0, upped = 0;
  std::mutex mutex;  // the stacks of a run are pulled, built and brought up side by side

  std::atomic<bool> was_local = false;  // of the last resolve()
  Result<json::object> resolve(const StackSpec& stack, const Deadline&) override {
    ++resolved;
    was_local = stack.is_local;
    if (resolve_error) return tl::unexpected(*resolve_error);
    auto text = models.at(stack.name);
    for (auto at = text.find("{root}"); at != text.npos; at = text.find("{root}"))
      text.replace(at, 6, stack.project_dir.string());
    return parse_json(text)->get_object();
  }
  std::function<void(const std::string&)> before_pull;
  std::map<std::string, std::chrono::milliseconds> given;  // step -> the time that it had
  std::vector<std::string> pulled_services;                // of the last pull()
  Status pull(const ResolvedStack& stack, const std::vector<std::string>& services, const Deadline& deadline) override {
    ++pulled;
    {
      const std::lock_guard lock(mutex);
      given["pull"] = deadline.left();
      pulled_services = services;
    }
    if (before_pull) before_pull(stack.name);
    if (pull_error) return tl::unexpected(*pull_error);
    return {};
  }
  std::vector<json::object> built;  // models
  BuildOptions build_options;       // of the last build()
  Status build(const ResolvedStack& stack, const std::vector<std::string>&, const BuildOptions& options,
               const Deadline& deadline) override {
    const std::lock_guard lock(mutex);
    given["build"] = deadline.left();
    built.push_back(stack.model);
    build_options = options;
    return {};
  }
  std::map<std::string, std::map<std::string, std::string>> environments;  // stack -> of the last up()
  std::map<std::string, json::object> upped_models;                        // stack -> of the last up()
  std::map<std::string, UpOptions> options;                                // stack -> of the last up()
  Status up(const ResolvedStack& resolved, const UpOptions& wanted, const Deadline& deadline) override {
    ++upped;
    const auto& stack = resolved.name;
    const auto& model = resolved.model;
    const std::lock_guard lock(mutex);
    options[stack] = wanted;
    given["up"] = deadline.left();
    upped_models[stack] = model;
    environments[stack] = resolved.environment;
    if (before_up) before_up(stack);
    if (up_error) return tl::unexpected(*up_error);
    std::map<std::string, ContainerSummary> kept;
    for (const auto& member : model.at("services").get_object()) {
      const std::string service(member.key());
      if (member.value().get_object().contains("provider")) continue;  // has no containers
      const auto text = canonical_json(member.value());
      const std::lock_guard engine_lock(engine.mutex);
      auto& known = definitions[stack + "/" + service];
      if (!engine.projects[stack].contains(service) || known != text) {
        Labels labels;
        for (const auto& label : member.value().at("labels").get_object())
          labels[std::string(label.key())] = std::string(label.value().get_string());
        engine.make(stack, service, std::move(labels));
        known = text;
      }
      kept[service] = engine.projects[stack][service];
    }
    const std::lock_guard engine_lock(engine.mutex);
    engine.projects[stack] = std::move(kept);
    return {};
  }
  std::vector<std::string> downed;  // "stack volumes"
  Status down(const std::string& stack, const DownOptions& options, const Deadline&) override {
    const std::lock_guard lock(mutex);
    downed.push_back(stack + (options.remove_volumes ? " volumes" : ""));
    const std::lock_guard engine_lock(engine.mutex);
    engine.projects.erase(stack);
    return {};
  }
  std::string version() const override { return "2.26.1"; }
  Status check(const Deadline&) override { return {}; }
};

}  // namespace windlass
