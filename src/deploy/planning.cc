#include "deploy/planning.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "deploy/labels.h"
#include "deploy/service_inputs.h"

namespace windlass {
namespace {

const std::string kReleaseKey(kReleaseLabel);

int running_count(const std::vector<ContainerSummary>& containers) {
  return static_cast<int>(std::count_if(containers.begin(), containers.end(), [](const ContainerSummary& container) {
    return container.state == "running";
  }));
}

// Why the containers of a service have to be made anew, and what has changed besides that they may be left with.
struct Changes {
  std::vector<std::string> counted, ignored;
  bool is_unknown = false;  // what containers were made from, but not the digest
};

Changes changes_of(const PlanQuestion& question, const std::string& service,
                   const std::vector<ContainerSummary>& containers) {
  if (question.force_recreate) return {.counted = {"force_recreate is set"}};
  Changes changes;
  for (const auto& container : containers) {
    const auto inputs = question.made_from(release_of_container(container, service, question.release_of), service);
    if (!inputs && question.is_at_digest && is_managed(container)) {
      changes.is_unknown = true;
      continue;
    }
    if (!inputs)
      return {.counted = {fmt::format("container {} was not made by a release of windlass", container.name)}};
    const auto wanted = question.wanted.find(service);
    if (wanted == question.wanted.end()) continue;
    const auto is_ignored = [&](std::string_view part) { return question.ignores_change(service, part); };
    changes.counted = differences(*inputs, wanted->second, std::not_fn(is_ignored));
    if (!changes.counted.empty()) return changes;
    if (changes.ignored.empty()) changes.ignored = differences(*inputs, wanted->second, is_ignored);
  }
  return changes;
}

// The service stays as it is; what was ignored may be worth a signal.
ServicePlan keep_or_signal(const PlanQuestion& question, const std::string& service, Changes changes) {
  const auto ignore = question.ignores.find(service);
  const bool has_signal = ignore != question.ignores.end() && !ignore->second.signal().empty();
  if (!changes.ignored.empty() && has_signal) return {service, ServiceAction::signal, std::move(changes.ignored)};
  for (auto& change : changes.ignored) change += ", ignored";
  return {service, ServiceAction::keep, std::move(changes.ignored)};
}

// There is nothing to be looked at: it is as it was told to be.
ServicePlan plan_provided_service(const PlanQuestion& question, const ServiceShape& shape) {
  if (question.force_recreate) return {shape.name, ServiceAction::create, {"force_recreate is set"}};
  if (question.was_deployed_as_wanted(shape.name)) return {shape.name, ServiceAction::keep, {}};
  return {shape.name, ServiceAction::create, {"its provider was not told yet"}};
}

ServicePlan plan_service(const PlanQuestion& question, const ServiceShape& shape) {
  if (shape.is_provided) return plan_provided_service(question, shape);
  const auto found = question.containers.find(shape.name);
  const bool absent = found == question.containers.end() || found->second.empty();
  if (shape.replicas == 0) {
    if (absent) return {shape.name, ServiceAction::keep, {}};
    return {shape.name, ServiceAction::remove, {"scaled to 0"}};
  }
  const bool must_be_new = shape.name == question.recreate;
  if (absent) {
    // A finished container that somebody removed is no reason to run it again (N17).
    if (!shape.must_run() && !must_be_new && question.was_deployed_as_wanted(shape.name))
      return {shape.name, ServiceAction::keep, {}};
    return {shape.name, ServiceAction::create, {"service not deployed"}};
  }
  const int running = running_count(found->second);
  const bool others_run = running > 0 && running < shape.replicas;  // they are no worse for it
  if (must_be_new && !others_run) return {shape.name, ServiceAction::recreate, {"its container changed"}};
  auto changes = changes_of(question, shape.name, found->second);
  if (!changes.counted.empty()) return {shape.name, ServiceAction::recreate, std::move(changes.counted)};
  if ((shape.must_run() || must_be_new) && running != shape.replicas)
    return {shape.name,
            ServiceAction::start,
            {fmt::format("replicas mismatch: {} running, {} wanted", running, shape.replicas)}};
  if (!shape.must_run() && static_cast<int>(found->second.size()) != shape.replicas)
    return {shape.name,
            ServiceAction::start,
            {fmt::format("replicas mismatch: {} there, {} wanted", found->second.size(), shape.replicas)}};
  if (changes.is_unknown) return {shape.name, ServiceAction::adopt, {"made from the same digest"}};
  return keep_or_signal(question, shape.name, std::move(changes));
}

// The services that others wait for until they have ended well.
std::set<std::string> services_that_must_end(const json::object& services) {
  std::set<std::string> names;
  for (const auto& member : services) {
    const auto* service = member.value().if_object();
    const auto* needs = service == nullptr ? nullptr : object_of(*service, "depends_on");
    if (needs == nullptr) continue;
    for (const auto& need : *needs)
      if (const auto* rule = need.value().if_object();
          rule != nullptr && text_of(*rule, "condition") == "service_completed_successfully")
        names.insert(std::string(need.key()));
  }
  return names;
}

}  // namespace

bool PlanQuestion::was_deployed_as_wanted(const std::string& service) const {
  const auto release = release_of.find(service);
  const auto inputs = wanted.find(service);
  if (release == release_of.end() || inputs == wanted.end()) return false;
  const auto before = made_from(release->second, service);
  return before && differences(*before, inputs->second, [&](std::string_view part) {
                     return !ignores_change(service, part);
                   }).empty();
}

bool PlanQuestion::ignores_change(const std::string& service, std::string_view part) const {
  const auto ignore = ignores.find(service);
  return ignore != ignores.end() && ignore->second.covers(part);
}

std::vector<ServiceShape> service_shapes(const json::object& model) {
  std::vector<ServiceShape> shapes;
  const auto* services = object_of(model, "services");
  if (services == nullptr) return shapes;
  const auto must_end = services_that_must_end(*services);
  for (const auto& member : *services) {
    const auto* service = member.value().if_object();
    if (service == nullptr) continue;
    ServiceShape shape{.name = std::string(member.key()), .restart = std::string(text_of(*service, "restart"))};
    shape.replicas = number_of(*service, "scale", 1);
    if (const auto* deploy = object_of(*service, "deploy"))
      shape.replicas = number_of(*deploy, "replicas", shape.replicas);
    shape.is_provided = service->contains("provider");
    shape.must_end = must_end.contains(shape.name);
    shapes.push_back(std::move(shape));
  }
  std::sort(shapes.begin(), shapes.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return shapes;
}

std::string image_of(const std::string& stack, const std::string& service, const json::object& definition) {
  auto image = std::string(text_of(definition, "image"));
  return image.empty() ? fmt::format("{}-{}", stack, service) : image;
}

ContainersByService by_service(const std::vector<ContainerSummary>& containers) {
  ContainersByService result;
  for (const auto& container : containers) {
    if (container.label(kOneOffLabel) == "True") continue;
    if (container.label(kEphemeralLabel) == "true") continue;
    result[container.label(kServiceLabel)].push_back(container);
  }
  return result;
}

StackPlan make_plan(const PlanQuestion& question) {
  StackPlan plan{.stack = question.stack};
  for (const auto& shape : question.services) plan.services.push_back(plan_service(question, shape));
  for (const auto& [service, containers] : question.containers) {
    const auto in_model = std::any_of(question.services.begin(), question.services.end(),
                                      [&, &name = service](const ServiceShape& shape) { return shape.name == name; });
    if (in_model) continue;
    if (question.remove_orphans)
      plan.services.push_back({service, ServiceAction::remove, {"service is unnecessary"}});
    else
      plan.services.push_back({service, ServiceAction::keep, {"service is unnecessary, remove_orphans is false"}});
  }
  if (question.last_release_failed) plan.reasons.push_back("the last release of the stack failed");
  return plan;
}

std::string release_of_container(const ContainerSummary& container, const std::string& service,
                                 const std::map<std::string, std::string>& release_of) {
  if (auto release = container.label(kReleaseKey); !release.empty()) return release;
  const auto known = release_of.find(service);
  return known == release_of.end() || !is_made_by_doco_cd(container) ? "" : known->second;
}

std::optional<std::string> mismatch(const std::vector<ServiceShape>& services, const ContainersByService& containers,
                                    const std::map<std::string, std::string>& release_of, bool keeps_orphans) {
  for (const auto& shape : services) {
    const auto found = containers.find(shape.name);
    const auto count = found == containers.end() ? 0 : running_count(found->second);
    if (shape.must_run() && count != shape.replicas)
      return fmt::format("{}: {} running, {} wanted", shape.name, count, shape.replicas);
    if (found == containers.end()) continue;
    const auto release = release_of.find(shape.name);
    for (const auto& container : found->second)
      if (release == release_of.end() || release_of_container(container, shape.name, release_of) != release->second)
        return fmt::format("{}: container {} is not the one that was deployed", shape.name, container.name);
  }
  if (keeps_orphans) return std::nullopt;
  for (const auto& [service, list] : containers)
    if (std::none_of(services.begin(), services.end(),
                     [&, &name = service](const ServiceShape& shape) { return shape.name == name; }))
      return service + ": service is unnecessary";
  return std::nullopt;
}

}  // namespace windlass
