// The durable job queue.
//
// accept() answers only when the job is on disk, so an answered webhook survives a crash; requests that arrive together
// share one transaction. The jobs of one lane (source and ref) run in order, a newer waiting job of the same target
// takes the place of an older one. Times out of the state file are for display; order is by row id (reliability/P25).
//
// Not here: what a job does (deploy/), who asks for one (webhook/, poll/, api/).
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/result.h"
#include "model/job.h"
#include "model/observer.h"
#include "model/run.h"

namespace windlass {

class RunPhases;

// How a running job tells what it is about; shown in its run record.
struct JobProgress {
  std::function<void(std::string revision)> revision;
};

// Runs one job to its end. Called on a worker thread; must not throw, must obey the deadline.
using JobHandler = std::function<JobOutcome(const Job&, const JobProgress&, const Deadline&)>;

class JobQueue {
 public:
  // 1, 5 and 15 minutes, then hourly for 24 hours.
  static std::vector<std::chrono::milliseconds> default_retry_delays();

  struct Options {
    std::filesystem::path state_file;
    std::size_t waiting_max = 1000;  // reliability 2
    std::size_t workers_max = 16;    // threads, made when needed
    int attempts_max = 3;            // webhook/K2
    std::chrono::milliseconds job_timeout = std::chrono::minutes(45);
    std::size_t finished_max = 100'000;           // api/N2
    std::chrono::hours finished_age_max{7 * 24};  // api/N3
    // A lane whose last job failed by a passing fault is tried again after each of these in turn (webhook/C11).
    std::vector<std::chrono::milliseconds> retry_delays = default_retry_delays();
    // Told of every job that ended, from the writer thread after the commit. Outlives the queue.
    Observer* observer = &Observer::nobody();
    // What records of running jobs tell of them; null: nothing. Outlives the queue.
    const RunPhases* phases = nullptr;
  };
  // accept() said no: queue full, shutting down, or the disk (webhook/R8, K6).
  enum class Refusal { full, stopping, cannot_persist };
  struct Accepted {
    std::string job_id;
    std::optional<Refusal> refusal;
    std::string reason;  // of cannot_persist
  };
  using OnAccepted = std::function<void(const Accepted&)>;
  using OnFinished = std::function<void(const RunRecord&, const JobOutcome&)>;

  // Opens the state file and takes back what the last process left: jobs that were running are accepted again, those
  // out of attempts fail with "interrupted by restart". Kind::internal when the file is damaged, naming the remedy.
  static Result<std::unique_ptr<JobQueue>> open(Options options, const Clock& clock, Log log);
  virtual ~JobQueue() = default;

  // Makes a job of the request, as a child of `request.parent` if it names one. `done` is called once, from the writer
  // thread, after the commit; `finished`, if given, when the job ends, also as superseded; never for a job that a stop
  // leaves queued. `job_id` is the id the sender is told. Both must be quick: the next transaction waits for them.
  virtual void accept(std::string job_id, JobRequest request, OnAccepted done, OnFinished finished = {}) = 0;

  // A run without a job: a request that was authenticated and refused, or what several jobs belong to; the latter is
  // recorded as running first and once more when it ends. Not synced before it returns; what the disk will not take is
  // shown from memory (webhook/K6).
  virtual void record(RunRecord record) = 0;
  // A run that found nothing to do and never was a job: never written, the last 50 are shown from memory (api/N5), few
  // of them in lists of everything.
  virtual void note(RunRecord record) = 0;

  // Starts the workers.
  virtual void start(JobHandler handler) = 0;
  // Refuses new jobs, lets running ones end within `grace`, then asks them to stop; what did not end stays queued.
  // False if a handler does not stop: the destructor waits for it.
  virtual bool stop(std::chrono::milliseconds grace) = 0;

  struct RunFilter {
    std::optional<RunStatus> status;
    std::optional<Trigger> trigger;
    std::size_t limit = 50;
  };
  virtual Result<std::vector<RunRecord>> runs(const RunFilter& filter) = 0;  // newest first
  virtual Result<std::optional<RunRecord>> run(const std::string& job_id) = 0;

  struct Load {
    std::size_t waiting = 0;
    std::size_t running = 0;
  };
  virtual Load load() = 0;

  // api/E46: "journal not writable: <reason>" after a write that failed, until one is done; "job worker stalled" when
  // the writer has been stuck in one transaction for 10 s.
  virtual Status health() = 0;
};

}  // namespace windlass
