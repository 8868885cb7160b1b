#include "jobs/queue.h"

#include <atomic>
#include <utility>

#include "base/crash_point.h"
#include "jobs/books.h"
#include "jobs/history.h"
#include "jobs/run_phases.h"
#include "jobs/schema.h"
#include "jobs/workers.h"
#include "jobs/writer.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

// How long a job that was asked to stop may take to do so before the stop goes on without it.
constexpr auto kStopPatience = 5s;

class DurableQueue final : public JobQueue {
 public:
  DurableQueue(Options options, Books books, std::unique_ptr<Db> reader, const Clock& clock, Log log)
      : options_(std::move(options)),
        log_(std::move(log)),
        history_(std::move(reader), options_, clock),
        writer_(std::move(books), options_, history_, clock, log_) {}

  ~DurableQueue() override { stop(0ms); }

  void accept(std::string job_id, JobRequest request, OnAccepted done, OnFinished finished) override {
    crash_point("accept.received");
    auto job = std::make_shared<QueuedJob>();
    job->lane = lane_of(request);
    job->parent = request.parent;
    job->job = {.id = std::move(job_id), .request = std::move(request), .attempts = 0};
    job->finished = std::move(finished);
    writer_.accept(std::move(job), std::move(done));
  }

  void record(RunRecord record) override { writer_.record(std::move(record)); }
  void note(RunRecord record) override { history_.keep_note(std::move(record)); }

  void start(JobHandler handler) override {
    Workers::Events events{
        .revision = [this](const auto& job, auto revision) { writer_.tell_revision(job, std::move(revision)); },
        .ended = [this](const auto& job, auto outcome,
                        bool interrupted) { writer_.ended(job, std::move(outcome), interrupted); },
    };
    workers_ = std::make_unique<Workers>(std::move(handler), std::move(events),
                                         Workers::Options{.job_timeout = options_.job_timeout}, log_);
    writer_.lease_to([this](const QueuedJobPtr& job) { workers_->start(job); });
  }

  bool stop(std::chrono::milliseconds grace) override {
    if (stopped_.exchange(true)) return true;
    writer_.close_door();
    crash_point("stop.draining");
    if (writer_.wait_until_idle(grace)) return true;
    if (workers_) workers_->ask_to_stop();
    if (writer_.wait_until_idle(kStopPatience)) return true;
    log_.warning("jobs do not stop, they stay queued");
    writer_.give_back_running();
    return false;
  }

  Result<std::vector<RunRecord>> runs(const RunFilter& filter) override {
    auto records = history_.runs(filter);
    if (records)
      for (auto& record : *records) add_phase(record);
    return records;
  }
  Result<std::optional<RunRecord>> run(const std::string& job_id) override {
    auto record = history_.run(job_id);
    if (record && *record) add_phase(**record);
    return record;
  }
  Load load() override { return writer_.load(); }
  Status health() override { return writer_.health(); }

 private:
  void add_phase(RunRecord& record) const {
    if (options_.phases != nullptr && record.status == RunStatus::running)
      record.phase = options_.phases->of(record.job_id);
  }

  const Options options_;
  const Log log_;
  std::atomic<bool> stopped_ = false;
  History history_;
  // The workers go first: they end only when their jobs do, and tell the writer of each.
  Writer writer_;
  std::unique_ptr<Workers> workers_;
};

}  // namespace

std::vector<std::chrono::milliseconds> JobQueue::default_retry_delays() {
  std::vector<std::chrono::milliseconds> delays{1min, 5min, 15min};
  delays.insert(delays.end(), 24, 1h);
  return delays;
}

Result<std::unique_ptr<JobQueue>> JobQueue::open(Options options, const Clock& clock, Log log) {
  auto db = open_state(options.state_file);
  if (!db) return tl::unexpected(db.error());
  auto reader = Db::open(options.state_file);
  if (!reader) return while_doing("opening state file", reader.error());
  Books books(*std::move(db), options);
  if (auto taken = take_back(books, options, clock, log); !taken) return while_doing("reading jobs", taken.error());
  return std::make_unique<DurableQueue>(std::move(options), std::move(books), *std::move(reader), clock,
                                        std::move(log));
}

}  // namespace windlass
