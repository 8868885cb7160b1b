// Looks at sources in turn, and makes a job of one that has moved (oci 13).
//
// A look that finds nothing new costs one conditional request to the registry and one question to the engine; nothing
// is written and there is no job. What has moved, or is not as it was deployed, becomes a job of the common queue, in
// the same lane as its webhooks; until that job has ended the source is not looked at again. Sources that cannot be
// looked at change nothing: that is told once, and once more when it is over.
//
// Few threads for many sources: as many as look at the same time, which a registry that hangs cannot use up.
//
// Not here: when a source is due (poll_schedule.h), what "nothing to do" means (deploy/).
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/result.h"
#include "config/poll_config.h"
#include "jobs/queue.h"
#include "model/observer.h"
#include "poll/outages.h"
#include "poll/poll_schedule.h"
#include "source/source.h"

namespace windlass {

class Poller {
 public:
  struct Options {
    PollSchedule::Options schedule;
    std::size_t threads_max = 32;
    std::chrono::milliseconds look_timeout{30'000};
    Observer* observer = &Observer::nobody();
  };
  // Why a job of this request would find nothing to do for this digest, "no changes"; nothing: it would do something.
  // An error: that could not be found out.
  using SettledBecause =
      std::function<Result<std::optional<std::string>>(const JobRequest&, const Digest&, const Deadline&)>;

  // While the source cannot be looked at: the digest that its stacks were last brought to well, if they are not as that
  // left them any more; nothing otherwise. An error: that could not be found out.
  using ToRepair = std::function<Result<std::optional<Digest>>(const JobRequest&, const Deadline&)>;
  // As Source::look().
  using LookAt = std::function<Result<Look>(const JobRequest&, const std::optional<Sighting>&, const Deadline&)>;
  struct Questions {
    LookAt look;
    SettledBecause settled_because;
    ToRepair to_repair;
  };

  // `configs` are valid. The queue may call back until it is gone: the poller must live until then.
  Poller(Options options, const std::vector<PollConfig>& configs, Questions questions, JobQueue& queue,
         const Clock& clock, Log log);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void start();
  // These sources from now on. What was configured in the same words before goes on: its schedule, what was seen of it,
  // whether it has run once. The others are new, or are not looked at any more; what became a job of theirs stays one.
  void use(const std::vector<PollConfig>& configs);
  // No look begins any more, those under way are cut short. Returns when all threads have ended.
  void stop();

  // What is to be said of a job of ours that fails now and would do something again: "; the poll tries it again after
  // 3m0s, and each failure doubles that, up to 30m0s". The same at each failure, so that it is told as the same one. ""
  // of jobs of others, of what runs once, and of a release that is left alone.
  std::string what_comes_next(const std::string& job_id, const Deadline& deadline);

  // One source that is due, looked at on this thread; false: none is. What the threads do again and again.
  bool step();

 private:
  struct Polled {
    PollConfig config;
    JobRequest request;
    std::string registry;
    std::size_t number = 0;        // of the schedule
    bool is_removed = false;       // guarded by mutex_
    std::optional<Sighting> seen;  // at the last look; of the thread that looks
  };
  using PolledSource = std::shared_ptr<Polled>;
  // Why a source could not be looked at.
  struct Fault {
    std::string scope;
    Error error;
    std::optional<std::chrono::seconds> come_again;
  };

  PolledSource polled(const PollConfig& config) const;
  void add(std::vector<PolledSource> sources);  // with mutex_ held
  void remove(const PolledSource& source);      // with mutex_ held
  void begin_work();                            // with mutex_ held
  void work();
  PolledSource take();       // with mutex_ held; null: none is due
  void leave_one_waiting();  // with mutex_ held
  bool is_removed(const PolledSource& source);
  void take_turn(const PolledSource& source);
  void poll(const PolledSource& source);
  tl::expected<Digest, Fault> look(Polled& source, const Deadline& deadline);
  void tell_outage(const Polled& source, const Fault& fault);
  void end_outage(const Polled& source);
  void held_up(const Polled& source, const Fault& fault);
  std::optional<JobRequest> repair(const Polled& source, const Fault& fault, const Deadline& deadline) const;
  void unchanged(const Polled& source, const Digest& digest, std::string reason);
  void make_job(const PolledSource& source, const JobRequest& request);
  void end(const Polled& source, PollSchedule::End how, std::optional<std::chrono::seconds> come_again = std::nullopt);
  RunRecord record_of(const Polled& source, RunStatus status, std::string message) const;

  const Options options_;
  const Questions questions_;
  JobQueue& queue_;
  const Clock& clock_;
  const Log log_;

  std::mutex mutex_;
  std::condition_variable changed_;
  PollSchedule schedule_;                        // guarded by mutex_
  Outages outages_;                              // guarded by mutex_
  std::map<std::size_t, PolledSource> sources_;  // by number, those that have run once too; guarded by mutex_
  std::map<std::string, PolledSource> jobs_;     // by id, until they end; guarded by mutex_
  std::size_t idle_ = 0;                         // threads; guarded by mutex_
  bool is_started_ = false;                      // guarded by mutex_
  std::stop_source stop_;
  std::vector<std::thread> threads_;  // guarded by mutex_ until stop()
};

}  // namespace windlass
