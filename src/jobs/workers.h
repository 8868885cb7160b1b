// Threads that run jobs: made when a job needs one, ended when nothing came for a while (memory).
//
// Who may run is decided before (lanes.h), so that there is never more to do than threads allowed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/log.h"
#include "jobs/queue.h"
#include "jobs/queued_job.h"

namespace windlass {

class Workers {
 public:
  struct Options {
    std::chrono::milliseconds job_timeout = std::chrono::minutes(45);
    std::chrono::milliseconds idle_max = std::chrono::seconds(30);
  };
  struct Events {
    std::function<void(const QueuedJobPtr&, std::string revision)> revision;
    // `interrupted`: the job failed after it was asked to stop, which is no failure of its own.
    std::function<void(const QueuedJobPtr&, JobOutcome, bool interrupted)> ended;
  };

  Workers(JobHandler handler, Events events, Options options, Log log);
  // Asks all jobs to stop and waits until they do.
  ~Workers();

  void start(const QueuedJobPtr& job);
  void ask_to_stop() { stop_.request_stop(); }
  std::size_t threads();

 private:
  struct Thread {
    std::thread thread;
    bool ended = false;
  };
  bool make_thread();
  void reap();
  void work(Thread& self);
  QueuedJobPtr next(Thread& self);
  JobOutcome run(const QueuedJobPtr& job);

  const JobHandler handler_;
  const Events events_;
  const Options options_;
  const Log log_;
  std::stop_source stop_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<QueuedJobPtr> to_start_;
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::list<Thread> threads_;  // a list: threads know their own entry
};

}  // namespace windlass
