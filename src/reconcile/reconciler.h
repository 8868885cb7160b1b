// Brings containers back that changed without us: the engine's events, and a look at what is there after they could not
// be heard, answered as each stack's `reconciliation` says (deploy 15).
//
// What happens is kept until its stack is free (backlog.h), and is answered if it is still so then (still_so.h): the
// events of our own restarts and of deployments are over by that time. A redeployment is a job of the common queue, of
// the stack's last good release. A restart is done here, under the stack's lock. Of one stack one thing is answered at
// a time, of different stacks a few.
//
// Each engine on which something is deployed is listened to by a thread of its own, as long as it has stacks, and is
// waited for when it is away.
//
// Not here: what a stack's rule is (its release, release_store.h), how often a service may be restarted
// (restart_log.h).
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "deploy/release_store.h"
#include "deploy/stack_locks.h"
#include "docker/engines.h"
#include "jobs/queue.h"
#include "model/observer.h"
#include "reconcile/backlog.h"
#include "reconcile/endings.h"
#include "reconcile/occurrence.h"
#include "reconcile/restart_log.h"

namespace windlass {

class Reconciler {
 public:
  struct Options {
    std::chrono::milliseconds backoff_min{1'000}, backoff_max{60'000};  // E2
    std::chrono::milliseconds removal_wait{15'000};                     // E8
    // What ended may be started again at once, by the engine or by who restarts it: that needs no answer.
    std::chrono::milliseconds settle{1'000};
    std::chrono::milliseconds look_again_min{1'000}, look_again_max{30'000};
    Observer* observer = &Observer::nobody();
    std::string instance;  // INSTANCE_ID
  };

  // The queue may call back until it is gone: the reconciler must live until then.
  Reconciler(Options options, Engines& engines, ReleaseStore& releases, StackLocks& locks, RestartLog& restarts,
             JobQueue& queue, const Clock& clock, Log log);
  ~Reconciler();
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;

  // Listens to the default engine, and to those of the contexts that the store has stacks on.
  void start();
  // After every job: stacks may have come to a context, the last one may be gone from it, or it may lead to another
  // engine now. Does not wait, and does nothing before start().
  void follow();
  // Nothing is answered any more. Returns when all threads have ended.
  void stop();

 private:
  struct Answer {
    Occurrence occurrence;
    ReconciliationRule rule;
  };
  // What is to be done with what was kept.
  struct Next {
    enum class What { forget, keep, left_to_job } what = What::forget;
    std::chrono::milliseconds wait{0};  // of keep; 0: it failed, and waits the longer the more often it did
  };

  // What is listened to.
  struct Watched {
    std::string context;
    std::stop_token stop;
    std::shared_ptr<Engine> engine;  // as the context's metadata were when it was last asked for
    Endings endings;
  };

  // The thread of it.
  struct Watcher {
    explicit Watcher(std::string name) : context(std::move(name)) {}
    const std::string context;
    std::shared_ptr<Engine> engine;  // that it listens to, or tries to; guarded by mutex_
    std::atomic<bool> has_ended = false;
    std::jthread thread;
  };

  static bool answers_by_redeploy(const ReconciliationRule& rule);
  bool is_still_right(const Watcher& watcher, const std::set<std::string>& wanted);
  void watch(Watcher& watcher, const std::stop_token& stop);
  Result<std::unique_ptr<EventStream>> listen(Watcher& watcher, Watched& watched, const Deadline& deadline);
  void hear_until_it_ends(Watched& watched, EventStream& stream);
  Status look_at_all(Watched& watched);
  void look_at_finished(Watched& watched, const std::vector<ContainerSummary>& containers, const Deadline& deadline);
  Status look_for_dead_stacks(Watched& watched, const std::map<StackId, ReconciliationRule>& rules,
                              const Deadline& deadline);
  void consider(Occurrence occurrence);
  void keep(Backlog::Entry entry, std::chrono::milliseconds after);
  void keep_after_failure(Backlog::Entry entry);

  void work();
  Next answer(const Backlog::Entry& entry);
  Next answer_by_restart(Engine& engine, const Answer& answer, const Backlog::Entry& entry);
  std::optional<Next> refused(const Answer& answer);
  Next redeploy(Engine& engine, const Backlog::Entry& entry);
  bool is_left_for_inspection(const Occurrence& occurrence);
  void wait_while_removed(Engine& engine, const std::string& container_id);
  void job_ended(const Backlog::Entry& entry, const JobOutcome& outcome);
  void tell(RestartEvent::Result result, const Answer& answer, std::string_view error = {}) const;
  Log log_of(const Occurrence& occurrence) const;

  const Options options_;
  Engines& engines_;
  ReleaseStore& releases_;
  StackLocks& locks_;
  RestartLog& restarts_;
  JobQueue& queue_;
  const Clock& clock_;
  const Log log_;

  Backlog backlog_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::map<StackId, std::string> left_;  // the failed release that was told to be left alone
  bool is_started_ = false;              // and not stopped: from then on nobody changes the threads

  std::stop_source stop_;  // of those that answer
  std::vector<std::jthread> workers_;
  std::list<Watcher> watchers_;
  std::list<Watcher> leaving_;  // which were told to stop, and will be joined once they have
};

}  // namespace windlass
