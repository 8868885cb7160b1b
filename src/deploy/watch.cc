#include "deploy/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "base/clock.h"
#include "base/text.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto kLogsTimeout = 5s;  // a failure is told without log lines rather than late
constexpr auto kLastLookTimeout = 5s;
constexpr std::size_t kLogBytesMax = 8 << 10;
constexpr std::size_t kLateToldMax = 10;  // services that a message says more of than the name

// "a | b": one line, as every message is.
std::string on_one_line(std::string_view logs) {
  std::vector<std::string> lines;
  for (auto line : split(logs, '\n'))
    if (line = trim(line); !line.empty()) lines.push_back(printable(line, kLogBytesMax));
  return join(lines, " | ");
}

}  // namespace

HealthWatch::HealthWatch(Engine& engine, std::string project, const Log& log, WatchOptions options)
    : engine_(engine), project_(std::move(project)), log_(log), options_(options), opened_at_(Steady::now()) {}

Result<std::unique_ptr<HealthWatch>> HealthWatch::open(Engine& engine, std::string project, const Log& log,
                                                       const Deadline& deadline, WatchOptions options) {
  std::unique_ptr<HealthWatch> watch(new HealthWatch(engine, std::move(project), log, options));
  if (auto opened = watch->open_events(deadline); !opened) return tl::unexpected(opened.error());
  return watch;
}

Status HealthWatch::wait(const std::vector<ServiceShape>& services, std::chrono::milliseconds timeout,
                         const Deadline& deadline) {
  const auto until = deadline.within(timeout);
  expect(services);
  note_what_happened();
  for (auto seen = look_at_all(until);; seen = seen ? look_after_next_event(until) : come_back(until)) {
    if (auto failure = first_failure(deadline); !failure.empty()) return fail(Kind::invalid, std::move(failure));
    const auto late = not_ready();
    if (seen && late.empty()) return {};
    if (auto removed = seen ? removed_for_good() : std::string(); !removed.empty())
      return fail(Kind::invalid, std::move(removed));
    if (!until.passed()) continue;
    if (deadline.stop.stop_requested())
      return fail(Kind::unavailable, "stopped waiting for services to start: " + join(late, ", "));
    if (!seen) return while_doing("waiting for services to start", seen.error());
    (void)look_at_all(deadline.within(kLastLookTimeout));  // a health check that fails again makes no event
    if (auto failure = first_failure(deadline); !failure.empty()) return fail(Kind::invalid, std::move(failure));
    if (not_ready().empty()) return {};
    failure_ = StartFailure::timeout;
    return fail(Kind::invalid, timed_out(timeout));
  }
}

Status HealthWatch::hold(std::chrono::milliseconds span, const Deadline& deadline) {
  const auto until = deadline.within(span);
  for (Status seen;; seen = seen ? look_after_next_event(until) : come_back(until)) {
    if (auto failure = first_failure(deadline); !failure.empty())
      return fail(Kind::invalid, fmt::format("{} (within {} of its start)", failure, to_go_duration(span)));
    if (!until.passed()) continue;
    if (deadline.stop.stop_requested()) return fail(Kind::unavailable, "stopped watching the new release");
    if (!seen) return while_doing("watching the new release", seen.error());
    return {};
  }
}

std::string HealthWatch::failure_now(const std::vector<ServiceShape>& services, const Deadline& deadline) {
  expect(services);
  note_what_happened();
  if (auto seen = look_at_all(deadline); !seen) return {};
  return first_failure(deadline);
}

void HealthWatch::expect(const std::vector<ServiceShape>& services) {
  wanted_.clear();
  must_end_.clear();
  for (const auto& service : services) {
    if (service.replicas <= 0 || service.is_provided) continue;
    wanted_[service.name] = service.replicas;
    if (service.must_end) must_end_.insert(service.name);
  }
}

// Who was started and who ended how, as far as nobody asked yet: while the containers were made.
void HealthWatch::note_what_happened() {
  const Deadline at_once{.at = Steady::now()};
  for (auto event = events_->next(at_once); event && *event; event = events_->next(at_once)) note(**event);
}

// The same in the middle of a look: what each event is about is looked at later.
void HealthWatch::hear_ahead() {
  const Deadline at_once{.at = Steady::now()};
  for (auto event = events_->next(at_once); event && *event; event = events_->next(at_once)) {
    note(**event);
    kept_.push_back(**std::move(event));
  }
}

Result<std::optional<EngineEvent>> HealthWatch::next_event(const Deadline& deadline) {
  if (kept_.empty()) {
    auto until = std::min(deadline.at, next_steady());
    if (incomplete_since_) until = std::min(until, *incomplete_since_ + options_.removed_for);
    return events_->next({.at = until, .stop = deadline.stop});
  }
  std::optional event(std::move(kept_.front()));
  kept_.pop_front();
  return event;
}

void HealthWatch::note(const EngineEvent& event) {
  if (event.action == "start") started_.insert(event.container_id);
  if (event.action == "destroy") watched_.erase(event.container_id);
  if (event.action == "die") {
    const auto code = label_of(event.attributes, "exitCode");
    std::from_chars(code.data(), code.data() + code.size(), exit_codes_[event.container_id]);
  }
}

Status HealthWatch::look_after_next_event(const Deadline& deadline) {
  auto event = next_event(deadline);
  if (!event) return tl::unexpected(event.error());
  if (!*event) return look_at_steadying(deadline);
  note(**event);
  const auto service = label_of((*event)->attributes, kServiceLabel);
  const bool is_ours = wanted_.contains(service) && label_of((*event)->attributes, kOneOffLabel) != "True";
  return is_ours && (*event)->action != "destroy" ? look_at((*event)->container_id, service, deadline) : Status();
}

// The stream or the engine was gone: events were missed, so everything is read again.
Status HealthWatch::come_back(const Deadline& deadline) {
  auto seen = open_events(deadline);
  if (seen) seen = look_at_all(deadline);
  if (!seen) std::this_thread::sleep_for(std::min(options_.reopen_pause, deadline.left()));
  return seen;
}

Status HealthWatch::open_events(const Deadline& deadline) {
  events_.reset();
  auto events = engine_.events(project_filter(project_), {"start", "die", "destroy", "health_status"}, deadline);
  if (!events) return tl::unexpected(events.error());
  events_ = std::move(*events);
  return {};
}

Status HealthWatch::look_at_all(const Deadline& deadline) {
  auto containers = engine_.containers({project_filter(project_)}, deadline);
  if (!containers) return tl::unexpected(containers.error());
  std::set<std::string> there;
  for (const auto& [service, list] : by_service(*containers)) {
    if (!wanted_.contains(service)) continue;
    for (const auto& container : list) {
      there.insert(container.id);
      if (auto seen = look_at(container.id, service, deadline); !seen) return seen;
    }
  }
  std::erase_if(watched_, [&](const auto& entry) { return !there.contains(entry.first); });
  return {};
}

Status HealthWatch::look_at(const std::string& id, const std::string& service, const Deadline& deadline) {
  auto container = engine_.inspect(id, deadline);
  if (!container && container.error().kind == Kind::not_found) {
    watched_.erase(id);
    return {};
  }
  if (!container) return tl::unexpected(container.error());
  container->error = log_.masked(container->error);
  container->checks.output = log_.masked(container->checks.output);
  if (container->restart_count > 0 && !exit_codes_.contains(id)) hear_ahead();  // its end came before its restart
  const bool started_while_watching = started_.contains(id);
  const auto [place, is_new] = watched_.try_emplace(id);
  auto& watched = place->second;
  if (is_new) {
    watched.service = service;
    watched.name = container->name;
    // What was there before us may have restarted long ago; what was started for us may not have at all.
    watched.restarts_at_first = started_while_watching ? 0 : container->restart_count;
  }
  ContainerPast past{.restarted = container->restart_count > watched.restarts_at_first};
  if (const auto code = exit_codes_.find(id); code != exit_codes_.end()) past.last_exit_code = code->second;
  watched.readiness = judge(*container, past);
  watched.is_running = container->state == "running";
  if (is_new || watched.started_at != container->started_at) {
    watched.started_at = container->started_at;
    watched.steady_at = steady_at(*container, started_while_watching);
  }
  if (watched.readiness.state == Readiness::State::steadying && Steady::now() >= watched.steady_at)
    watched.readiness.state = Readiness::State::ready;
  return {};
}

Status HealthWatch::look_at_steadying(const Deadline& deadline) {
  std::vector<std::pair<std::string, std::string>> due;
  for (const auto& [id, watched] : watched_)
    if (watched.readiness.state == Readiness::State::steadying && Steady::now() >= watched.steady_at)
      due.emplace_back(id, watched.service);
  for (const auto& [id, service] : due)
    if (auto seen = look_at(id, service, deadline); !seen) return seen;
  return {};
}

SteadyTime HealthWatch::next_steady() const {
  auto next = SteadyTime::max();
  for (const auto& [id, watched] : watched_)
    if (watched.readiness.state == Readiness::State::steadying) next = std::min(next, watched.steady_at);
  return next;
}

// The engine's clock may differ from ours: what was started for us cannot have run for longer than we watch.
SteadyTime HealthWatch::steady_at(const ContainerDetail& container, bool started_while_watching) const {
  const auto now = Steady::now();
  Steady::duration up = 0s;
  const auto date = WallTime::clock::now();
  if (const auto start = parse_rfc3339(container.started_at))  // of the year 1 if it never ran
    up = std::max<Steady::duration>(0s, date - std::max<WallTime>(*start, date - options_.steady_for));
  if (started_while_watching) up = std::min(up, now - opened_at_);
  return now + options_.steady_for - std::min<Steady::duration>(up, options_.steady_for);
}

std::vector<std::string> HealthWatch::not_ready() const {
  std::map<std::string, int> ready;
  std::set<std::string> late;
  for (const auto& [id, watched] : watched_) {
    if (watched.readiness.state == Readiness::State::ready)
      ++ready[watched.service];
    else
      late.insert(watched.service);
  }
  for (const auto& [service, replicas] : wanted_)
    if (const auto found = ready.find(service); found == ready.end() || found->second < replicas) late.insert(service);
  return {late.begin(), late.end()};
}

// Who is not ready, and who has to end before others start: a tool that waits for those has not come back.
std::vector<std::string> HealthWatch::late() const {
  const auto unready = not_ready();
  std::set<std::string> late(unready.begin(), unready.end());
  for (const auto& [id, watched] : watched_)
    if (watched.is_running && must_end_.contains(watched.service)) late.insert(watched.service);
  return {late.begin(), late.end()};
}

std::string HealthWatch::why_late(const std::string& service) const {
  int ready = 0;
  std::string reason;
  for (const auto& [id, watched] : watched_) {
    if (watched.service != service) continue;
    if (watched.is_running && must_end_.contains(service)) return "still running";
    if (watched.readiness.state == Readiness::State::ready)
      ++ready;
    else if (reason.empty())
      reason = watched.readiness.reason;
  }
  const auto replicas = wanted_.at(service);
  if (replicas == 1) return reason.empty() ? "no container" : reason;
  return fmt::format("{} of {} replicas ready, {}", ready, replicas,
                     reason.empty() ? "no container of the others" : reason);
}

std::string HealthWatch::timed_out(std::chrono::milliseconds timeout) const {
  const auto names = late();
  if (names.empty()) return {};
  auto text =
      fmt::format("timed out after {} waiting for services to start: {}", to_go_duration(timeout), join(names, ", "));
  for (std::size_t i = 0; i < std::min(names.size(), kLateToldMax); ++i)
    text += fmt::format("; {}: {}", names[i], why_late(names[i]));
  return names.size() > kLateToldMax ? text + "; …" : text;
}

// Nobody makes another one now; but somebody may be replacing it by hand.
std::string HealthWatch::removed_for_good() {
  std::map<std::string, int> there;
  for (const auto& [id, watched] : watched_) ++there[watched.service];
  const auto incomplete =
      std::ranges::find_if(wanted_, [&](const auto& wanted) { return there[wanted.first] < wanted.second; });
  if (incomplete == wanted_.end()) {
    incomplete_since_.reset();
    return {};
  }
  if (!incomplete_since_) incomplete_since_ = Steady::now();
  if (Steady::now() < *incomplete_since_ + options_.removed_for) return {};
  const auto& [service, replicas] = *incomplete;
  failure_ = StartFailure::failed;
  return fmt::format("service {}: {} of {} containers are there: somebody removed what the deployment made", service,
                     there[service], replicas);
}

std::string HealthWatch::first_failure(const Deadline& deadline) {
  const auto failed = std::find_if(watched_.begin(), watched_.end(), [](const auto& entry) {
    return entry.second.readiness.state == Readiness::State::failed;
  });
  if (failed == watched_.end()) return {};
  const auto& [id, watched] = *failed;
  failure_ = watched.readiness.is_unhealthy ? StartFailure::unhealthy : StartFailure::failed;
  const auto logs = engine_.last_logs(id, options_.log_lines, deadline.within(kLogsTimeout));
  const auto lines = logs ? on_one_line(log_.masked(*logs)) : std::string();
  return fmt::format("service {}: container {} {}; {}", watched.service, watched.name, watched.readiness.reason,
                     lines.empty() ? "it logged nothing" : "last log lines: " + lines);
}

}  // namespace windlass
