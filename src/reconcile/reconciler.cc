#include "reconcile/reconciler.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/parallel.h"
#include "base/recover.h"
#include "deploy/labels.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kComposeLabel = "com.docker.compose.project";
constexpr auto kAskTimeout = 30s;
constexpr auto kListenFor = 1h;  // then the same stream again
constexpr std::size_t kRestartsAtOnce = 4;

// The engine picks by it already: of what strangers' containers do nothing is even heard.
std::string managed() { return fmt::format("{}={}", kManagerLabel, kManager); }

bool answers_by_redeploy(const ReconciliationRule& rule) {
  return rule.enabled && std::ranges::any_of(rule.events, is_answered_by_redeploy);
}

}  // namespace

Reconciler::Reconciler(Options options, Engine& engine, ReleaseStore& releases, StackLocks& locks, RestartLog& restarts,
                       JobQueue& queue, const Clock& clock, Log log)
    : options_(options),
      engine_(engine),
      releases_(releases),
      locks_(locks),
      restarts_(restarts),
      queue_(queue),
      clock_(clock),
      log_(std::move(log)) {}

Reconciler::~Reconciler() { stop(); }

void Reconciler::start() {
  threads_.emplace_back([this] { watch(); });
  threads_.emplace_back([this] { work(); });
}

void Reconciler::stop() {
  stop_.request_stop();
  changed_.notify_all();
  threads_.clear();
}

// E2, E11: listens first, then looks, so that nothing falls in between.
void Reconciler::watch() {
  const Deadline never = Deadline::in(24h * 3650, stop_.get_token());
  auto wait = options_.backoff_min;
  while (!never.stop.stop_requested()) {
    auto stream = engine_.events(managed(), engine_events(), never.within(kAskTimeout));
    if (stream) {
      wait = options_.backoff_min;
      recovered(log_, "reconciliation", [&] {
        look_at_all();
        hear_until_it_ends(**stream);
      });
    } else {
      log_.debug("engine's events cannot be heard", {{"error", stream.error().message}});
    }
    if (!pause(wait, never)) return;
    wait = std::min(2 * wait, options_.backoff_max);
  }
}

void Reconciler::hear_until_it_ends(EventStream& stream) {
  for (;;) {
    auto event = stream.next(Deadline::in(kListenFor, stop_.get_token()));
    if (!event || stop_.stop_requested()) return;
    if (!*event) continue;
    if (auto occurrence = occurrence_of(**event)) consider(*std::move(occurrence));
  }
}

void Reconciler::look_at_all() {
  const auto deadline = Deadline::in(kAskTimeout, stop_.get_token());
  const auto rules = releases_.reconciliations();
  if (!rules) return log_.warning("stacks cannot be looked at", {{"error", rules.error().message}});
  if (rules->empty()) return;
  const auto unhealthy = engine_.unhealthy_containers(managed(), deadline);
  if (!unhealthy) return log_.warning("stacks cannot be looked at", {{"error", unhealthy.error().message}});
  for (const auto& container : *unhealthy)
    if (auto occurrence = occurrence_of_unhealthy(container)) consider(*std::move(occurrence));
  look_for_dead_stacks(*rules, deadline);
}

// Of a stack of which nothing runs, no event will come.
void Reconciler::look_for_dead_stacks(const std::map<std::string, ReconciliationRule>& rules,
                                      const Deadline& deadline) {
  if (std::ranges::none_of(rules, [](const auto& entry) { return answers_by_redeploy(entry.second); })) return;
  const auto containers = engine_.containers({managed()}, deadline);
  if (!containers) return log_.warning("stacks cannot be looked at", {{"error", containers.error().message}});
  std::set<std::string> alive;
  for (const auto& container : *containers)
    if (container.state == "running" && is_managed(container))
      alive.insert(container.label(std::string(kComposeLabel)));
  for (const auto& [stack, rule] : rules)
    if (answers_by_redeploy(rule) && !alive.contains(stack) && locks_.is_free(stack))
      take({.occurrence = {.stack = stack, .service = "", .container_id = "", .container = "", .event = "destroy"},
            .rule = rule});
}

void Reconciler::consider(Occurrence occurrence) {
  const auto rule = releases_.reconciliation(occurrence.stack);
  if (!rule) return log_of(occurrence).warning("event was not answered", {{"error", rule.error().message}});
  if (!*rule || !(*rule)->answers(occurrence.event) || is_echo(occurrence)) return;
  if (!locks_.is_free(occurrence.stack)) return;  // E6
  take({std::move(occurrence), **rule});
}

// A restart stops the container, and then starts it.
bool Reconciler::is_echo(const Occurrence& occurrence) {
  if (occurrence.event != "die" && occurrence.event != "stop" && occurrence.event != "kill") return false;
  const auto now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  std::erase_if(echoes_, [&](const auto& echo) { return echo.second <= now; });
  return echoes_.contains(occurrence.container_id);
}

void Reconciler::take(Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    if (!busy_.insert(answer.occurrence.stack).second) return;
    to_give_.push_back(std::move(answer));
  }
  changed_.notify_one();
}

void Reconciler::work() {
  const auto stop = stop_.get_token();
  for (;;) {
    std::vector<Answer> answers;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return !to_give_.empty(); }) || stop.stop_requested()) return;
      answers.swap(to_give_);
    }
    for_each_index(answers.size(), kRestartsAtOnce, [&](std::size_t index) {
      give(answers[index]);
      return Status();
    });
  }
}

// However it ends, the stack's next event is heard again; after a redeployment that its job tells.
void Reconciler::give(const Answer& answer) {
  const auto& occurrence = answer.occurrence;
  bool is_left_to_job = false;
  recovered(log_, "reconciliation", [&] {
    const bool is_due =
        is_answered_by_redeploy(occurrence.event) ? is_allowed(answer) : restart(answer) == Restart::gone;
    if (is_due) {
      wait_while_removed(occurrence.container_id);
      is_left_to_job = redeploy(occurrence);
    }
  });
  if (!is_left_to_job) done_with(occurrence.stack);
}

void Reconciler::done_with(const std::string& stack) {
  const std::lock_guard lock(mutex_);
  busy_.erase(stack);
}

// E9: of new containers as well, which may end as fast as the old ones.
bool Reconciler::is_allowed(const Answer& answer) {
  const auto& [occurrence, rule] = answer;
  const auto verdict = restarts_.ask(occurrence.stack, occurrence.service, rule, clock_.now());
  if (!verdict) log_of(occurrence).warning("event was not answered", {{"error", verdict.error().message}});
  if (verdict && verdict->is_news) {
    log_of(occurrence)
        .warning("auto-restart suppressed",
                 {{"restarts", rule.restart_limit}, {"within_seconds", rule.restart_window_seconds}});
    tell(RestartEvent::Result::suppressed, answer);
  }
  return verdict && verdict->is_allowed;
}

// E5
Reconciler::Restart Reconciler::restart(const Answer& answer) {
  const auto& [occurrence, rule] = answer;
  const auto log = log_of(occurrence);
  const auto lock = locks_.take({occurrence.stack}, Deadline::in(0ms, stop_.get_token()));
  if (!lock) return Restart::done;  // a job has it by now
  if (!is_allowed(answer)) return Restart::done;
  const auto limit = std::chrono::seconds(rule.restart_timeout_seconds);
  {
    const std::lock_guard guard(mutex_);
    echoes_[occurrence.container_id] = clock_.steady_now() + limit + options_.echo;
  }
  const auto restarted = engine_.restart(occurrence.container_id, rule.restart_timeout_seconds, rule.restart_signal,
                                         Deadline::in(limit + kAskTimeout, stop_.get_token()));
  if (restarted) {
    log.info("container restarted");
    tell(RestartEvent::Result::restarted, answer);
    return Restart::done;
  }
  const auto kind = restarted.error().kind;
  if (kind == Kind::not_found || kind == Kind::conflict) return Restart::gone;
  log.warning("container was not restarted", {{"error", restarted.error().message}});
  tell(RestartEvent::Result::failed, answer, restarted.error().message);
  return Restart::done;
}

// E8: its name is free only then.
void Reconciler::wait_while_removed(const std::string& container_id) {
  if (container_id.empty()) return;
  const auto deadline = Deadline::in(options_.removal_wait, stop_.get_token());
  do {
    const auto container = engine_.inspect(container_id, deadline);
    if (!container || container->state != "removing") return;
  } while (pause(100ms, deadline));
}

// False: there will be no job.
bool Reconciler::redeploy(const Occurrence& occurrence) {
  const auto log = log_of(occurrence);
  auto release = releases_.good_release(occurrence.stack);
  if (!release || !*release) {
    log.warning("stack was not redeployed",
                {{"error", release ? "no good release of it is known" : release.error().message}});
    return false;
  }
  auto request = (*release)->request;
  request.cause = kReconcileCause;
  request.service = occurrence.stack + " " + occurrence.service;
  log.info("stack is redeployed", {{"release", (*release)->id}});
  const auto stack = occurrence.stack;
  queue_.accept(
      new_uuid_v7(), std::move(request),
      [this, stack](const JobQueue::Accepted& result) {
        if (!result.refusal) return;
        log_.warning("stack was not redeployed", {{"stack", stack}, {"error", "the queue takes no job"}});
        done_with(stack);
      },
      [this, stack](const RunRecord&, const JobOutcome&) { done_with(stack); });
  return true;
}

void Reconciler::tell(RestartEvent::Result result, const Answer& answer, std::string_view error) const {
  const auto& [occurrence, rule] = answer;
  const auto release = releases_.good_release(occurrence.stack);
  options_.observer->container_restarted(
      {.result = result,
       .source_id = release && *release ? std::string_view((*release)->request.source_id) : std::string_view(),
       .stack = occurrence.stack,
       .container_id = occurrence.container_id,
       .container = occurrence.container,
       .event = occurrence.event,
       .error = error,
       .restarts = rule.restart_limit,
       .window = std::chrono::seconds(rule.restart_window_seconds)});
}

Log Reconciler::log_of(const Occurrence& occurrence) const {
  return log_.with({{"stack", occurrence.stack},
                    {"service", occurrence.service},
                    {"container", occurrence.container},
                    {"event", occurrence.event}});
}

}  // namespace windlass
