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

std::vector<Poller::Polled> Poller::polled(const std::vector<PollConfig>& configs, const Log& log) {
  std::vector<Polled> sources;
  for (const auto& config : configs) {
    auto request = poll_request(config);
    if (!request) {
      log.error("source is not polled", {{"error", request.error().message}});
      continue;
    }
    if (config.interval.count() == 0 && !config.run_once) {
      log.info("polling is off for this source: its interval is 0", {{"artifact", request->artifact}});
      continue;
    }
    auto registry = request->source_id.substr(0, request->source_id.find('/'));
    sources.push_back({.request = *std::move(request),
                       .registry = std::move(registry),
                       .interval = config.interval,
                       .run_once = config.run_once});
  }
  return sources;
}

std::vector<PollSchedule::Entry> Poller::entries(const std::vector<Polled>& sources) {
  std::vector<PollSchedule::Entry> entries;
  for (const auto& source : sources)
    entries.push_back({.registry = source.registry, .interval = source.interval, .run_once = source.run_once});
  return entries;
}

Poller::Poller(Options options, const std::vector<PollConfig>& configs, Source& source, Stacks stacks, JobQueue& queue,
               const Clock& clock, Log log)
    : options_(std::move(options)),
      source_(source),
      stacks_(std::move(stacks)),
      queue_(queue),
      clock_(clock),
      log_(std::move(log)),
      sources_(polled(configs, log_)),
      schedule_(options_.schedule, entries(sources_), clock_.steady_now()),
      outages_(sources_.size(), log_) {}

Poller::~Poller() { stop(); }

void Poller::start() {
  if (sources_.empty()) return;
  log_.info("polling sources", {{"sources", sources_.size()}});
  const std::lock_guard lock(mutex_);
  threads_.emplace_back([this] { work(); });
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
    if (const auto index = take()) {
      leave_one_waiting();
      lock.unlock();
      take_turn(*index);
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
  const auto index = take();
  if (!index) return false;
  lock.unlock();
  take_turn(*index);
  return true;
}

std::optional<std::size_t> Poller::take() { return schedule_.take(clock_.steady_now()); }

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

void Poller::take_turn(std::size_t index) {
  if (!recovered(log_, "poll", [&] { poll(index); })) end(index, End::failed);
}

void Poller::poll(std::size_t index) {
  auto& source = sources_[index];
  const auto begun = clock_.steady_now();
  const auto deadline = Deadline::in(options_.look_timeout, stop_.get_token());
  tl::expected<Digest, Fault> digest = tl::unexpected(
      Fault{.scope = shown(source.request), .error = {Kind::unavailable, "ended by an exception"}, .come_again = {}});
  recovered(log_, "poll", [&] { digest = look(source, deadline); });
  options_.observer->poll_ended(
      source.request, std::chrono::round<std::chrono::milliseconds>(clock_.steady_now() - begun), digest.has_value());
  {
    const std::lock_guard lock(mutex_);
    schedule_.looked(index, digest || digest.error().error.kind != Kind::unavailable ? End::good : End::failed);
  }
  changed_.notify_one();  // the registry has room again
  if (stop_.stop_requested()) return;
  if (!digest) {
    if (source.run_once) return make_job(index, source.request);
    const auto order = repair(source, digest.error(), deadline);
    if (!order) return held_up(index, digest.error());
    tell_outage(index, digest.error());
    return make_job(index, *order);
  }
  auto settled = stacks_.settled_because(source.request, *digest, deadline);
  if (stop_.stop_requested()) return;
  if (!settled) return held_up(index, {.scope = "state of the stacks", .error = settled.error(), .come_again = {}});
  end_outage(index);
  return *settled ? unchanged(index, *digest, **std::move(settled)) : make_job(index, source.request);
}

tl::expected<Digest, Poller::Fault> Poller::look(Polled& source, const Deadline& deadline) {
  const auto of_registry = "registry " + source.registry;
  auto look = source_.look(source.request, source.seen, deadline);
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
  auto digest = stacks_.to_repair(source.request, deadline);
  if (!digest || !*digest) return std::nullopt;
  auto request = source.request;
  request.digest = **std::move(digest);
  request.cause = kRepairCause;
  return request;
}

// Nothing is touched because of that (reliability/P11); the last good release stays.
void Poller::held_up(std::size_t index, const Fault& fault) {
  tell_outage(index, fault);
  end(index, End::failed, fault.come_again);
}

void Poller::tell_outage(std::size_t index, const Fault& fault) {
  const auto& source = sources_[index];
  bool is_news = false;
  {
    const std::lock_guard lock(mutex_);
    is_news = outages_.begin(index, fault.scope, fault.error.message, clock_.steady_now());
  }
  if (!is_news) return;
  options_.observer->poll_held_up(source.request, fault.error.message);
  queue_.note(record_of(source, RunStatus::failed, fault.error.message));
}

void Poller::end_outage(std::size_t index) {
  bool is_news = false;
  {
    const std::lock_guard lock(mutex_);
    is_news = outages_.end(index, clock_.steady_now());
  }
  if (is_news) options_.observer->poll_goes_on(sources_[index].request);
}

void Poller::unchanged(std::size_t index, const Digest& digest, std::string reason) {
  const auto& source = sources_[index];
  if (log_.enabled(LogLevel::debug)) log_.debug("polled", {{"artifact", source.request.artifact}, {"result", reason}});
  auto record = record_of(source, RunStatus::skipped, std::move(reason));  // api/N5
  auto request = source.request;
  request.digest = digest;
  record.revision = revision_of(request);
  queue_.note(std::move(record));
  end(index, End::good);
}

void Poller::make_job(std::size_t index, const JobRequest& request) {
  log_.debug("polled, makes a job", {{"artifact", request.artifact}});
  auto accepted = [this, index](const JobQueue::Accepted& result) {
    if (!result.refusal) return;
    log_.warning("job of a poll was not accepted", {{"artifact", sources_[index].request.artifact}});
    end(index, End::not_begun);
  };
  auto finished = [this, index](const RunRecord&, const JobOutcome& outcome) {
    end(index, outcome.status == RunStatus::failed ? End::failed : End::good);
  };
  queue_.accept(new_uuid_v7(), request, std::move(accepted), std::move(finished));
}

void Poller::end(std::size_t index, End how, std::optional<std::chrono::seconds> come_again) {
  {
    const std::lock_guard lock(mutex_);
    schedule_.end(index, how, clock_.steady_now(), come_again);
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
