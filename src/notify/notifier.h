// Tells people what happens, by Apprise (api 6).
//
// What is observed becomes a message at once and is sent by a thread of its own, one after the other, so that no
// deployment ever waits for it (A7). The same failure is told once an interval. A job's failure that a stop or a kill
// kept from being told is told by the next start: at least once, at most twice (reliability/F12); other messages go
// with the process.
//
// Not here: what is worth telling (events.h), texts (message.h), the request (apprise.h).
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "model/observer.h"
#include "notify/apprise.h"
#include "notify/body_template.h"
#include "notify/message.h"
#include "notify/repeats.h"
#include "notify/told_runs.h"

namespace windlass {

class Notifier final : public Observer {
 public:
  // Who is told, and in which form.
  struct Recipient {
    Apprise::Options apprise;
    std::optional<BodyTemplate> body{};  // in place of the built-in body
  };
  struct Options {
    Recipient recipient;
    NotificationLevel level_min = NotificationLevel::success;
    std::chrono::milliseconds repeat_interval = std::chrono::hours(1);
    std::size_t waiting_max = 256;             // messages; when it is full the oldest goes
    Observer* observer = &Observer::nobody();  // of what becomes of messages; outlives the notifier
  };

  // Creates its tables if they are not there. Tells nobody yet, but keeps what it observes.
  static Result<std::unique_ptr<Notifier>> open(Options options, std::unique_ptr<Db> db, HttpTransport& transport,
                                                const Clock& clock, Log log);
  ~Notifier() override;

  // Before start(): the newest failed runs of the history, the newest first. Those of jobs that nobody has been told of
  // are told.
  Status catch_up(const std::vector<RunRecord>& failed);
  void start();
  // Whoever is told from the next message on; what waits goes there as well. From any thread.
  void use(Recipient recipient);
  // Nothing more is taken. What waits is sent within `grace`; false, and a line in the log, if that was too short.
  bool stop(std::chrono::milliseconds grace);

  void deployment_started(const StackEvent& event) override;
  void stack_deployed(const StackEvent& event) override;
  void stack_removed(const StackEvent& event) override;
  void job_ended(const JobRequest& request, const RunRecord& record, const JobOutcome& outcome) override;
  void poll_held_up(const JobRequest& request, std::string_view error) override;
  void poll_goes_on(const JobRequest& request) override;
  void container_restarted(const RestartEvent& event) override;

 private:
  // What is to be done, in this order.
  struct Item {
    std::set<std::string> cleared;   // keys that are well
    std::optional<Message> message;  // to be sent
    std::string told_run;            // has been told with this message; may be empty
  };

  Notifier(Options options, std::unique_ptr<Db> db, Repeats repeats, ToldRuns told, HttpTransport& transport,
           const Clock& clock, Log log);
  void add(Item item);
  void add(Message message);
  void add_failure(const RunRecord& record);
  void drop_oldest();
  void work();
  std::optional<Item> next();
  void handle(const Item& item);
  bool is_wanted(const Message& message);
  void send(const Message& message);
  std::string body_of(const Message& message, const std::optional<BodyTemplate>& with) const;
  void warn(std::string_view phrase, const Error& error) const;

  const Options options_;
  HttpTransport& transport_;
  const Clock& clock_;
  const Log log_;
  const std::unique_ptr<Db> db_;  // with these two: of the thread, once it runs
  Repeats repeats_;
  ToldRuns told_;

  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::shared_ptr<const Recipient> recipient_;
  std::deque<Item> waiting_;
  std::size_t dropped_ = 0;  // since the queue was empty
  bool is_stopping_ = false;
  bool has_ended_ = false;

  std::stop_source give_up_;
  std::thread thread_;
};

}  // namespace windlass
