#include "reconcile/reconciler.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/recover.h"
#include "deploy/labels.h"
#include "reconcile/still_so.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kAskTimeout = 30s;
constexpr int kSkippedMax = 3;  // a job that finds nothing to do will find nothing the next time either

}  // namespace

Reconciler::Reconciler(Options options, Engines& engines, ReleaseStore& releases, StackLocks& locks,
                       RestartLog& restarts, JobQueue& queue, const Clock& clock, Log log)
    : options_(options),
      engines_(engines),
      releases_(releases),
      locks_(locks),
      restarts_(restarts),
      queue_(queue),
      clock_(clock),
      log_(std::move(log)),
      backlog_(locks, clock, options_.look_again_min) {}

Reconciler::~Reconciler() { stop(); }

bool Reconciler::answers_by_redeploy(const ReconciliationRule& rule) {
  return rule.enabled && std::ranges::any_of(rule.events, is_answered_by_redeploy);
}

void Reconciler::keep(Backlog::Entry entry, std::chrono::milliseconds after) {
  const auto log = log_of(entry.occurrence);
  if (!backlog_.add(std::move(entry), after))
    log.warning("event was not answered", {{"error", "too many of them wait"}});
}

void Reconciler::keep_after_failure(Backlog::Entry entry) {
  const auto wait = std::min(options_.look_again_min * (1 << std::min(entry.failures, 10)), options_.look_again_max);
  ++entry.failures;
  keep(std::move(entry), wait);
}

void Reconciler::work() {
  while (auto entry = backlog_.next(stop_.get_token())) {
    Next next{.what = Next::What::keep};
    recovered(log_, "reconciliation", [&] { next = answer(*entry); });
    if (next.what == Next::What::left_to_job) continue;
    recovered(log_, "reconciliation", [&] {
      if (next.what == Next::What::keep && next.wait > 0ms) keep(*entry, next.wait);
      if (next.what == Next::What::keep && next.wait == 0ms) keep_after_failure(*entry);
    });
    backlog_.done(entry->occurrence.stack);
  }
}

Reconciler::Next Reconciler::answer(const Backlog::Entry& entry) {
  const auto& occurrence = entry.occurrence;
  const auto rule = releases_.reconciliation(occurrence.stack);
  const bool is_of_stack = occurrence.service.empty();
  if (rule && (!*rule || !(is_of_stack ? answers_by_redeploy(**rule) : (*rule)->answers(occurrence.event)))) return {};
  const auto engine = engines_.engine_of(occurrence.stack.context);
  const auto is_so = !rule ? Result<bool>(tl::unexpected(rule.error()))
                     : !engine
                         ? Result<bool>(tl::unexpected(engine.error()))
                         : is_still_so(occurrence, **engine, releases_, Deadline::in(kAskTimeout, stop_.get_token()));
  if (!is_so) {
    log_of(occurrence).debug("event is not answered yet", {{"error", is_so.error().message}});
    return {.what = Next::What::keep};
  }
  if (!*is_so) return {};
  const Answer answer{occurrence, **rule};
  if (!is_answered_by_redeploy(occurrence.event)) return answer_by_restart(**engine, answer, entry);
  if (is_left_for_inspection(occurrence)) return {};
  if (auto next = refused(answer)) return *next;
  return redeploy(**engine, entry);
}

// E9: of new containers as well, which may end as fast as the old ones. Nothing: it may be answered.
std::optional<Reconciler::Next> Reconciler::refused(const Answer& answer) {
  const auto& [occurrence, rule] = answer;
  const auto verdict = restarts_.ask(occurrence.stack, occurrence.service, rule, clock_.now());
  if (!verdict) {
    log_of(occurrence).warning("event was not answered", {{"error", verdict.error().message}});
    return Next{.what = Next::What::keep};
  }
  if (verdict->is_news) {
    log_of(occurrence)
        .warning("auto-restart suppressed",
                 {{"restarts", rule.restart_limit}, {"within_seconds", rule.restart_window_seconds}});
    tell(RestartEvent::Result::suppressed, answer);
  }
  if (verdict->is_allowed) return std::nullopt;
  return Next{.what = Next::What::keep, .wait = std::max(verdict->wait, options_.look_again_min)};
}

// E5
Reconciler::Next Reconciler::answer_by_restart(Engine& engine, const Answer& answer, const Backlog::Entry& entry) {
  const auto& [occurrence, rule] = answer;
  const auto log = log_of(occurrence);
  {
    const auto lock = locks_.take({occurrence.stack}, Deadline::in(0ms, stop_.get_token()));
    if (!lock) return {.what = Next::What::keep, .wait = options_.look_again_min};  // a job has it by now
    if (auto next = refused(answer)) return *next;
    const auto limit = std::chrono::seconds(rule.restart_timeout_seconds);
    const auto restarted = engine.restart(occurrence.container_id, rule.restart_timeout_seconds, rule.restart_signal,
                                          Deadline::in(limit + kAskTimeout, stop_.get_token()));
    if (restarted) {
      log.info("container restarted");
      tell(RestartEvent::Result::restarted, answer);
      return {};
    }
    const auto kind = restarted.error().kind;
    if (kind != Kind::not_found && kind != Kind::conflict) {
      log.warning("container was not restarted", {{"error", restarted.error().message}});
      tell(RestartEvent::Result::failed, answer, restarted.error().message);
      return {.what = Next::What::keep};
    }
  }
  if (is_left_for_inspection(occurrence)) return {};
  return redeploy(engine, entry);
}

// E8: its name is free only then.
void Reconciler::wait_while_removed(Engine& engine, const std::string& container_id) {
  if (container_id.empty()) return;
  const auto deadline = Deadline::in(options_.removal_wait, stop_.get_token());
  do {
    const auto container = engine.inspect(container_id, deadline);
    if (!container || container->state != "removing") return;
  } while (pause(100ms, deadline));
}

Reconciler::Next Reconciler::redeploy(Engine& engine, const Backlog::Entry& entry) {
  const auto& occurrence = entry.occurrence;
  wait_while_removed(engine, occurrence.container_id);
  const auto log = log_of(occurrence);
  auto release = releases_.good_release(occurrence.stack);
  if (!release || !*release) {
    log.warning("stack was not redeployed",
                {{"error", release ? "no good release of it is known" : release.error().message}});
    return {.what = release ? Next::What::forget : Next::What::keep};
  }
  auto request = (*release)->request;
  request.cause = kReconcileCause;
  request.service = occurrence.stack.str() + " " + occurrence.service;
  log.info("stack is redeployed", {{"release", (*release)->id}});
  queue_.accept(
      new_uuid_v7(), std::move(request),
      [this, entry](const JobQueue::Accepted& result) {
        if (!result.refusal) return;
        log_of(entry.occurrence).warning("stack was not redeployed", {{"error", "the queue takes no job"}});
        keep_after_failure(entry);
        backlog_.done(entry.occurrence.stack);
      },
      [this, entry](const RunRecord&, const JobOutcome& outcome) { job_ended(entry, outcome); });
  return {.what = Next::What::left_to_job};
}

// One that was superseded may have been by a job that does not care for this container. Of a stack as a whole, that
// nothing runs may be as it should.
void Reconciler::job_ended(const Backlog::Entry& entry, const JobOutcome& outcome) {
  const bool may_be_missed = !entry.occurrence.service.empty() && entry.failures < kSkippedMax;
  if (outcome.status == RunStatus::failed || (outcome.status == RunStatus::skipped && may_be_missed))
    keep_after_failure(entry);
  backlog_.done(entry.occurrence.stack);
}

// A new version that failed and was not rolled back is there to be looked at; the last good release would take its
// place.
bool Reconciler::is_left_for_inspection(const Occurrence& occurrence) {
  const auto newest = releases_.releases({.stack = occurrence.stack.name, .context = occurrence.stack.context}, 1);
  const bool is_left = newest && !newest->empty() && newest->front().state == ReleaseState::failed &&
                       newest->front().request.cause != kReconcileCause;
  const std::lock_guard lock(mutex_);
  if (!is_left) {
    left_.erase(occurrence.stack);
  } else if (std::exchange(left_[occurrence.stack], newest->front().id) != newest->front().id) {
    log_of(occurrence).info("stack is left as its failed release left it", {{"release", newest->front().id}});
  }
  return is_left;
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
  const auto& [name, context] = occurrence.stack;
  const auto log = context.empty() ? log_.with({{"stack", name}}) : log_.with({{"stack", name}, {"context", context}});
  return log.with({{"service", occurrence.service}, {"container", occurrence.container}, {"event", occurrence.event}});
}

}  // namespace windlass
