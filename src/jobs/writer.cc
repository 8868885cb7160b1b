#include "jobs/writer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/recover.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRoundJobsMax = 512;  // one transaction stays under some milliseconds
constexpr std::size_t kRecordsMax = 4096;   // waiting for the writer; refusals of a flood are not all kept
constexpr std::int64_t kPruneStep = 256;    // rows, some milliseconds
constexpr auto kPruneEvery = 1h;
constexpr auto kPruneAfterWork = 100ms;
constexpr auto kRevisionWithin = 100ms;  // only shown: it waits for a round that is made anyway
constexpr auto kDiskBackoffMin = 250ms;
constexpr auto kDiskBackoffMax = 5s;
constexpr auto kStuckAfter = 10s;  // a lock of another connection is waited for 5 s

}  // namespace

Writer::Writer(Books books, const JobQueue::Options& options, History& history, const Clock& clock, Log log)
    : options_(options),
      history_(history),
      clock_(clock),
      log_(std::move(log)),
      books_(std::move(books)),
      waits_(log_),
      prune_at_(clock.steady_now()),
      load_{.waiting = books_.lanes.waiting_count(), .running = books_.lanes.running_count()},
      thread_([this] { loop(); }) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    door_open_ = false;
    ending_ = true;
  }
  came_in_.notify_one();
  thread_.join();
}

void Writer::accept(QueuedJobPtr job, JobQueue::OnAccepted done) {
  {
    const std::lock_guard lock(mutex_);
    inbox_.jobs.push_back({std::move(job), std::move(done), std::nullopt});
  }
  came_in_.notify_one();
}

void Writer::record(RunRecord record) {
  {
    const std::lock_guard lock(mutex_);
    const bool may_be_a_flood = record.trigger == Trigger::webhook;  // the end of a run that people made is never lost
    if (may_be_a_flood && inbox_.records.size() >= kRecordsMax) return;
    inbox_.records.push_back(std::move(record));
  }
  came_in_.notify_one();
}

void Writer::ended(QueuedJobPtr job, JobOutcome outcome, bool interrupted) {
  const auto at = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    inbox_.ended.push_back({std::move(job), std::move(outcome), interrupted, at});
  }
  came_in_.notify_one();
}

void Writer::tell_revision(QueuedJobPtr job, std::string revision) {
  {
    const std::lock_guard lock(mutex_);
    if (inbox_.revisions.empty()) revisions_due_ = clock_.steady_now() + kRevisionWithin;
    inbox_.revisions.push_back({std::move(job), std::move(revision)});
  }
  came_in_.notify_one();
}

void Writer::lease_to(Start start) {
  {
    const std::lock_guard lock(mutex_);
    start_ = std::move(start);
    awake_ = true;
  }
  came_in_.notify_one();
}

void Writer::close_door() {
  const std::lock_guard lock(mutex_);
  door_open_ = false;
}

bool Writer::wait_until_idle(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  return round_done_.wait_for(lock, at_most,
                              [this] { return !round_began_at_ && inbox_.empty() && !awake_ && load_.running == 0; });
}

void Writer::give_back_running() {
  std::unique_lock lock(mutex_);
  inbox_.give_back_running = true;
  came_in_.notify_one();
  round_done_.wait_for(lock, kStuckAfter, [this] { return !inbox_.give_back_running && !round_began_at_; });
}

JobQueue::Load Writer::load() {
  const std::lock_guard lock(mutex_);
  return load_;
}

Status Writer::health() {
  const std::lock_guard lock(mutex_);
  if (round_began_at_ && clock_.steady_now() - *round_began_at_ > kStuckAfter)
    return fail(Kind::unavailable, "job worker stalled");
  if (!disk_fault_.empty()) return fail(Kind::unavailable, "journal not writable: " + disk_fault_);
  return {};
}

void Writer::loop() {
  if (const auto rows = books_.table.count()) books_.rows = *rows;
  while (auto work = next()) recovered(log_, "job writer", [&] { write(*std::move(work)); });
  // A last try for what the disk has refused; what stays `running` there is taken back by the next start.
  if (!unwritten_ends_.empty()) write({});
}

// Waits for work, or for a time at which there is some.
std::optional<Inbox> Writer::next() {
  std::unique_lock lock(mutex_);
  round_began_at_.reset();
  load_ = {.waiting = books_.lanes.waiting_count(), .running = books_.lanes.running_count()};
  round_done_.notify_all();
  while (!inbox_.is_urgent() && !awake_ && !ending_)
    if (came_in_.wait_for(lock, until_next_wake()) == std::cv_status::timeout) break;
  if (ending_ && inbox_.empty()) return std::nullopt;

  waits_.tell(clock_.steady_now());
  awake_ = false;
  round_began_at_ = clock_.steady_now();
  auto work = std::exchange(inbox_, {});
  if (work.jobs.size() > kRoundJobsMax) {
    const auto rest = work.jobs.begin() + kRoundJobsMax;
    inbox_.jobs.assign(std::make_move_iterator(rest), std::make_move_iterator(work.jobs.end()));
    work.jobs.erase(rest, work.jobs.end());
  }
  return work;
}

std::chrono::milliseconds Writer::until_next_wake() {
  auto wake = SteadyTime::max();
  if (door_open_) {  // a stop waits for neither
    wake = prune_at_;
    if (const auto due = books_.retries.next_due()) wake = std::min(wake, *due);
    if (const auto due = waits_.next_due()) wake = std::min(wake, *due);
  }
  if (!inbox_.revisions.empty()) wake = std::min(wake, revisions_due_);
  if (disk_retry_at_) wake = *disk_retry_at_;  // nothing else can be done before
  return std::chrono::ceil<std::chrono::milliseconds>(
      std::clamp<SteadyTime::duration>(wake - clock_.steady_now(), 0s, kPruneEvery));
}

RoundRules Writer::rules(const Inbox& work) {
  RoundRules rules{.now = clock_.now(), .steady_now = clock_.steady_now(), .probe = disk_retry_at_.has_value()};
  {
    const std::lock_guard lock(mutex_);
    rules.door_open = door_open_;
    rules.running_max = start_ ? options_.workers_max : 0;
  }
  const auto surplus = this->surplus();
  rules.finished_before = rules.now - options_.finished_age_max;
  if (work.empty() && rules.door_open && rules.steady_now >= prune_at_) {
    rules.prune_count = std::clamp<std::int64_t>(surplus, 0, kPruneStep);
    rules.prune_look_at = kPruneStep;
  } else if (surplus > static_cast<std::int64_t>(options_.finished_max)) {
    // Never idle: it has to be paid now. Many rows at once share pages, so that few rounds pay and little.
    rules.prune_count = std::max<std::int64_t>(kPruneStep, 2 * (work.jobs.size() + work.records.size()));
  }
  return rules;
}

std::int64_t Writer::surplus() const {
  const auto unfinished = books_.lanes.waiting_count() + books_.lanes.running_count();
  return books_.rows - static_cast<std::int64_t>(unfinished + options_.finished_max);
}

void Writer::write(Inbox work) {
  const auto rules = this->rules(work);
  const bool is_busy = !work.empty();
  work.ended.insert(work.ended.begin(), std::make_move_iterator(unwritten_ends_.begin()),
                    std::make_move_iterator(unwritten_ends_.end()));
  unwritten_ends_.clear();

  Round round(books_, rules, *options_.observer, log_, std::move(work));
  if (const auto written = round.write(); !written) return refused(round, written.error());
  disk_is_well();
  for (const auto& job : round.announce())
    if (!recovered(log_, "starting a job", [&] { start_(job); }))
      ended(job, JobOutcome::failed(FailedStep::internal, "the job could not be started", true), false);
  for (auto& job : round.behind_others()) waits_.watch(std::move(job), rules.steady_now);
  plan_tidying(rules, is_busy, round.pruned());
}

// Tidying takes its turns when nothing else wants the disk: a little after the last busy round, until nothing goes.
void Writer::plan_tidying(const RoundRules& rules, bool was_busy, std::int64_t pruned) {
  const auto soon = rules.steady_now + kPruneAfterWork;
  if (was_busy) prune_at_ = surplus() > 0 ? soon : std::max(prune_at_, soon);
  if (rules.prune_look_at > 0 && pruned == 0) prune_at_ = rules.steady_now + kPruneEvery;
}

void Writer::disk_is_well() {
  if (!disk_retry_at_) return;
  disk_retry_at_.reset();
  disk_backoff_ = 0ms;
  log_.info("state file can be written again");
  const std::lock_guard lock(mutex_);
  disk_fault_.clear();
}

void Writer::refused(Round& round, const Error& why) {
  options_.observer->journal_failed();
  if (!disk_retry_at_) log_.error("state file cannot be written", {{"error", why.message}});
  disk_backoff_ = std::clamp<std::chrono::milliseconds>(disk_backoff_ * 2, kDiskBackoffMin, kDiskBackoffMax);
  disk_retry_at_ = clock_.steady_now() + disk_backoff_;
  unwritten_ends_ = round.take_ended();
  for (auto& record : round.take_records()) history_.keep_unwritten(std::move(record));
  {
    const std::lock_guard lock(mutex_);
    disk_fault_ = why.message;
  }
  round.refuse(why);
}

}  // namespace windlass
