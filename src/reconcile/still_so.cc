#include "reconcile/still_so.h"

#include <fmt/format.h>

#include <algorithm>

#include "deploy/labels.h"
#include "deploy/planning.h"

namespace windlass {
namespace {

Result<std::vector<ContainerSummary>> containers_of(const StackId& stack, Engine& engine, const Deadline& deadline) {
  return engine.containers({fmt::format("{}={}", kManagerLabel, kManager), project_filter(stack.name)}, deadline);
}

Result<bool> nothing_runs(const StackId& stack, Engine& engine, const Deadline& deadline) {
  const auto containers = containers_of(stack, engine, deadline);
  if (!containers) return tl::unexpected(containers.error());
  return std::ranges::none_of(*containers, [](const auto& container) { return container.state == "running"; });
}

// Those of a deployment went because newer ones came, or because fewer are wanted.
Result<bool> is_missed(const Occurrence& occurrence, Engine& engine, ReleaseStore& releases, const Deadline& deadline) {
  const auto containers = containers_of(occurrence.stack, engine, deadline);
  if (!containers) return tl::unexpected(containers.error());
  const auto services = by_service(*containers);
  const auto of_service = services.find(occurrence.service);
  const auto there =
      of_service == services.end() ? 0 : std::ranges::count_if(of_service->second, [](const auto& container) {
        return container.state != "removing" && container.state != "dead";
      });
  const auto model = releases.last_model(occurrence.stack);
  if (!model) return tl::unexpected(model.error());
  if (!*model) return there == 0 && !occurrence.has_finished;
  const auto shapes = service_shapes(**model);
  const auto shape = std::ranges::find(shapes, occurrence.service, &ServiceShape::name);
  if (shape == shapes.end() || (occurrence.has_finished && !shape->must_run())) return false;
  return there < shape->replicas;
}

// Both are the engine's time.
bool was_started_after(const ContainerDetail& container, std::int64_t time_ns) {
  const auto started = parse_rfc3339(container.started_at);
  return started && to_unix_us(*started) > time_ns / 1000;
}

}  // namespace

bool need_not_run(const ContainerDetail& container) {
  return container.restart_policy != "always" && container.restart_policy != "unless-stopped";
}

Result<bool> is_still_so(const Occurrence& occurrence, Engine& engine, ReleaseStore& releases,
                         const Deadline& deadline) {
  if (occurrence.service.empty()) return nothing_runs(occurrence.stack, engine, deadline);
  const bool concerns_what_is_there = occurrence.event == "unhealthy" || occurrence.event == "update";
  const auto container = engine.inspect(occurrence.container_id, deadline);
  if (!container && container.error().kind != Kind::not_found) return tl::unexpected(container.error());
  if (!container || container->state == "removing" || container->state == "dead")
    return concerns_what_is_there ? Result<bool>(false) : is_missed(occurrence, engine, releases, deadline);
  if (occurrence.event == "update") return true;
  if (container->state == "paused") return fail(Kind::conflict, "the container is paused");
  const bool runs = container->state == "running";
  if (occurrence.event == "unhealthy") return runs && container->health == Health::unhealthy;
  if (occurrence.event == "oom") return !runs || !was_started_after(*container, occurrence.time_ns);
  return !runs && !(occurrence.event == "die" && occurrence.has_finished && need_not_run(*container));
}

}  // namespace windlass
