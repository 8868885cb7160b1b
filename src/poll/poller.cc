#include "poll/poller.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/recover.h"
#include "source/poll_request.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

using End = PollSchedule::End;

constexpr auto kLongestSleep = std::chrono::hours(1);

std::string shown(const JobRequest& request) {
  return request.target.empty() ? request.artifact : fmt::format("{}, target {}", request.artifact, request.target);
}

}  // namespace

// Null, and a line in the log, for what is not polled.
Poller::PolledSource Poller::polled(const PollConfig& config) const {
  auto request = poll_request(config);
  if (!request) {
    log_.error("source is not polled", {{"error", request.error().message}});
    return nullptr;
  }
  if (config.interval.count() == 0 && !config.run_once) {
    log_.info("polling is off for this source: its interval is 0", {{"artifact", request->artifact}});
    return nullptr;
  }
  auto registry = request->source_id.substr(0, request->source_id.find('/'));
  return std::make_shared<Polled>(
      Polled{.config = config, .request = *std::move(request), .registry = std::move(registry)});
}

Poller::Poller(Options options, const std::vector<PollConfig>& configs, Questions questions, JobQueue& queue,
               const Clock& clock, Log log)
    : options_(std::move(options)),
      questions_(std::move(questions)),
      queue_(queue),
      clock_(clock),
      log_(std::move(log)),
      schedule_(options_.schedule),
      outages_(log_) {
  use(configs);
}

Poller::~Poller() { stop(); }

void Poller::start() {
  const std::lock_guard lock(mutex_);
  is_started_ = true;
  begin_work();
}

void Poller::begin_work() {
  if (sources_.empty() || !threads_.empty() || stop_.stop_requested()) return;
  log_.info("polling sources", {{"sources", sources_.size()}});
  threads_.emplace_back([this] { work(); });
}

void Poller::use(const std::vector<PollConfig>& configs) {
  {
    const std::lock_guard lock(mutex_);
    std::multimap<std::string, PolledSource> old;  // by url
    for (const auto& [number, source] : sources_) old.emplace(source->config.url, source);
    std::vector<PolledSource> added;
    for (const auto& config : configs) {
      const auto [first, last] = old.equal_range(config.url);
      const auto same = std::find_if(first, last, [&](const auto& each) { return each.second->config == config; });
      if (same != last)
        old.erase(same);  // once for each: a list may name a source twice
      else if (auto source = polled(config))
        added.push_back(std::move(source));
    }
    for (const auto& [url, source] : old) remove(source);
    add(std::move(added));
    if (is_started_) begin_work();
  }
  changed_.notify_all();
}

void Poller::add(std::vector<PolledSource> sources) {
  std::vector<PollSchedule::Entry> entries;
  for (const auto& source : sources)
    entries.push_back(
        {.registry = source->registry, .interval = source->config.interval, .run_once = source->config.run_once});
  auto number = schedule_.add(entries, clock_.steady_now());
  for (auto& source : sources) {
    source->number = number++;
    sources_.emplace(source->number, std::move(source));
  }
}

void Poller::remove(const PolledSource& source) {
  source->is_removed = true;
  schedule_.remove(source->number);
  outages_.forget(source->number);
  sources_.erase(source->number);
}

bool Poller::is_removed(const PolledSource& source) {
  const std::lock_guard lock(mutex_);
  return source->is_removed;
}

void Poller::stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    stop_.request_stop();
    threads = std::exchange(threads_, {});
  }
  changed_.notify_all();
  for (auto& thread : threads) thread.join();
}

void Poller::work() {
  std::unique_lock lock(mutex_);
  while (!stop_.stop_requested()) {
    if (const auto source = take()) {
      leave_one_waiting();
      lock.unlock();
      take_turn(source);
      lock.lock();
      continue;
    }
    ++idle_;
    const auto now = clock_.steady_now();
    const auto next = schedule_.next().value_or(now + kLongestSleep);
    changed_.wait_for(lock, std::clamp<SteadyTime::duration>(next - now, SteadyTime::duration::zero(), kLongestSleep));
    --idle_;
  }
}

bool Poller::step() {
  std::unique_lock lock(mutex_);
  const auto source = take();
  if (!source) return false;
  lock.unlock();
  take_turn(source);
  return true;
}

Poller::PolledSource Poller::take() {
  const auto number = schedule_.take(clock_.steady_now());
  return number ? sources_.at(*number) : nullptr;
}

// Whoever goes to work leaves somebody behind who waits for the next source, since a look may take long.
void Poller::leave_one_waiting() {
  if (idle_ > 0) return changed_.notify_one();  // for it to learn what is next now
  if (stop_.stop_requested() || threads_.size() >= std::min(options_.threads_max, sources_.size())) return;
  try {
    threads_.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    log_.warning("no further thread for polling", {{"error", error.what()}});
  }
}

void Poller::take_turn(const PolledSource& source) {
  if (!recovered(log_, "poll", [&] { poll(source); })) end(*source, End::failed);
}

void Poller::poll(const PolledSource& source) {
  const auto& request = source->request;
  const auto begun = clock_.steady_now();
  const auto deadline = Deadline::in(options_.look_timeout, stop_.get_token());
  tl::expected<Digest, Fault> digest = tl::unexpected(
      Fault{.scope = shown(request), .error = {Kind::unavailable, "ended by an exception"}, .come_again = {}});
  recovered(log_, "poll", [&] { digest = look(*source, deadline); });
  options_.observer->poll_ended(request, std::chrono::round<std::chrono::milliseconds>(clock_.steady_now() - begun),
                                digest.has_value());
  {
    const std::lock_guard lock(mutex_);
    schedule_.looked(source->number,
                     digest || digest.error().error.kind != Kind::unavailable ? End::good : End::failed);
  }
  changed_.notify_one();  // the registry has room again
  if (stop_.stop_requested()) return;
  if (is_removed(source)) return end(*source, End::good);
  if (!digest) {
    if (source->config.run_once) return make_job(source, request);
    const auto order = repair(*source, digest.error(), deadline);
    if (!order) return held_up(*source, digest.error());
    tell_outage(*source, digest.error());
    return make_job(source, *order);
  }
  auto settled = questions_.settled_because(request, *digest, deadline);
  if (stop_.stop_requested()) return;
  if (!settled) return held_up(*source, {.scope = "state of the stacks", .error = settled.error(), .come_again = {}});
  end_outage(*source);
  return *settled ? unchanged(*source, *digest, **std::move(settled)) : make_job(source, request);
}

tl::expected<Digest, Poller::Fault> Poller::look(Polled& source, const Deadline& deadline) {
  const auto of_registry = "registry " + source.registry;
  auto look = questions_.look(source.request, source.seen, deadline);
  if (!look) {
    const auto scope = look.error().kind == Kind::unavailable ? of_registry : shown(source.request);
    return tl::unexpected(Fault{.scope = scope, .error = look.error(), .come_again = {}});
  }
  if (look->come_again)
    return tl::unexpected(Fault{of_registry, Error{Kind::unavailable, look->reason}, look->come_again});
  if (!look->seen) {
    const auto why = fmt::format("{} not found in {}", source.request.ref, source.request.source_id);
    return tl::unexpected(Fault{.scope = shown(source.request), .error = {Kind::not_found, why}, .come_again = {}});
  }
  source.seen = std::move(look->seen);
  return source.seen->digest;
}

// A source that is away keeps nobody from repairing what it was last deployed from: that is in the content store.
std::optional<JobRequest> Poller::repair(const Polled& source, const Fault& fault, const Deadline& deadline) const {
  if (fault.error.kind != Kind::unavailable) return std::nullopt;
  auto digest = questions_.to_repair(source.request, deadline);
  if (!digest || !*digest) return std::nullopt;
  auto request = source.request;
  request.digest = **std::move(digest);
  request.cause = kRepairCause;
  return request;
}

// Nothing is touched because of that (reliability/P11); the last good release stays.
void Poller::held_up(const Polled& source, const Fault& fault) {
  tell_outage(source, fault);
  end(source, End::failed, fault.come_again);
}

void Poller::tell_outage(const Polled& source, const Fault& fault) {
  bool is_news = false;
  {
    const std::lock_guard lock(mutex_);
    if (source.is_removed) return;
    is_news = outages_.begin(source.number, fault.scope, fault.error.message, clock_.steady_now());
  }
  if (!is_news) return;
  options_.observer->poll_held_up(source.request, fault.error.message);
  queue_.note(record_of(source, RunStatus::failed, fault.error.message));
}

void Poller::end_outage(const Polled& source) {
  bool is_news = false;
  {
    const std::lock_guard lock(mutex_);
    is_news = outages_.end(source.number, clock_.steady_now());
  }
  if (is_news) options_.observer->poll_goes_on(source.request);
}

void Poller::unchanged(const Polled& source, const Digest& digest, std::string reason) {
  if (log_.enabled(LogLevel::debug)) log_.debug("polled", {{"artifact", source.request.artifact}, {"result", reason}});
  auto record = record_of(source, RunStatus::skipped, std::move(reason));  // api/N5
  auto request = source.request;
  request.digest = digest;
  record.revision = revision_of(request);
  queue_.note(std::move(record));
  end(source, End::good);
}

void Poller::make_job(const PolledSource& source, const JobRequest& request) {
  log_.debug("polled, makes a job", {{"artifact", request.artifact}});
  auto id = new_uuid_v7();
  {
    const std::lock_guard lock(mutex_);
    jobs_[id] = source;
  }
  const auto forget = [this, id] {
    const std::lock_guard lock(mutex_);
    jobs_.erase(id);
  };
  auto accepted = [this, source, forget](const JobQueue::Accepted& result) {
    if (!result.refusal) return;
    forget();
    log_.warning("job of a poll was not accepted", {{"artifact", source->request.artifact}});
    end(*source, End::not_begun);
  };
  auto finished = [this, source, forget](const RunRecord&, const JobOutcome& outcome) {
    forget();
    end(*source, outcome.status == RunStatus::failed ? End::failed : End::good);
  };
  queue_.accept(std::move(id), request, std::move(accepted), std::move(finished));
}

std::string Poller::what_comes_next(const std::string& job_id, const Deadline& deadline) {
  PolledSource source;
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(job_id);
    if (found == jobs_.end() || found->second->is_removed) return {};
    source = found->second;
  }
  // While its job is not over nobody looks at the source, so what was seen of it stays.
  const auto interval = source->config.interval;
  if (source->config.run_once || interval.count() == 0 || !source->seen) return {};
  const auto settled = questions_.settled_because(source->request, source->seen->digest, deadline);
  if (!settled || *settled) return {};
  return fmt::format("; the poll tries it again after {}, and each failure doubles that, up to {}",
                     to_go_duration(interval), to_go_duration(interval * options_.schedule.backoff_max));
}

void Poller::end(const Polled& source, End how, std::optional<std::chrono::seconds> come_again) {
  {
    const std::lock_guard lock(mutex_);
    schedule_.end(source.number, how, clock_.steady_now(), come_again);
  }
  changed_.notify_one();
}

RunRecord Poller::record_of(const Polled& source, RunStatus status, std::string message) const {
  const auto now = clock_.now();
  return {.job_id = new_uuid_v7(),
          .trigger = Trigger::poll,
          .status = status,
          .repository = shown_repository(source.request),
          .source = source.request.source_id,
          .target = source.request.target,
          .revision = revision_of(source.request),
          .message = std::move(message),
          .created_at = now,
          .updated_at = now,
          .started_at = now,
          .finished_at = now};
}

}  // namespace windlass
