#include "api/health.h"

#include <algorithm>
#include <exception>

#include "sys/http_answers.h"

namespace windlass {

using namespace std::chrono_literals;

void HealthCheck::answer(std::string job_id, Responder respond) {
  std::unique_lock lock(mutex_);
  if (last_ && clock_.steady_now() - last_->at < 2s) {
    const auto finding = *last_;
    lock.unlock();
    return respond(response(finding, job_id));
  }
  waiting_.push_back({std::move(job_id), std::move(respond)});
  if (waiting_.size() == 1) worker_.post([this] { probe(); });
}

void HealthCheck::probe() {
  Finding finding;
  try {
    finding = examine();
  } catch (const std::exception& error) {
    finding = {clock_.steady_now(), "health check ended by an exception", error.what()};
  }
  std::vector<Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    last_ = finding;
    waiting.swap(waiting_);
  }
  for (const auto& [job_id, respond] : waiting) respond(response(finding, job_id));
}

HealthCheck::Finding HealthCheck::examine() {
  // The queue names what is wrong, then perhaps why: "journal not writable: <reason>", "job worker stalled" (E46).
  if (const auto queue = queue_.health(); !queue) {
    const auto& message = queue.error().message;
    const auto colon = std::min(message.find(": "), message.size());
    return {clock_.steady_now(), message.substr(0, colon), message.substr(std::min(colon + 2, message.size()))};
  }
  if (const auto engine = engine_.ping(); !engine)
    return {clock_.steady_now(),
            docker_host_set_ ? "failed to connect to docker host" : "failed to connect to docker socket",
            engine.error().message};
  return {.at = clock_.steady_now()};
}

ServerResponse HealthCheck::response(const Finding& finding, std::string_view job_id) {
  if (finding.error.empty()) return text_answer(200, "healthy", job_id);
  return error_answer(503, finding.error, finding.reason, job_id);
}

}  // namespace windlass
