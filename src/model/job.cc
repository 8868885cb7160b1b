#include "model/job.h"

#include <fmt/format.h>

namespace windlass {

std::string lane_of(const JobRequest& request) {
  return fmt::format("{} {}", request.source_id, request.ref_is_digest ? "@" : request.ref);
}

bool is_lane_of_digests(std::string_view lane) { return lane.ends_with(" @"); }

std::string_view source_of_lane(std::string_view lane) { return lane.substr(0, lane.find(' ')); }

std::string scope_of(const JobRequest& request) {
  // a target holds no blanks
  auto scope = request.deployments.empty() ? request.target : fmt::format("{} {}", request.target, request.deployments);
  // what brings something back never takes the place of what deploys something
  if (is_repair(request)) scope += fmt::format("\n{}\n{}", request.cause, request.service);
  return scope;
}

std::string service_to_recreate(const JobRequest& request, const StackId& stack) {
  const auto blank = request.service.find(' ');
  const bool is_of_it =
      blank != request.service.npos && std::string_view(request.service).substr(0, blank) == stack.str();
  return is_of_it ? request.service.substr(blank + 1) : "";
}

bool is_repair(const JobRequest& request) {
  return (request.cause == kRepairCause || request.cause == kReconcileCause) && request.digest;
}

bool is_rollback(const JobRequest& request) { return request.cause == kRollbackCause && request.digest; }

const std::string& shown_repository(const JobRequest& request) {
  return request.trigger == Trigger::poll ? request.source_id : request.repository;
}

std::string revision_of(const JobRequest& request) {
  const std::string digest = request.digest ? request.digest->str() : "";
  if (request.ref.empty()) return digest;
  if (digest.empty() || digest == request.ref) return request.ref;
  return fmt::format("{} ({})", request.ref, digest);
}

std::string revision_to(const JobRequest& request, const Digest& settled) {
  return request.ref_is_digest ? settled.str() : fmt::format("{} ({})", request.ref, settled.str());
}

std::string_view error_text(FailedStep step) {
  switch (step) {
    case FailedStep::none:
      return "";
    case FailedStep::daemon_mode:
      return "failed to check if docker host is running in swarm mode";
    case FailedStep::path:
      return "failed to verify and sanitize internal filesystem path";
    case FailedStep::repository:
      return "invalid repository name";
    case FailedStep::config:
      return "failed to get deploy configuration";
    case FailedStep::resolve:
      return "failed to resolve oci artifact digest";
    case FailedStep::trust:
      return "failed OCI signature verification";
    case FailedStep::pull:
      return "failed to pull oci artifact";
    case FailedStep::deployment:
      return "deployment failed";
    case FailedStep::interrupted:
      return "";
    case FailedStep::internal:
      return "internal error";
  }
  return "internal error";
}

JobOutcome JobOutcome::failed(FailedStep step, std::string reason, bool passing_fault) {
  return {
      .status = RunStatus::failed, .failed_step = step, .message = std::move(reason), .passing_fault = passing_fault};
}

JobOutcome JobOutcome::skipped(std::string reason) {
  return {.status = RunStatus::skipped, .message = std::move(reason)};
}

std::string JobOutcome::run_message() const {
  const auto text = status == RunStatus::failed ? error_text(failed_step) : std::string_view();
  if (text.empty()) return message;
  return message.empty() ? std::string(text) : fmt::format("{}: {}", text, message);
}

}  // namespace windlass
