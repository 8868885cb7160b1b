#include "deploy/stack_deployment.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <set>
#include <thread>

#include "base/crash_point.h"
#include "deploy/labels.h"
#include "deploy/model_paths.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kDownTimeout = 10min;

// deploy/S19: tells every 5 s what a long deployment is busy with.
class Heartbeat {
 public:
  Heartbeat(const Log& log, std::string phase)
      : phase_(std::move(phase)), thread_([this, log](std::stop_token stop) {
          std::unique_lock lock(mutex_);
          while (!wake_.wait_for(lock, stop, 5s, [&] { return stop.stop_requested(); }))
            if (!stop.stop_requested()) log.info("deployment in progress", {{"phase", phase_}});
        }) {}
  ~Heartbeat() { thread_.request_stop(); }

  void phase(std::string name) {
    const std::lock_guard lock(mutex_);
    phase_ = std::move(name);
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::string phase_;
  std::jthread thread_;  // last: it uses all of the above
};

std::optional<AutoDiscovery> discovery_of(const DeployConfig& config) {
  return config.is_discovered ? std::optional(config.auto_discovery) : std::nullopt;
}

bool has_latest_tag(std::string_view image) {
  if (image.find('@') != image.npos) return false;
  const auto slash = image.rfind('/');
  const auto name = slash == image.npos ? image : image.substr(slash + 1);
  const auto colon = name.find(':');
  return colon == name.npos || name.substr(colon + 1) == "latest";
}

// The plan's action for a service; nothing for one that it does not know.
const ServicePlan* planned(const StackPlan& plan, std::string_view service) {
  for (const auto& entry : plan.services)
    if (entry.service == service) return &entry;
  return nullptr;
}

bool makes_new_containers(const ServicePlan* entry) {
  return entry == nullptr || entry->action == ServiceAction::create || entry->action == ServiceAction::recreate;
}

// Is there anything to do for compose?
bool needs_driver(const StackPlan& plan) {
  return !plan.reasons.empty() || std::any_of(plan.services.begin(), plan.services.end(), [](const auto& service) {
    return service.action != ServiceAction::keep && service.action != ServiceAction::adopt &&
           service.action != ServiceAction::signal;
  });
}

// Does the release say from now on what the service's containers are made from?
bool is_on_record_of_release(const ServicePlan* entry) {
  return makes_new_containers(entry) || entry->action == ServiceAction::adopt;
}

// L21: a service that changes gets the new labels, which alone makes compose recreate it; an unchanged one gets exactly
// what its containers carry, so that compose leaves them alone. L23: the labels of doco-cd are no part of its models.
void put_labels(json::object& model, const PreparedStack& stack, const Labels& fresh) {
  auto* services = model.contains("services") ? model["services"].if_object() : nullptr;
  if (services == nullptr) return;
  for (auto& member : *services) {
    auto* service = member.value().if_object();
    if (service == nullptr) continue;
    auto& labels = (*service)["labels"];
    if (!labels.is_object()) labels = json::object();
    const std::string name(member.key());
    const auto found = stack.containers.find(name);
    if (makes_new_containers(planned(stack.plan, name)) || found == stack.containers.end()) {
      for (const auto& [key, value] : fresh) labels.get_object()[key] = value;
    } else if (!is_made_by_doco_cd(found->second.front())) {
      for (const auto& [key, value] : found->second.front().labels)
        if (is_own_label(key)) labels.get_object()[key] = value;
    }
  }
}

}  // namespace

std::chrono::seconds start_timeout(const DeployConfig& config) {
  return std::chrono::seconds(config.timeout_seconds > 0 ? config.timeout_seconds : 30);
}

StackDeployment::StackDeployment(Options options, Driver& driver, Engine& engine, StackPreparer& preparer,
                                 ReleaseStore& releases, const Clock& clock)
    : options_(options), driver_(driver), engine_(engine), preparer_(preparer), releases_(releases), clock_(clock) {}

Status StackDeployment::restore_images(PreparedStack& stack, const std::map<std::string, std::string>& images,
                                       const Deadline& deadline) {
  const auto* services = object_of(stack.model, "services");
  for (const auto& [service, id] : images) {
    const auto* definition = services != nullptr ? object_of(*services, service) : nullptr;
    if (definition == nullptr) continue;
    const auto name = image_of(stack.config.name, service, *definition);
    const auto now = engine_.image_id(name, deadline);
    if (!now || *now != id) {
      const auto there = engine_.image_id(id, deadline);
      if (!there && there.error().kind == Kind::not_found) continue;
      if (!there) return tl::unexpected(there.error());
      if (name.find('@') != name.npos) continue;  // a digest names one image only
      if (auto tagged = engine_.tag_image(id, name, deadline); !tagged) return tagged;
    }
    stack.has_image.insert(service);
  }
  return {};
}

// deploy/C6: without a policy always, `missing` when the engine lacks the image or the tag is latest, `never` and
// `build` not; what is not named here is not pulled, which saves a child process.
Status StackDeployment::get_images(PreparedStack& stack, const Log& log, const Deadline& deadline) {
  note_images_in_use(stack);
  std::vector<std::string> pulled, built;
  const auto* services = object_of(stack.model, "services");
  for (const auto& shape : stack.services) {
    const auto* service = object_of(*services, shape.name);
    const auto image = text_of(*service, "image");
    if (stack.has_image.contains(shape.name)) continue;
    const auto policy = stack.config.force_image_pull ? std::string_view("always") : text_of(*service, "pull_policy");
    if (object_of(*service, "build") != nullptr) {
      const auto id = engine_.image_id(image_of(stack.config.name, shape.name, *service), deadline);
      if (makes_new_containers(planned(stack.plan, shape.name)) || !id) built.push_back(shape.name);
      continue;
    }
    if (image.empty() || policy == "never" || policy == "build") continue;
    if ((policy == "missing" || policy == "if_not_present") && !has_latest_tag(image) &&
        engine_.image_id(std::string(image), deadline))
      continue;
    pulled.push_back(shape.name);
  }
  Heartbeat heartbeat(log, "pulling images");
  if (!pulled.empty()) {
    const ResolvedStack resolved{stack.config.name, stack.model, stack.environment};
    if (auto done = driver_.pull(resolved, pulled, deadline.within(options_.pull_timeout)); !done) return done;
  }
  if (!built.empty()) {
    heartbeat.phase("building images");
    if (auto done = build(stack, built, deadline.within(options_.build_timeout)); !done) return done;
  }
  if (pulled.empty() && built.empty() && stack.has_image.empty()) return {};
  return preparer_.plan_moved_images(stack, deadline);
}

void StackDeployment::note_images_in_use(const PreparedStack& stack) {
  std::set<std::string> names;
  const auto* services = object_of(stack.model, "services");
  for (const auto& shape : stack.services)
    if (const auto* service = services == nullptr ? nullptr : object_of(*services, shape.name))
      names.insert(image_of(stack.config.name, shape.name, *service));
  const std::lock_guard lock(mutex_);
  images_in_use_[stack.config.name] = std::move(names);
}

void StackDeployment::forget_images_in_use(const std::string& stack) {
  const std::lock_guard lock(mutex_);
  images_in_use_.erase(stack);
}

std::set<std::string> StackDeployment::images_in_use(const Deadline& deadline) {
  std::set<std::string> names, ids;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [stack, images] : images_in_use_) names.insert(images.begin(), images.end());
  }
  for (const auto& name : names)
    if (auto id = engine_.image_id(name, deadline)) ids.insert(*std::move(id));
  return ids;
}

// From the unpacked release: the live directory, to which the model's paths lead, is still as it was.
Status StackDeployment::build(const PreparedStack& stack, const std::vector<std::string>& services,
                              const Deadline& deadline) {
  json::value model = stack.model;
  move_paths(model, stack.live_root, stack.staged_root);
  const auto& rule = stack.config.build;
  return driver_.build({stack.config.name, std::move(model.get_object()), stack.environment}, services,
                       {.pull = rule.force_image_pull, .no_cache = rule.no_cache, .quiet = rule.quiet}, deadline);
}

Status StackDeployment::take_down(PreparedStack& stack, const Removal& removal, const Log& log,
                                  const Deadline& deadline) {
  Heartbeat heartbeat(log, "removing stack");
  std::map<std::string, std::string> images;  // name -> id
  for (const auto& [service, containers] : stack.containers) {
    log.info("service changes", {{"service", service}, {"action", "remove"}, {"reason", "the stack is taken down"}});
    for (const auto& container : containers) images[container.image] = container.image_id;
  }
  const DownOptions options{.remove_orphans = stack.config.remove_orphans, .remove_volumes = removal.volumes};
  if (auto down = driver_.down(stack.config.name, options, deadline.within(kDownTimeout)); !down) return down;
  if (auto closed = releases_.close(stack.config.name); !closed) return closed;
  forget_images_in_use(stack.config.name);
  if (removal.images) remove_images(images, log, deadline);  // last: its own releases do not need them any more
  return {};
}

// deploy/I1: none that any container uses, or that a release of another stack may need. The engine keeps what is in use
// by itself as well.
void StackDeployment::remove_images(const std::map<std::string, std::string>& images, const Log& log,
                                    const Deadline& deadline) {
  const auto containers = engine_.containers({}, deadline);
  const auto needed = releases_.kept_images();
  const auto in_use = images_in_use(deadline);
  if (!containers || !needed) return log.warning("images were not removed: it is not known what uses them");
  for (const auto& [name, id] : images) {
    const bool is_used = std::any_of(containers->begin(), containers->end(),
                                     [&](const ContainerSummary& container) { return container.image_id == id; });
    if (is_used || needed->contains(id) || in_use.contains(id)) continue;
    if (auto removed = engine_.remove_image(name, deadline); !removed && removed.error().kind != Kind::conflict)
      log.warning("image was not removed", {{"image", name}, {"error", removed.error().message}});
  }
}

Release StackDeployment::new_release(const ReleaseOrigin& origin, const PreparedStack& stack) const {
  Release release{.id = new_uuid_v7(),
                  .stack = stack.config.name,
                  .request = origin.job.request,
                  .digest = origin.digest.str(),
                  .config_hash = stack.config_hash,
                  .trust_hash = origin.trust_hash,
                  .plan = stack.plan.str(),
                  .keep = stack.rollback.keep,
                  .job_id = origin.job.id,
                  .started_at = clock_.now()};
  for (const auto& service : stack.plan.services)
    if (service.action != ServiceAction::keep)
      release.reasons.push_back(fmt::format("{}: {}", service.service, fmt::join(service.reasons, ", ")));
  return release;
}

Status StackDeployment::bring_up(const ReleaseOrigin& origin, PreparedStack& stack, const Log& log,
                                 const Deadline& deadline) {
  auto release = new_release(origin, stack);
  for (const auto& service : stack.plan.services)
    if (service.action != ServiceAction::keep)
      log.info("service changes", {{"service", service.service},
                                   {"action", to_string(service.action)},
                                   {"reason", fmt::format("{}", fmt::join(service.reasons, ", "))}});

  std::map<std::string, ServiceInputs> made;
  for (const auto& [service, inputs] : stack.wanted)
    if (is_on_record_of_release(planned(stack.plan, service))) made[service] = inputs;
  if (auto begun = releases_.begin(release, made, discovery_of(stack.config)); !begun) return begun;
  if (auto adopted = keep_inputs_of_adopted(stack); !adopted) return adopted;

  json::object model = stack.model;
  put_labels(model, stack,
             release_labels({.job = origin.job,
                             .config = stack.config,
                             .release_id = release.id,
                             .digest = release.digest,
                             .compose_hash = stack.compose_hash,
                             .config_hash = stack.config_hash,
                             .working_dir = stack.working_dir,
                             .now = release.started_at}));
  const auto done = up_and_watch(stack, std::move(model), log, deadline);
  crash_point("release.before_record");
  auto recorded = record(release, stack, done, deadline);
  // A full disk, or an engine that restarts: the containers are there already, so the job waits with its word.
  while (!recorded && recorded.error().kind == Kind::unavailable && pause(options_.record_again, deadline))
    recorded = record(release, stack, done, deadline);
  forget_images_in_use(stack.config.name);
  crash_point("release.after_record");
  if (!done) return done;
  if (!recorded) return while_doing("recording the release", recorded.error());
  if (stack.config.prune_images) prune_images(stack, log, deadline);
  return {};
}

// deploy/I1: what only old releases of this stack were made from. A good deployment stays good when that fails.
void StackDeployment::prune_images(const PreparedStack& stack, const Log& log, const Deadline& deadline) {
  const auto old = releases_.images_of(stack.config.name);
  const auto needed = releases_.kept_images();
  if (!old || !needed)
    return log.warning("unused images are not known", {{"error", (old ? needed : old).error().message}});
  std::set<std::string> gone;
  std::set_difference(old->begin(), old->end(), needed->begin(), needed->end(), std::inserter(gone, gone.end()));
  if (gone.empty()) return;
  const auto containers = engine_.containers({}, deadline);
  if (!containers) return log.warning("images were not pruned", {{"error", containers.error().message}});
  for (const auto& container : *containers) gone.erase(container.image_id);
  for (const auto& id : images_in_use(deadline)) gone.erase(id);
  for (auto id = gone.begin(); id != gone.end();) {
    const auto removed = engine_.remove_image(*id, deadline);
    if (removed) log.info("unused image removed", {{"image", *id}});
    const bool is_there = !removed && removed.error().kind != Kind::not_found;
    if (is_there && removed.error().kind != Kind::conflict)  // which is: it has names that we do not know of
      log.warning("image was not pruned", {{"image", *id}, {"error", removed.error().message}});
    id = is_there ? gone.erase(id) : std::next(id);
  }
  if (auto forgotten = releases_.forget_images(stack.config.name, gone); !forgotten)
    log.warning("pruned images are still on record", {{"error", forgotten.error().message}});
}

Status StackDeployment::up_and_watch(PreparedStack& stack, json::object model, const Log& log,
                                     const Deadline& deadline) {
  const auto timeout = start_timeout(stack.config);
  Heartbeat heartbeat(log, "creating services");
  auto watch = HealthWatch::open(engine_, stack.config.name, deadline);  // first, so that no event is missed
  if (!watch) return tl::unexpected(watch.error());
  if (auto sent = send_signals(stack, log, deadline); !sent) return sent;
  if (needs_driver(stack.plan)) {
    crash_point("driver.before_up");
    const auto until = deadline.within(timeout);
    auto up = driver_.up({stack.config.name, std::move(model), stack.environment},
                         {.remove_orphans = stack.config.remove_orphans, .project_dir = stack.working_dir}, until);
    crash_point("driver.after_up");
    if (!up) return tl::unexpected(why_not_up(**watch, stack, up.error(), until, deadline));
  }
  heartbeat.phase("waiting for services to start");
  crash_point("watch.waiting");
  auto well = (*watch)->wait(stack.services, timeout, deadline);
  if (well && stack.rollback.enabled()) {
    heartbeat.phase("waiting for services to prove stable");
    well = (*watch)->hold(stack.rollback.stable_for, deadline);
  }
  if (!well && well.error().kind != Kind::unavailable) stack.failure = (*watch)->failure();
  return well;
}

// By the release that their labels name; doco-cd's name none and count as made by the one that adopts them.
Status StackDeployment::keep_inputs_of_adopted(const PreparedStack& stack) {
  for (const auto& service : stack.plan.services) {
    if (service.action != ServiceAction::adopt) continue;
    for (const auto& container : stack.containers.at(service.service)) {
      const auto release_id = container.label(std::string(kReleaseLabel));
      if (release_id.empty()) continue;
      if (auto kept = releases_.set_inputs(release_id, service.service, stack.wanted.at(service.service)); !kept)
        return kept;
    }
  }
  return {};
}

// deploy/N16. Remembered once all containers of the service have it: a process that is killed in between sends it
// again.
Status StackDeployment::send_signals(const PreparedStack& stack, const Log& log, const Deadline& deadline) {
  for (const auto& service : stack.plan.services) {
    if (service.action != ServiceAction::signal) continue;
    const auto& name = stack.ignores.at(service.service).signal();
    std::set<std::string> release_ids;
    for (const auto& container : stack.containers.at(service.service)) {
      auto sent = engine_.signal(container.id, name, deadline);
      if (!sent && sent.error().kind != Kind::conflict && sent.error().kind != Kind::not_found)
        return while_doing(fmt::format("sending {} to service {}", name, service.service), sent.error());
      if (!sent) log.warning("signal was not sent", {{"service", service.service}, {"error", sent.error().message}});
      release_ids.insert(release_of_container(container, service.service, stack.record.release_of));
    }
    for (const auto& id : release_ids)
      if (auto told = releases_.set_inputs(id, service.service, stack.wanted.at(service.service)); !told) return told;
  }
  return {};
}

// Often one service waits for another that failed: that one is the news. A tool that found no end although the engine
// answers has waited for a service in vain; that does not pass by itself.
Error StackDeployment::why_not_up(HealthWatch& watch, PreparedStack& stack, Error cause, const Deadline& until,
                                  const Deadline& deadline) {
  const auto failure = watch.failure_now(stack.services, deadline);
  const bool has_waited_in_vain = cause.kind == Kind::unavailable && until.passed() && !deadline.passed();
  if (has_waited_in_vain && engine_.ping()) cause.kind = Kind::invalid;
  if (cause.kind != Kind::unavailable)
    stack.failure = failure.empty() && has_waited_in_vain ? StartFailure::timeout : watch.failure();
  return failure.empty() ? cause : Error{cause.kind, fmt::format("{}: {}", failure, cause.message)};
}

// Which release made the containers that are there now is read from the engine: also right when only some services got
// new ones.
Status StackDeployment::record(Release& release, const PreparedStack& stack, const Status& done,
                               const Deadline& deadline) {
  release.state = done ? ReleaseState::succeeded : ReleaseState::failed;
  release.message = done ? std::string() : done.error().message;
  release.finished_at = clock_.now();
  auto release_of = stack.record.release_of;
  const auto containers = engine_.containers({"com.docker.compose.project=" + stack.config.name}, deadline);
  // A good release without its images could neither come back nor be kept from pruning: as if we had been killed here.
  if (done && !containers) return tl::unexpected(containers.error());
  if (containers)
    for (const auto& [service, list] : by_service(*containers)) {
      const auto* entry = planned(stack.plan, service);
      if (entry != nullptr && entry->action == ServiceAction::adopt) release_of[service] = release.id;
      release_of[service] = release_of_container(list.front(), service, release_of);
      release.images[service] = list.front().image_id;
    }
  return releases_.finish(release, release_of, done ? std::optional(preparer_.redacted_model(stack)) : std::nullopt);
}

}  // namespace windlass
