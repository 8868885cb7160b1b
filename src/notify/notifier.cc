#include "notify/notifier.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/recover.h"
#include "base/text.h"
#include "notify/events.h"

namespace windlass {
namespace {

constexpr std::string_view kContext = "notification";

}  // namespace

Result<std::unique_ptr<Notifier>> Notifier::open(Options options, std::unique_ptr<Db> db, HttpTransport& transport,
                                                 const Clock& clock, Log log) {
  auto repeats = Repeats::open(*db, options.repeat_interval, clock.now());
  if (!repeats) return tl::unexpected(repeats.error());
  auto told = ToldRuns::open(*db);
  if (!told) return tl::unexpected(told.error());
  return std::unique_ptr<Notifier>(new Notifier(std::move(options), std::move(db), *std::move(repeats),
                                                *std::move(told), transport, clock, std::move(log)));
}

Notifier::Notifier(Options options, std::unique_ptr<Db> db, Repeats repeats, ToldRuns told, HttpTransport& transport,
                   const Clock& clock, Log log)
    : options_(std::move(options)),
      transport_(transport),
      clock_(clock),
      log_(std::move(log)),
      db_(std::move(db)),
      repeats_(std::move(repeats)),
      told_(std::move(told)),
      recipient_(std::make_shared<Recipient>(options_.recipient)) {}

Notifier::~Notifier() { stop(std::chrono::milliseconds(0)); }

Status Notifier::catch_up(const std::vector<RunRecord>& failed) {
  std::vector<std::string> nobodys_news;
  for (auto record = failed.rbegin(); record != failed.rend(); ++record) {
    if (record->attempts == 0) continue;  // not of a job
    if (told_.is_new()) {
      nobodys_news.push_back(record->job_id);
      continue;
    }
    const auto was_told = told_.contains(record->job_id);
    if (!was_told) return tl::unexpected(was_told.error());
    if (!*was_told) add_failure(*record);
  }
  return nobodys_news.empty() ? Status() : told_.add(nobodys_news);
}

void Notifier::start() {
  thread_ = std::thread([this] { work(); });
}

void Notifier::use(Recipient recipient) {
  auto next = std::make_shared<const Recipient>(std::move(recipient));
  const std::lock_guard lock(mutex_);
  recipient_.swap(next);
}

bool Notifier::stop(std::chrono::milliseconds grace) {
  std::unique_lock lock(mutex_);
  is_stopping_ = true;
  changed_.notify_all();
  if (!thread_.joinable()) return waiting_.empty();
  changed_.wait_for(lock, grace, [this] { return has_ended_; });
  lock.unlock();
  give_up_.request_stop();
  thread_.join();
  const auto left = std::ranges::count_if(waiting_, [](const Item& item) { return item.message.has_value(); });
  if (left > 0) log_.warning("notifications were not sent before the end", {{"count", left}});
  return left == 0;
}

void Notifier::deployment_started(const StackEvent& event) {
  if (event.job.request.cause == kRollbackCause) return;
  recovered(log_, kContext, [&] { add(message_of_start(event)); });
}

// Of a rollback the job's end tells: whether somebody wanted it, or a release failed and this is the way back.
void Notifier::stack_deployed(const StackEvent& event) {
  if (event.job.request.cause == kRollbackCause) return;
  recovered(log_, kContext, [&] { add(message_of_deployment(event)); });
}

void Notifier::stack_removed(const StackEvent& event) {
  recovered(log_, kContext, [&] { add(message_of_removal(event)); });
}

void Notifier::container_restarted(const RestartEvent& event) {
  recovered(log_, kContext, [&] { add(message_of_restart(event)); });
}

void Notifier::poll_held_up(const JobRequest& request, std::string_view error) {
  recovered(log_, kContext, [&] { add(message_of_outage(request, error)); });
}

void Notifier::poll_goes_on(const JobRequest& request) {
  recovered(log_, kContext, [&] { add(Item{.cleared = {repeat_key(context_of(request))}}); });
}

void Notifier::job_ended(const JobRequest&, const RunRecord& record, const JobOutcome&) {
  recovered(log_, kContext, [&] {
    if (record.status == RunStatus::failed) return add_failure(record);
    if (record.attempts == 0) return;  // another took its place, so it says nothing
    for (auto& message : messages_of_rollback(record)) add(std::move(message));
    Item well{.cleared = {repeat_key(context_of(record))}};
    // Stacks that had nothing to do are well too: whatever made them fail has been taken back.
    for (const auto& stack : record.stacks) well.cleared.insert(repeat_key(context_of(record, stack)));
    add(std::move(well));
  });
}

void Notifier::add_failure(const RunRecord& record) {
  auto messages = messages_of_failure(record);
  for (std::size_t index = 0; index < messages.size(); ++index) {
    const bool is_last = index + 1 == messages.size();
    add(Item{.message = std::move(messages[index]), .told_run = is_last ? record.job_id : ""});
  }
}

// The key of a success is cleared also when the level says that nobody wants to hear of it (A28).
void Notifier::add(Message message) {
  Item item;
  if (message.level == NotificationLevel::success) item.cleared.insert(repeat_key(message.about));
  if (message.level >= options_.level_min) item.message = std::move(message);
  if (item.message || !item.cleared.empty()) add(std::move(item));
}

// What only clears keys joins its neighbour: the queue is bounded by messages, however many jobs end well.
void Notifier::add(Item item) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    if (!waiting_.empty() && !waiting_.back().message) {
      item.cleared.merge(waiting_.back().cleared);
      waiting_.back() = std::move(item);
    } else {
      waiting_.push_back(std::move(item));
    }
    if (waiting_.size() > options_.waiting_max) drop_oldest();
  }
  changed_.notify_all();
}

void Notifier::drop_oldest() {
  auto cleared = std::move(waiting_.front().cleared);
  waiting_.pop_front();
  waiting_.front().cleared.merge(cleared);
  if (dropped_++ == 0) log_.error("notifications are dropped: too many wait", {{"waiting", waiting_.size()}});
}

void Notifier::work() {
  while (const auto item = next()) recovered(log_, kContext, [&] { handle(*item); });
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  changed_.notify_all();
}

std::optional<Notifier::Item> Notifier::next() {
  std::unique_lock lock(mutex_);
  if (waiting_.empty() && dropped_ > 0) {
    log_.warning("notifications are sent again", {{"dropped", dropped_}});
    dropped_ = 0;
  }
  changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
  if (waiting_.empty() || give_up_.stop_requested()) return std::nullopt;
  auto item = std::move(waiting_.front());
  waiting_.pop_front();
  return item;
}

void Notifier::handle(const Item& item) {
  for (const auto& key : item.cleared)
    if (auto cleared = repeats_.clear(key); !cleared) warn("end of a failure was not noted", cleared.error());
  if (item.message && is_wanted(*item.message)) send(*item.message);
  if (item.told_run.empty() || give_up_.stop_requested()) return;  // the next start tells it
  if (auto noted = told_.add({item.told_run}); !noted) warn("notification was not noted", noted.error());
}

// In doubt people are told.
bool Notifier::is_wanted(const Message& message) {
  if (message.level < options_.level_min) return false;
  if (message.level != NotificationLevel::failure) return true;
  const auto is_repeat = repeats_.is_repeat(message, clock_.now());
  if (!is_repeat) warn("notification may be a repeat", is_repeat.error());
  if (is_repeat && *is_repeat)
    log_.debug("notification suppressed: the same failure was told lately",
               {{"title", message.title}, {"stack", message.about.stack}});
  return !is_repeat || !*is_repeat;
}

void Notifier::send(const Message& message) {
  crash_point("notify.before");
  const auto recipient = [this] {
    const std::lock_guard lock(mutex_);
    return recipient_;
  }();
  const auto sent =
      Apprise(recipient->apprise, transport_)
          .send(message.level, full_title(message), body_of(message, recipient->body), {.stop = give_up_.get_token()});
  crash_point("notify.after");
  options_.observer->notified(to_string(message.level), sent.has_value());
  const auto log = log_.with({{"title", message.title}, {"stack", message.about.stack}});
  if (!sent) return log.error("notification was not delivered", {{"error", sent.error().message}});
  log.debug("notification sent");
  if (message.level != NotificationLevel::failure) return;
  if (auto noted = repeats_.delivered(message, clock_.now()); !noted) warn("notification was not noted", noted.error());
}

std::string Notifier::body_of(const Message& message, const std::optional<BodyTemplate>& with) const {
  if (!with) return default_body(message);
  auto body = with->body_of(message);
  if (body) return is_valid_utf8(*body) ? *std::move(body) : sendable(*body);  // "\xff" of the template
  warn("notification goes with the built-in body: its template failed", body.error());
  return default_body(message);
}

void Notifier::warn(std::string_view phrase, const Error& error) const {
  log_.warning(phrase, {{"error", error.message}});
}

}  // namespace windlass
