// Brings containers back that changed without us: the engine's events, and a look at what is there after they could not
// be heard, answered as each stack's `reconciliation` says (deploy 15).
//
// A redeployment is a job of the common queue, of the stack's last good release. A restart is done here, under the
// stack's lock; whatever happens while a job has it is the job's business. Of one stack one thing is answered at a
// time.
//
// Not here: what a stack's rule is (its release, release_store.h), how often a service may be restarted
// (restart_log.h).
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "deploy/release_store.h"
#include "deploy/stack_locks.h"
#include "docker/engine.h"
#include "jobs/queue.h"
#include "model/observer.h"
#include "reconcile/occurrence.h"
#include "reconcile/restart_log.h"

namespace windlass {

class Reconciler {
 public:
  struct Options {
    std::chrono::milliseconds backoff_min{1'000}, backoff_max{60'000};  // E2
    std::chrono::milliseconds removal_wait{15'000};                     // E8
    std::chrono::milliseconds echo{10'000};  // so long after a restart its own events may come (E6)
    Observer* observer = &Observer::nobody();
  };

  // The queue may call back until it is gone: the reconciler must live until then.
  Reconciler(Options options, Engine& engine, ReleaseStore& releases, StackLocks& locks, RestartLog& restarts,
             JobQueue& queue, const Clock& clock, Log log);
  ~Reconciler();
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;

  void start();
  // Nothing is answered any more. Returns when all threads have ended.
  void stop();

 private:
  struct Answer {
    Occurrence occurrence;
    ReconciliationRule rule;
  };

  void watch();
  void hear_until_it_ends(EventStream& stream);
  void look_at_all();
  void look_for_dead_stacks(const std::map<std::string, ReconciliationRule>& rules, const Deadline& deadline);
  void consider(Occurrence occurrence);
  bool is_echo(const Occurrence& occurrence);
  void take(Answer answer);
  void work();
  void give(const Answer& answer);
  void done_with(const std::string& stack);

  bool is_allowed(const Answer& answer);
  enum class Restart { done, gone };
  Restart restart(const Answer& answer);
  void wait_while_removed(const std::string& container_id);
  bool redeploy(const Occurrence& occurrence);
  void tell(RestartEvent::Result result, const Answer& answer, std::string_view error = {}) const;
  Log log_of(const Occurrence& occurrence) const;

  const Options options_;
  Engine& engine_;
  ReleaseStore& releases_;
  StackLocks& locks_;
  RestartLog& restarts_;
  JobQueue& queue_;
  const Clock& clock_;
  const Log log_;

  std::mutex mutex_;  // of what follows
  std::condition_variable_any changed_;
  std::vector<Answer> to_give_;
  std::set<std::string> busy_;                // stacks that something is being done about
  std::map<std::string, SteadyTime> echoes_;  // container -> until when its events are our own doing

  std::stop_source stop_;
  std::vector<std::jthread> threads_;
};

}  // namespace windlass
