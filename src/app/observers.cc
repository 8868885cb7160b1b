#include "app/observers.h"

namespace windlass {

void Observers::deployment_started(const StackEvent& event) {
  for (auto* observer : observers_) observer->deployment_started(event);
}

void Observers::deployment_failed(const StackEvent& event) {
  for (auto* observer : observers_) observer->deployment_failed(event);
}

void Observers::stack_deployed(const StackEvent& event) {
  for (auto* observer : observers_) observer->stack_deployed(event);
}

void Observers::stack_removed(const StackEvent& event) {
  for (auto* observer : observers_) observer->stack_removed(event);
}

void Observers::phase_changed(std::string_view job_id, std::string_view stack, std::string_view phase) {
  for (auto* observer : observers_) observer->phase_changed(job_id, stack, phase);
}

void Observers::job_ended(const JobRequest& request, const RunRecord& record, const JobOutcome& outcome) {
  for (auto* observer : observers_) observer->job_ended(request, record, outcome);
}

void Observers::container_restarted(const RestartEvent& event) {
  for (auto* observer : observers_) observer->container_restarted(event);
}

void Observers::poll_ended(const JobRequest& request, std::chrono::milliseconds elapsed, bool good) {
  for (auto* observer : observers_) observer->poll_ended(request, elapsed, good);
}

void Observers::poll_held_up(const JobRequest& request, std::string_view error) {
  for (auto* observer : observers_) observer->poll_held_up(request, error);
}

void Observers::poll_goes_on(const JobRequest& request) {
  for (auto* observer : observers_) observer->poll_goes_on(request);
}

void Observers::webhook_answered(std::string_view provider, std::string_view repository, WebhookResult result) {
  for (auto* observer : observers_) observer->webhook_answered(provider, repository, result);
}

void Observers::journal_failed() {
  for (auto* observer : observers_) observer->journal_failed();
}

void Observers::notified(std::string_view level, bool delivered) {
  for (auto* observer : observers_) observer->notified(level, delivered);
}

}  // namespace windlass
