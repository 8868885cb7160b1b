// The engines that are listened to, and what is heard and seen there (deploy/E2, E11).
#include <fmt/format.h>

#include <algorithm>

#include "base/recover.h"
#include "deploy/labels.h"
#include "reconcile/reconciler.h"
#include "reconcile/still_so.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kAskTimeout = 30s;
constexpr auto kListenFor = 1h;    // then the same stream again
constexpr int kAnswersAtOnce = 4;  // each waits for one container to stop

// The engine picks by it already: of what strangers' containers do nothing is even heard.
std::string managed() { return fmt::format("{}={}", kManagerLabel, kManager); }

}  // namespace

void Reconciler::start() {
  {
    const std::lock_guard lock(mutex_);
    is_started_ = true;
    for (int i = 0; i < kAnswersAtOnce; ++i) workers_.emplace_back([this] { work(); });
  }
  follow();
}

// What is asked for and what comes of it is one step: of two jobs that end at once, the later sees what both have left.
void Reconciler::follow() {
  const std::lock_guard lock(mutex_);
  if (!is_started_) return;
  const auto contexts = releases_.contexts();
  if (!contexts) log_.error("stacks on Docker contexts are not known", {{"error", contexts.error().message}});
  std::set<std::string> wanted = {""};
  if (contexts) wanted.insert(contexts->begin(), contexts->end());
  leaving_.remove_if([](const Watcher& watcher) { return watcher.has_ended.load(); });
  for (auto watcher = watchers_.begin(); contexts && watcher != watchers_.end();) {
    const auto next = std::next(watcher);
    if (!is_still_right(*watcher, wanted)) {  // not waited for: it may be about to connect
      watcher->thread.request_stop();
      leaving_.splice(leaving_.end(), watchers_, watcher);
    }
    watcher = next;
  }
  for (const auto& watcher : watchers_) wanted.erase(watcher.context);
  for (const auto& context : wanted) {
    auto& watcher = watchers_.emplace_back(context);
    const bool is_there = recovered(log_, "reconciliation", [&] {
      watcher.thread = std::jthread([this, &watcher](const std::stop_token& stop) {
        watch(watcher, stop);
        watcher.has_ended = true;
      });
    });
    if (!is_there) watchers_.pop_back();  // the next job's end tries again
  }
}

// A context may have been pointed to another engine, which says nothing to those who listen to the one before.
bool Reconciler::is_still_right(const Watcher& watcher, const std::set<std::string>& wanted) {
  if (!wanted.contains(watcher.context)) return false;
  if (watcher.engine == nullptr) return true;
  const auto engine = engines_.engine_of(watcher.context);
  return !engine || *engine == watcher.engine;
}

void Reconciler::stop() {
  stop_.request_stop();
  {
    const std::lock_guard lock(mutex_);
    is_started_ = false;
    for (auto& watcher : watchers_) watcher.thread.request_stop();
  }
  watchers_.clear();
  leaving_.clear();
  workers_.clear();
}

// E2, E11: listens first, then looks, so that nothing falls in between.
void Reconciler::watch(Watcher& watcher, const std::stop_token& stop) {
  const auto& context = watcher.context;
  const Deadline never = Deadline::in(24h * 3650, stop);
  const auto log = context.empty() ? log_ : log_.with({{"context", context}});
  Watched watched{.context = context, .stop = stop, .engine = nullptr, .endings = {}};
  auto wait = options_.backoff_min;
  while (!never.stop.stop_requested()) {
    Result<std::unique_ptr<EventStream>> stream = fail(Kind::unavailable, "ended by an exception");
    recovered(log, "reconciliation", [&] { stream = listen(watcher, watched, never.within(kAskTimeout)); });
    if (stream) {
      recovered(log, "reconciliation", [&] {
        if (const auto looked = look_at_all(watched); !looked)
          return log.warning("stacks cannot be looked at", {{"error", looked.error().message}});
        wait = options_.backoff_min;
        hear_until_it_ends(watched, **stream);
      });
    } else {
      log.debug("engine's events cannot be heard", {{"error", stream.error().message}});
    }
    if (!pause(wait, never)) return;
    wait = std::min(2 * wait, options_.backoff_max);
  }
}

Result<std::unique_ptr<EventStream>> Reconciler::listen(Watcher& watcher, Watched& watched, const Deadline& deadline) {
  auto engine = engines_.engine_of(watched.context);
  if (!engine) return tl::unexpected(engine.error());
  {
    const std::lock_guard lock(mutex_);
    watcher.engine = *engine;
  }
  watched.engine = *std::move(engine);
  return watched.engine->events(managed(), engine_events(), deadline);
}

void Reconciler::hear_until_it_ends(Watched& watched, EventStream& stream) {
  for (;;) {
    auto event = stream.next(Deadline::in(kListenFor, watched.stop));
    if (!event || watched.stop.stop_requested()) return;
    if (!*event) continue;
    const bool is_end_by_signal = watched.endings.hear(**event);
    auto occurrence = occurrence_of(**event, watched.context, options_.instance);
    if (!occurrence) continue;
    occurrence->has_finished = watched.endings.has_finished(occurrence->container_id);
    if (occurrence->event == "destroy") watched.endings.forget(occurrence->container_id);
    if (is_end_by_signal) {  // when `kill` was told, it may not have ended yet
      auto kill = *occurrence;
      kill.event = "kill";
      consider(std::move(kill));
    }
    consider(*std::move(occurrence));
  }
}

Status Reconciler::look_at_all(Watched& watched) {
  const auto deadline = Deadline::in(kAskTimeout, watched.stop);
  const auto rules = releases_.reconciliations(watched.context);
  if (!rules) return tl::unexpected(rules.error());
  if (rules->empty()) return {};
  const auto unhealthy = watched.engine->unhealthy_containers(managed(), deadline);
  if (!unhealthy) return tl::unexpected(unhealthy.error());
  for (const auto& container : *unhealthy)
    if (auto occurrence = occurrence_of_unhealthy(container, watched.context, options_.instance))
      consider(*std::move(occurrence));
  return look_for_dead_stacks(watched, *rules, deadline);
}

// Of a stack of which nothing runs, no event will come.
Status Reconciler::look_for_dead_stacks(Watched& watched, const std::map<StackId, ReconciliationRule>& rules,
                                        const Deadline& deadline) {
  if (std::ranges::none_of(rules, [](const auto& entry) { return answers_by_redeploy(entry.second); })) return {};
  const auto containers = watched.engine->containers({managed()}, deadline);
  if (!containers) return tl::unexpected(containers.error());
  look_at_finished(watched, *containers, deadline);
  std::set<std::string> alive;
  for (const auto& container : *containers)
    if ((container.state == "running" && is_managed(container)) ||
        !other_instance(container.labels, options_.instance).empty())  // which sees to it
      alive.insert(container.label(kProjectLabel));
  for (const auto& [stack, rule] : rules)
    if (answers_by_redeploy(rule) && !alive.contains(stack.name))
      keep({.occurrence = {.stack = stack, .service = "", .container_id = "", .container = "", .event = "destroy"}},
           0ms);
  return {};
}

// So that their removal is known for what it is.
void Reconciler::look_at_finished(Watched& watched, const std::vector<ContainerSummary>& containers,
                                  const Deadline& deadline) {
  for (const auto& container : containers) {
    if (container.state != "exited") continue;
    const auto detail = watched.engine->inspect(container.id, deadline);
    if (detail && detail->exit_code == 0 && need_not_run(*detail)) watched.endings.set_finished(container.id);
  }
}

// A rule that cannot be read now is read when the answer is due.
void Reconciler::consider(Occurrence occurrence) {
  const auto rule = releases_.reconciliation(occurrence.stack);
  if (rule && (!*rule || !(*rule)->answers(occurrence.event))) return;
  const bool may_be_started = occurrence.event == "die" || occurrence.event == "stop" || occurrence.event == "kill" ||
                              occurrence.event == "oom";
  keep({.occurrence = std::move(occurrence)}, may_be_started ? options_.settle : 0ms);
}

}  // namespace windlass
