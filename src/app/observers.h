// All who want to know, as one: hands every call on to each of them.
#pragma once

#include <vector>

#include "model/observer.h"

namespace windlass {

class Observers final : public Observer {
 public:
  // Before anything happens; `observer` outlives those who tell.
  void add(Observer& observer) { observers_.push_back(&observer); }

  void deployment_started(const StackEvent& event) override;
  void deployment_failed(const StackEvent& event) override;
  void stack_deployed(const StackEvent& event) override;
  void stack_removed(const StackEvent& event) override;
  void phase_changed(std::string_view job_id, std::string_view stack, std::string_view phase) override;
  void job_ended(const JobRequest& request, const RunRecord& record, const JobOutcome& outcome) override;
  void container_restarted(const RestartEvent& event) override;
  void poll_ended(const JobRequest& request, std::chrono::milliseconds elapsed, bool good) override;
  void poll_held_up(const JobRequest& request, std::string_view error) override;
  void poll_goes_on(const JobRequest& request) override;
  void webhook_answered(std::string_view provider, std::string_view repository, WebhookResult result) override;
  void journal_failed() override;
  void notified(std::string_view level, bool delivered) override;

 private:
  std::vector<Observer*> observers_;
};

}  // namespace windlass
