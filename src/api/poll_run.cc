#include "api/poll_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>

#include "api/body_fault.h"
#include "api/parameters.h"
#include "api/poll_body.h"
#include "api/refusal.h"
#include "sys/crypto.h"
#include "sys/http_answers.h"
#include "sys/json.h"
#include "sys/query.h"

namespace windlass {
namespace {

constexpr std::string_view kComplete = "poll jobs complete";

// One call on its way: told by the queue what becomes of its jobs, from the queue's thread.
class Call {
 public:
  Call(RunRecord run, const std::vector<JobRequest>& requests, bool waits, JobQueue& queue, const Clock& clock,
       Responder respond)
      : run_(std::move(run)),
        waits_(waits),
        queue_(queue),
        clock_(clock),
        respond_(std::move(respond)),
        unanswered_(requests.size()),
        unfinished_(requests.size()) {
    for (const auto& request : requests) ends_.push_back({.repository = shown_repository(request)});
  }

  void accepted(std::size_t index, const JobQueue::Accepted& result) {
    const std::lock_guard lock(mutex_);
    if (result.refusal) {
      ++refused_;
      ended(index, RunStatus::failed, refusal_text(result));
    }
    if (--unanswered_ == 0 && !waits_) answer_started();
  }
  void finished(std::size_t index, const JobOutcome& outcome) {
    const std::lock_guard lock(mutex_);
    ended(index, outcome.status, outcome.run_message());
  }

 private:
  struct End {
    std::string repository;
    RunStatus status = RunStatus::accepted;
    std::string message;
  };

  void ended(std::size_t index, RunStatus status, std::string message) {
    ends_[index].status = status;
    ends_[index].message = std::move(message);
    if (--unfinished_ > 0) return;
    const auto failed = std::ranges::count(ends_, RunStatus::failed, &End::status);
    run_.status = failed == 0 ? RunStatus::succeeded : RunStatus::failed;
    run_.message = failed == 0 ? kComplete : fmt::format("{}/{} poll jobs failed", failed, ends_.size());
    run_.updated_at = clock_.now();
    run_.finished_at = run_.updated_at;
    queue_.record(run_);
    if (waits_) answer_ended();
  }
  // E11; a queue that took none of them is told as the webhook endpoint tells it.
  void answer_started() const {
    if (refused_ < ends_.size()) return respond_(text_answer(202, "poll jobs started", run_.job_id));
    auto answer = error_answer(503, ends_.front().message, "retry later", run_.job_id);
    answer.headers.push_back({"Retry-After", "30"});
    respond_(std::move(answer));
  }
  // E10
  void answer_ended() const {
    if (run_.status == RunStatus::succeeded) return respond_(text_answer(200, kComplete, run_.job_id));
    json::array content;
    for (const auto& end : ends_)
      content.push_back(
          json::object{{"repository", end.repository}, {"status", to_string(end.status)}, {"message", end.message}});
    respond_(error_json_answer(500, run_.message, json::serialize(content), run_.job_id));
  }

  std::mutex mutex_;
  RunRecord run_;
  const bool waits_;
  JobQueue& queue_;
  const Clock& clock_;
  const Responder respond_;
  std::vector<End> ends_;  // by entry
  std::size_t unanswered_, unfinished_, refused_ = 0;
};

// The run that the call is (E12).
RunRecord run_of(const std::string& job_id, const std::vector<JobRequest>& requests, WallTime now) {
  RunRecord run{.job_id = job_id,
                .trigger = Trigger::poll,
                .status = RunStatus::running,
                .repository = "multiple",
                .created_at = now,
                .updated_at = now,
                .started_at = now};
  if (requests.size() > 1) return run;
  run.repository = shown_repository(requests.front());
  run.source = requests.front().source_id;
  run.target = requests.front().target;
  run.revision = revision_of(requests.front());
  return run;
}

}  // namespace

void PollRun::answer(const ServerRequest& request, std::string job_id, Responder respond) const {
  const auto wait = wait_parameter(request.query, true, job_id);
  if (!wait) return respond(wait.error());  // api/B11
  if (auto unreadable = unreadable_body(request.body_fault, job_id)) return respond(*std::move(unreadable));
  auto body = read_poll_body(request.body, options_.strict, job_id);
  if (!body) return respond(std::move(body.error()));
  for (const auto& warning : body->warnings)
    log_.warning("poll configuration", {{"job_id", job_id}, {"warning", warning}});

  auto run = run_of(job_id, body->requests, clock_.now());
  queue_.record(run);
  const auto call = std::make_shared<Call>(std::move(run), body->requests, *wait, queue_, clock_, std::move(respond));
  for (std::size_t i = 0; i < body->requests.size(); ++i) {
    auto& child = body->requests[i];
    child.parent = job_id;
    queue_.accept(
        new_uuid_v7(), std::move(child), [call, i](const JobQueue::Accepted& result) { call->accepted(i, result); },
        [call, i](const RunRecord&, const JobOutcome& outcome) { call->finished(i, outcome); });
  }
}

}  // namespace windlass
