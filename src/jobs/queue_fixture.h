// For tests of the queue: a folder with a state file, requests, and a handler that waits to be let go.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "jobs/queue.h"
#include "sys/sqlite.h"

namespace windlass {

using namespace std::chrono_literals;

inline JobRequest request_for(std::string ref, std::string target = "", int digest = 0) {
  JobRequest request{.artifact = "registry.test/acme/app:" + ref,
                     .source_id = "registry.test/acme/app",
                     .repository = "acme/app",
                     .ref = std::move(ref),
                     .target = std::move(target)};
  const auto text = std::to_string(digest);
  if (digest != 0) request.digest = Digest::of_sha256_hex(std::string(64 - text.size(), '0') + text);
  return request;
}

// Jobs block in it until they are released; it remembers what it ran.
class Gate {
 public:
  JobHandler handler() {
    return [this](const Job& job, const JobProgress&, const Deadline& deadline) { return run(job, deadline); };
  }
  // How the job `id` shall end, now or later.
  void release(const std::string& id, JobOutcome outcome = {.message = "done"}) {
    const std::lock_guard lock(mutex_);
    outcomes_[id] = std::move(outcome);
    changed_.notify_all();
  }
  bool wait_for_start(const std::string& id) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 5s, [&] { return find(id) != nullptr; });
  }
  std::vector<Job> ran() {
    const std::lock_guard lock(mutex_);
    return ran_;
  }

 private:
  const Job* find(const std::string& id) {
    for (const auto& job : ran_)
      if (job.id == id) return &job;
    return nullptr;
  }
  JobOutcome run(const Job& job, const Deadline& deadline) {
    std::unique_lock lock(mutex_);
    ran_.push_back(job);
    changed_.notify_all();
    const std::stop_callback wake(deadline.stop, [this] { changed_.notify_all(); });
    while (!outcomes_.contains(job.id)) {
      if (deadline.passed()) return JobOutcome::failed(FailedStep::pull, "asked to stop");
      changed_.wait_for(lock, 10ms);
    }
    return outcomes_[job.id];
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, JobOutcome> outcomes_;
  std::vector<Job> ran_;
};

class JobQueueTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "queue_test.XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    options_.state_file = folder_ / "state.db";
  }
  void TearDown() override {
    queue_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    queue_.reset();
    auto opened = JobQueue::open(options_, clock_, Log({.level = LogLevel::critical}));
    ASSERT_TRUE(opened) << opened.error().message;
    queue_ = *std::move(opened);
  }
  JobQueue::Accepted accept(std::string id, JobRequest request, JobQueue::OnFinished finished = {}) {
    std::promise<JobQueue::Accepted> told;
    queue_->accept(
        std::move(id), std::move(request), [&](const auto& accepted) { told.set_value(accepted); },
        std::move(finished));
    return told.get_future().get();
  }
  RunRecord run(const std::string& id) {
    const auto record = queue_->run(id);
    EXPECT_TRUE(record && *record) << "no run " << id;
    return record && *record ? **record : RunRecord{};
  }
  // The run, once it has the status.
  RunRecord run(const std::string& id, RunStatus status) {
    for (int i = 0; i < 1000 && run(id).status != status; ++i) std::this_thread::sleep_for(5ms);
    const auto record = run(id);
    EXPECT_EQ(record.status, status) << id;
    return record;
  }
  std::vector<RunRecord> runs(const JobQueue::RunFilter& filter = {}) {
    auto records = queue_->runs(filter);
    EXPECT_TRUE(records);
    return records.value_or(std::vector<RunRecord>());
  }
  std::vector<std::string> ids(const JobQueue::RunFilter& filter = {}) {
    std::vector<std::string> result;
    for (const auto& record : runs(filter)) result.push_back(record.job_id);
    return result;
  }
  // A number from the state file, by a connection of our own.
  std::int64_t on_disk(const std::string& sql) {
    auto db = Db::open(options_.state_file);
    auto query = (*db)->query(sql);
    EXPECT_TRUE(query.step().value_or(false)) << sql;
    return query.number(0);
  }

  std::filesystem::path folder_;
  JobQueue::Options options_;
  SystemClock clock_;
  Gate gate_;  // outlives the queue, whose workers are in it
  std::unique_ptr<JobQueue> queue_;
};

}  // namespace windlass
