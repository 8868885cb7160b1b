// What the service counts of itself, under doco-cd's names (api 4).
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "jobs/queue.h"
#include "metrics/metrics.h"
#include "model/observer.h"
#include "sys/http_server.h"

namespace windlass {

class ServiceMetrics final : public Observer {
 public:
  ServiceMetrics(LogLevel log_level, WallTime started);

  void deployment_started(const StackEvent& event) override;
  void deployment_failed(const StackEvent& event) override;
  void stack_deployed(const StackEvent& event) override;
  void stack_removed(const StackEvent& event) override;
  void job_ended(const JobRequest& request, const RunRecord& record, const JobOutcome& outcome) override;
  void poll_ended(const JobRequest& request, std::chrono::milliseconds elapsed, bool good) override;
  void webhook_answered(std::string_view provider, std::string_view repository, WebhookResult result) override;
  void journal_failed() override;
  void notified(std::string_view level, bool delivered) override;

  // All of it, with what is true at this moment.
  std::string page(const JobQueue::Load& load, bool engine_answers);

 private:
  // The first so many names as they are, all others as "other": names come from outside (api/M6).
  class Names {
   public:
    explicit Names(std::size_t max) : max_(max) {}
    std::string_view known(std::string_view name);

   private:
    const std::size_t max_;
    std::mutex mutex_;
    std::set<std::string, std::less<>> names_;
  };

  using Type = Metric::Type;
  Names sources_{500};
  Names stacks_{1000};
  Metric info_;
  Metric polls_, poll_errors_;
  Histogram poll_duration_;
  Metric webhooks_, webhook_errors_;
  Histogram webhook_duration_;
  Metric deployments_, deployment_errors_, deployments_active_;
  Histogram deployment_duration_;
  Metric webhooks_received_, jobs_waiting_, jobs_running_;
  Histogram job_duration_;
  Metric journal_errors_, notifications_, engine_up_;
};

// Answers GET /metrics with the page, everything else with 404 or 405.
ServerResponse metrics_answer(const ServerRequest& request, const std::function<std::string()>& page);

}  // namespace windlass
