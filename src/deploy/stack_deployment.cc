#include "deploy/stack_deployment.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/crash_point.h"
#include "base/text.h"
#include "deploy/half_recreated.h"
#include "deploy/heartbeat.h"
#include "deploy/labels.h"
#include "deploy/volumes.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kDownTimeout = 10min;
constexpr int kUpTries = 3;

// Tells how a deployment ended, by an exception too.
class Ending {
 public:
  using Told = void (Observer::*)(const StackEvent&);
  Ending(Observer& observer, StackEvent& event, const Clock& clock)
      : observer_(observer), event_(event), clock_(clock), started_(clock.steady_now()) {}
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;
  ~Ending() {
    event_.elapsed = std::chrono::round<std::chrono::milliseconds>(clock_.steady_now() - started_);
    (observer_.*told_)(event_);
  }
  void is(Told told) { told_ = told; }

 private:
  Observer& observer_;
  StackEvent& event_;
  const Clock& clock_;
  SteadyTime started_;
  Told told_ = &Observer::deployment_failed;
};

// Is there anything to do for compose?
bool needs_driver(const StackPlan& plan) {
  return !plan.reasons.empty() || std::any_of(plan.services.begin(), plan.services.end(), [](const auto& service) {
    return service.action != ServiceAction::keep && service.action != ServiceAction::adopt &&
           service.action != ServiceAction::signal;
  });
}

// Without compose nobody makes a container of a service that is left without any: a finished one that somebody removed
// (N17).
std::vector<ServiceShape> awaited_services(const PreparedStack& stack) {
  auto services = stack.services;
  if (!needs_driver(stack.plan))
    std::erase_if(services, [&](const ServiceShape& service) { return !stack.containers.contains(service.name); });
  return services;
}

// L21: a service that changes gets the new labels, which alone makes compose recreate it; an unchanged one gets exactly
// what its containers carry, so that compose leaves them alone. L23: the labels of doco-cd are no part of its models.
void put_labels(json::object& model, const PreparedStack& stack, const Labels& fresh) {
  auto* services = model.contains("services") ? model["services"].if_object() : nullptr;
  if (services == nullptr) return;
  for (auto& member : *services) {
    auto* service = member.value().if_object();
    if (service == nullptr || service->contains("provider")) continue;
    auto& labels = (*service)["labels"];
    if (!labels.is_object()) labels = json::object();
    const std::string name(member.key());
    const auto found = stack.containers.find(name);
    if (stack.plan.makes_new_containers(name) || found == stack.containers.end()) {
      for (const auto& [key, value] : fresh) labels.get_object()[key] = value;
    } else if (!is_made_by_doco_cd(found->second.front())) {
      for (const auto& [key, value] : found->second.front().labels)
        if (is_own_label(key)) labels.get_object()[key] = value;
    }
  }
}

}  // namespace

StackRules rules_of(const DeployConfig& config) {
  return {.discovery = config.is_discovered ? std::optional(config.auto_discovery) : std::nullopt,
          .reconciliation = config.reconciliation};
}

std::chrono::seconds start_timeout(const DeployConfig& config) {
  return std::chrono::seconds(config.timeout_seconds > 0 ? config.timeout_seconds : 30);
}

StackDeployment::StackDeployment(Options options, Driver& driver, Engine& engine, StackPreparer& preparer,
                                 StackImages& images, ReleaseStore& releases, const Clock& clock)
    : options_(std::move(options)),
      driver_(driver),
      engine_(engine),
      preparer_(preparer),
      images_(images),
      releases_(releases),
      clock_(clock) {}

Status StackDeployment::told(const ReleaseOrigin& origin, const PreparedStack& stack, Told well,
                             const std::function<Status()>& step) {
  auto& observer = *options_.observer;
  StackEvent event{
      .job = origin.job, .stack = stack.config.id(), .revision = revision_to(origin.job.request, origin.digest)};
  for (const auto& service : stack.plan.services)
    if (service.action != ServiceAction::keep) event.changed_services.push_back(service.service);
  observer.deployment_started(event);
  Ending ending(observer, event, clock_);
  auto done = step();
  if (done) ending.is(well);
  return done;
}

Status StackDeployment::take_down(const ReleaseOrigin& origin, PreparedStack& stack, const Removal& removal,
                                  const Log& log, const Deadline& deadline) {
  return told(origin, stack, &Observer::stack_removed, [&] { return remove(origin, stack, removal, log, deadline); });
}

Status StackDeployment::bring_up(const ReleaseOrigin& origin, PreparedStack& stack, Slots::Held place, const Log& log,
                                 const Deadline& deadline) {
  return told(origin, stack, &Observer::stack_deployed,
              [&] { return start(origin, stack, std::move(place), log, deadline); });
}

Status StackDeployment::remove(const ReleaseOrigin& origin, PreparedStack& stack, const Removal& removal,
                               const Log& log, const Deadline& deadline) {
  auto release = new_release(origin, stack);
  Heartbeat heartbeat(log, "removing stack", stack.tell_phase);
  std::map<std::string, std::string> images;  // name -> id
  for (const auto& [service, containers] : stack.containers) {
    log.info("service changes", {{"service", service}, {"action", "remove"}, {"reason", "the stack is taken down"}});
    for (const auto& container : containers) images[container.image] = container.image_id;
  }
  if (removal.volumes) {
    const auto volumes = engine_.volumes({project_filter(stack.config.name)}, deadline);
    if (!volumes)
      log.warning("volumes that are removed are not known", {{"error", volumes.error().message}});
    else
      for (const auto& volume : *volumes) {
        log.warning("volume is removed with its data", {{"volume", volume.name}});
        release.reasons.push_back(fmt::format("volume {} is removed with its data", volume.name));
      }
  }
  const DownOptions options{.remove_orphans = stack.config.remove_orphans, .remove_volumes = removal.volumes};
  // Before that: without containers nobody would know any more that it was taken over.
  if (auto passed = pass_on_adopted(origin, stack, log); !passed) return passed;
  if (auto down = driver_.down(stack.config.name, options, deadline.within(kDownTimeout)); !down) return down;
  release.state = ReleaseState::removed;
  release.finished_at = clock_.now();
  if (auto closed = releases_.close(release); !closed) return closed;
  if (removal.images) images_.remove(images, log, deadline);  // last: its own releases do not need them any more
  return {};
}

Release StackDeployment::new_release(const ReleaseOrigin& origin, const PreparedStack& stack) const {
  Release release{.id = new_uuid_v7(),
                  .stack = stack.config.id(),
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

Status StackDeployment::start(const ReleaseOrigin& origin, PreparedStack& stack, Slots::Held place, const Log& log,
                              const Deadline& deadline) {
  auto release = new_release(origin, stack);
  for (const auto& service : stack.plan.services)
    if (service.action != ServiceAction::keep)
      log.info("service changes", {{"service", service.service},
                                   {"action", to_string(service.action)},
                                   {"reason", join(service.reasons, ", ")}});

  std::map<std::string, ServiceInputs> made;
  for (const auto& [service, inputs] : stack.wanted)
    if (stack.plan.makes_new_containers(service) || stack.plan.action_of(service) == ServiceAction::adopt)
      made[service] = inputs;
  if (auto begun = releases_.begin(release, made, rules_of(stack.config)); !begun) return begun;
  if (auto passed = pass_on_adopted(origin, stack, log); !passed) return passed;
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
                             .instance = options_.instance,
                             .now = release.started_at}));
  auto done = up_and_watch(stack, std::move(model), std::move(place), log, deadline);
  if (!done) done = fail(done.error().kind, log.masked(done.error().message));  // the engine's words too
  crash_point("release.before_record");
  auto recorded = record_when_possible(release, stack, done, log, deadline);
  crash_point("release.after_record");
  if (!done) return done;
  if (!recorded) return while_doing("recording the release", recorded.error());
  if (stack.config.prune_images) images_.prune(stack.config.id(), log, deadline);
  return {};
}

// What the tool of a killed process had asked for, the engine may make only now, with the name that our tool wants.
Status StackDeployment::up(const PreparedStack& stack, json::object model, const Log& log, const Deadline& deadline) {
  ResolvedStack resolved{stack.config.name, std::move(model), stack.environment, stack.secrets()};
  put_contents(stack.contents, resolved);
  const UpOptions options{.remove_orphans = stack.config.remove_orphans,
                          .project_dir = stack.working_dir,
                          .own_service = stack.own_service,
                          .own_order = stack.own_order};
  auto done = driver_.up(resolved, options, deadline);
  for (int tries = 1; !done && done.error().kind == Kind::conflict && tries < kUpTries; ++tries) {
    auto containers = engine_.containers({project_filter(stack.config.name)}, deadline);
    const auto settled = containers ? settle_half_recreated(engine_, *containers, deadline) : 0;
    if (!settled || *settled == 0) break;
    log.warning("a half recreated container was in the way", {{"error", done.error().message}});
    done = driver_.up(resolved, options, deadline);
  }
  return done;
}

Status StackDeployment::up_and_watch(PreparedStack& stack, json::object model, Slots::Held place, const Log& log,
                                     const Deadline& deadline) {
  const auto timeout = start_timeout(stack.config);
  Heartbeat heartbeat(log, "signaling services", stack.tell_phase);
  auto watch = HealthWatch::open(engine_, stack.config.name, log, deadline);  // first, so that no event is missed
  if (!watch) return tl::unexpected(watch.error());
  if (auto sent = send_signals(stack, log, deadline); !sent) return sent;
  if (needs_driver(stack.plan)) {
    heartbeat.phase("preparing deployment resources");
    if (auto renewed = renew_volumes(engine_, stack.model, stack.config.name, log, deadline); !renewed) {
      if (renewed.error().kind != Kind::unavailable) stack.failure = StartFailure::failed;
      return renewed;
    }
    heartbeat.phase("creating services");
    crash_point("driver.before_up");
    const auto until = deadline.within(timeout);
    auto done = up(stack, std::move(model), log, until);
    crash_point("driver.after_up");
    if (!done) return tl::unexpected(why_not_up(**watch, stack, done.error(), until, deadline));
  }
  place = {};  // whoever waits for one need not wait for the health of this stack
  heartbeat.phase("waiting for services to start");
  crash_point("watch.waiting");
  auto well = (*watch)->wait(awaited_services(stack), timeout, deadline);
  if (well && stack.rollback.enabled()) {
    heartbeat.phase("waiting for services to prove stable");
    well = (*watch)->hold(stack.rollback.stable_for, deadline);
  }
  if (!well && well.error().kind != Kind::unavailable) stack.failure = (*watch)->failure();
  return well;
}

// What runs is one stack's from here on: two would be watched, and brought back, one over the other.
Status StackDeployment::pass_on_adopted(const ReleaseOrigin& origin, const PreparedStack& stack, const Log& log) {
  for (const auto& other : stack.taken_over) {
    auto release = new_release(origin, stack);
    release.stack = other;
    release.plan = fmt::format("taken over as {}", stack.config.id().str());
    release.state = ReleaseState::removed;
    release.finished_at = release.started_at;
    if (auto passed = releases_.pass_on(release, stack.config.id()); !passed) return passed;
    log.info("stack is taken over", {{"from", other.str()}});
  }
  return {};
}

// By the release that their labels name; doco-cd's name none and count as made by the one that adopts them.
Status StackDeployment::keep_inputs_of_adopted(const PreparedStack& stack) {
  for (const auto& service : stack.plan.services) {
    if (service.action != ServiceAction::adopt) continue;
    for (const auto& container : stack.containers.at(service.service)) {
      const auto release_id = container.label(kReleaseLabel);
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
  if (!failure.empty()) return {cause.kind, fmt::format("{}: {}", failure, cause.message)};
  const auto late = has_waited_in_vain ? watch.timed_out(start_timeout(stack.config)) : std::string();
  return late.empty() ? cause : Error{cause.kind, fmt::format("{} ({})", late, cause.message)};
}

// A full disk, or an engine that restarts: the good containers are there already, so the job waits with its word.
Status StackDeployment::record_when_possible(Release& release, const PreparedStack& stack, const Status& done,
                                             const Log& log, const Deadline& deadline) {
  auto recorded = record(release, stack, done, deadline);
  auto wait = options_.record_again;
  while (done && !recorded && recorded.error().kind == Kind::unavailable) {
    if (wait == options_.record_again)
      log.warning("release cannot be recorded yet", {{"error", recorded.error().message}});
    if (!pause(wait, deadline)) break;
    wait = std::min(2 * wait, 10 * options_.record_again);
    recorded = record(release, stack, done, deadline);
  }
  return recorded;
}

// Which release made the containers that are there now is read from the engine: also right when only some services got
// new ones.
Status StackDeployment::record(Release& release, const PreparedStack& stack, const Status& done,
                               const Deadline& deadline) {
  release.state = done ? ReleaseState::succeeded : ReleaseState::failed;
  release.message = done ? std::string() : done.error().message;
  release.finished_at = clock_.now();
  auto release_of = stack.record.release_of;
  const auto containers = engine_.containers({project_filter(stack.config.name)}, deadline);
  // A good release without its images could neither come back nor be kept from pruning: as if we had been killed here.
  if (done && !containers) return tl::unexpected(containers.error());
  for (const auto& service : stack.services)
    if (done && service.is_provided && stack.plan.makes_new_containers(service.name))
      release_of[service.name] = release.id;
  if (containers)
    for (const auto& [service, list] : by_service(*containers)) {
      if (stack.plan.action_of(service) == ServiceAction::adopt) release_of[service] = release.id;
      release_of[service] = release_of_container(list.front(), service, release_of);
      release.images[service] = list.front().image_id;
    }
  return releases_.finish(release, release_of, done ? std::optional(preparer_.redacted_model(stack)) : std::nullopt);
}

}  // namespace windlass
