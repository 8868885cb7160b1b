#include "webhook/answers.h"

#include <fmt/format.h>

#include "model/target.h"
#include "sys/http_answers.h"

namespace windlass {
namespace {

constexpr std::string_view kUnparsable = "failed to parse payload";

WebhookAnswer same_text_twice(int status, std::string text) {
  return {.status = status, .error = text, .content = text};
}

WebhookAnswer unparsable(int status, std::string_view why) {
  return {.status = status, .error = std::string(kUnparsable), .content = fmt::format("{}: {}", kUnparsable, why)};
}

int status_of_failure(FailedStep step) {
  return step == FailedStep::path || step == FailedStep::repository ? 400 : 500;
}

}  // namespace

ServerResponse WebhookAnswer::response(std::string_view job_id) const {
  auto response = error.empty() ? text_answer(status, content, job_id) : error_answer(status, error, content, job_id);
  if (!extra_header.name.empty()) response.headers.push_back(extra_header);
  response.close = close;
  return response;
}

std::string WebhookAnswer::run_message() const { return fmt::format("{}: {}", error, content); }

WebhookAnswer method_not_allowed() {
  auto answer = same_text_twice(405, "invalid http method");
  answer.extra_header = {"Allow", "POST"};
  return answer;
}

WebhookAnswer missing_signature() { return same_text_twice(400, "missing signature or token header"); }

WebhookAnswer wrong_signature(Sender sender) {
  if (sender == Sender::gitlab) return same_text_twice(401, "gitlab token verification failed");
  return {.status = 401, .error = "incorrect secret key", .content = "HMAC verification failed"};
}

WebhookAnswer artifact_not_allowed(const Reference& reference) {
  return {.status = 403,
          .error = "artifact not allowed",
          .content = fmt::format("{} is not in OCI_ALLOWED_ARTIFACTS", reference.source_id())};
}

WebhookAnswer invalid_target() {
  return {.status = 400, .error = "invalid target", .content = fmt::format("must match {}", kTargetRule)};
}

WebhookAnswer not_accepted(JobQueue::Refusal refusal, const std::string& why) {
  WebhookAnswer answer{.status = 503, .content = "retry later", .extra_header = {"Retry-After", "30"}};
  switch (refusal) {
    case JobQueue::Refusal::full:
      answer.error = "job queue is full";
      break;
    case JobQueue::Refusal::stopping:
      answer.error = "shutting down";
      break;
    case JobQueue::Refusal::cannot_persist:
      answer.error = "cannot persist job";
      answer.content = why;
      break;
  }
  return answer;
}

WebhookAnswer unreadable_body(BodyFault fault) {
  if (fault == BodyFault::too_large) {
    auto answer = unparsable(413, "http: request body too large");
    answer.close = true;
    return answer;
  }
  return fault == BodyFault::timed_out ? unparsable(408, "i/o timeout") : unparsable(400, "unexpected EOF");
}

WebhookAnswer empty_body() { return unparsable(400, "request body is empty"); }

WebhookAnswer bad_payload(const PayloadFault& fault) {
  return {.status = 400, .error = fault.error, .content = fault.content};
}

WebhookAnswer git_not_enabled() {
  return {.status = 400, .error = "source type not enabled", .content = "git sources are not enabled, only oci"};
}

WebhookAnswer job_accepted() { return {.status = 202, .content = "job accepted"}; }

WebhookAnswer job_ended(const JobOutcome& outcome, std::string_view job_id) {
  if (outcome.status == RunStatus::succeeded)
    return {.status = 201, .content = outcome.message.empty() ? "job completed successfully" : outcome.message};
  if (outcome.status == RunStatus::skipped) return {.content = fmt::format("job skipped: {}", outcome.message)};
  const auto step = outcome.failed_step;
  if (step == FailedStep::internal)
    return {
        .status = 500, .error = std::string(error_text(step)), .content = fmt::format("see log for job {}", job_id)};
  const auto text = error_text(step);
  return {.status = status_of_failure(step),
          .error = text.empty() ? outcome.message : std::string(text),  // a reason that stands alone
          .content = outcome.message};
}

}  // namespace windlass
