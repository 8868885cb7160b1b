// A JobQueue for tests: accepts or refuses as told, remembers what it was asked, ends jobs when told.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "jobs/queue.h"

namespace windlass {

struct FakeJobQueue final : JobQueue {
  std::optional<Refusal> refusal;  // of the next jobs; none: they are accepted
  std::string reason;
  bool is_slow = false;                                  // jobs are on disk only after flush()
  std::vector<OnAccepted> slow;                          // and their senders wait
  std::vector<std::pair<std::string, JobRequest>> jobs;  // accepted, in order, with their ids
  std::vector<RunRecord> records;                        // what record() got; runs() and run() give them back
  std::vector<RunRecord> notes;                          // what note() got
  std::map<std::string, OnFinished> waiting;             // for the end of a job, by its id
  RunFilter asked;                                       // of the last runs()
  std::string fault;                                     // what health() says, empty: all is well

  std::mutex mutex;  // of what comes from any thread

  void accept(std::string job_id, JobRequest request, OnAccepted done, OnFinished finished) override {
    {
      std::unique_lock lock(mutex);
      if (const auto why = refusal) {
        lock.unlock();
        return done({.job_id = job_id, .refusal = why, .reason = reason});
      }
      jobs.emplace_back(job_id, std::move(request));
      if (finished) waiting[job_id] = std::move(finished);
    }
    if (is_slow)
      slow.push_back([done, job_id](const Accepted&) { done({.job_id = job_id}); });
    else
      done({.job_id = std::move(job_id)});
  }
  void flush() {
    for (const auto& done : std::exchange(slow, {})) done({});
  }
  void record(RunRecord record) override { records.push_back(std::move(record)); }
  void note(RunRecord record) override {
    const std::lock_guard lock(mutex);
    notes.push_back(std::move(record));
  }
  std::size_t waiting_count() {
    const std::lock_guard lock(mutex);
    return waiting.size();
  }
  // Ends the one job that is waited for.
  void end_waiting(const JobOutcome& outcome) {
    OnFinished finished;
    RunRecord run;
    {
      const std::lock_guard lock(mutex);
      auto job = waiting.extract(waiting.begin());
      run.job_id = job.key();
      finished = std::move(job.mapped());
    }
    finished(run, outcome);
  }
  void end_last(const JobOutcome& outcome) { waiting.at(jobs.back().first)({}, outcome); }

  void start(JobHandler) override {}
  bool stop(std::chrono::milliseconds) override { return true; }
  Result<std::vector<RunRecord>> runs(const RunFilter& filter) override {
    asked = filter;
    return records;
  }
  Result<std::optional<RunRecord>> run(const std::string& job_id) override {
    for (const auto& record : records)
      if (record.job_id == job_id) return std::optional(record);
    return std::optional<RunRecord>();
  }
  Load load() override { return {.waiting = waiting_count(), .running = 0}; }
  Status health() override {
    if (!fault.empty()) return fail(Kind::unavailable, fault);
    return {};
  }
};

}  // namespace windlass
