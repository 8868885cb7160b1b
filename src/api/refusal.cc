#include "api/refusal.h"

#include "sys/http_answers.h"

namespace windlass {

std::string refusal_text(const JobQueue::Accepted& result) {
  switch (*result.refusal) {
    case JobQueue::Refusal::full:
      return "job queue is full";
    case JobQueue::Refusal::stopping:
      return "shutting down";
    case JobQueue::Refusal::cannot_persist:
      break;
  }
  return "cannot persist job: " + result.reason;
}

ServerResponse refusal_answer(const JobQueue::Accepted& result) {
  auto answer = error_answer(503, refusal_text(result), "retry later", result.job_id);
  answer.headers.push_back({"Retry-After", "30"});
  return answer;
}

}  // namespace windlass
