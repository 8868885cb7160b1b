#include "app/service_metrics.h"

#include <algorithm>

#include "metrics/process_metrics.h"
#include "sys/http_answers.h"

namespace windlass {
namespace {

// api 4, and M5 for what takes longer
const std::vector<double> kBuckets = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800};

double seconds(std::chrono::milliseconds elapsed) { return static_cast<double>(elapsed.count()) / 1000; }

// The wall clock may have jumped meanwhile.
double seconds_of(const RunRecord& record) {
  if (!record.started_at || !record.finished_at) return 0;
  return std::max(0.0, std::chrono::duration<double>(*record.finished_at - *record.started_at).count());
}

std::string_view to_string(WebhookResult result) {
  switch (result) {
    case WebhookResult::accepted:
      return "accepted";
    case WebhookResult::rejected:
      return "rejected";
    case WebhookResult::unauthorized:
      return "unauthorized";
  }
  return "rejected";
}

}  // namespace

ServiceMetrics::ServiceMetrics(LogLevel log_level, WallTime started)
    : info_(Type::gauge, "doco_cd_info", "Version and start of the service; always 1.",
            {"version", "log_level", "start_time"}),
      polls_(Type::counter, "doco_cd_polls_total", "Looks at polled sources that ended.", {"repository"}),
      poll_errors_(Type::counter, "doco_cd_poll_errors_total", "Looks that failed, and failed jobs of polls.",
                   {"repository"}),
      poll_duration_("doco_cd_poll_duration_seconds", "How long looks at polled sources took.", {"repository"},
                     kBuckets),
      webhooks_(Type::counter, "doco_cd_webhook_requests_total", "Webhook jobs that succeeded.", {"repository"}),
      webhook_errors_(Type::counter, "doco_cd_webhook_errors_total", "Webhooks refused, and their jobs that failed.",
                      {"repository"}),
      webhook_duration_("doco_cd_webhook_duration_seconds", "How long webhook jobs took that succeeded.",
                        {"repository"}, kBuckets),
      deployments_(Type::counter, "doco_cd_deployments_total", "Stacks deployed.", {"repository", "deployment"}),
      deployment_errors_(Type::counter, "doco_cd_deployment_errors_total", "Stacks whose deployment failed.",
                         {"repository", "deployment"}),
      deployments_active_(Type::gauge, "doco_cd_deployments_active", "Stacks being deployed.", {"repository"}),
      deployment_duration_("doco_cd_deployment_duration_seconds", "How long deployments took that succeeded.",
                           {"repository", "deployment"}, kBuckets),
      webhooks_received_(Type::counter, "doco_cd_webhook_received_total", "Webhooks by how they were answered.",
                         {"provider", "result"}),
      jobs_waiting_(Type::gauge, "doco_cd_jobs_waiting", "Jobs accepted that do not run yet."),
      jobs_running_(Type::gauge, "doco_cd_jobs_running", "Jobs that run."),
      job_duration_("doco_cd_job_duration_seconds", "How long jobs ran, waiting not counted.", {"trigger", "status"},
                    kBuckets),
      journal_errors_(Type::counter, "doco_cd_journal_errors_total", "Writes that the state file refused."),
      notifications_(Type::counter, "doco_cd_notifications_total", "Notifications by level and whether they arrived.",
                     {"level", "result"}),
      engine_up_(Type::gauge, "doco_cd_docker_up", "1 while the Docker engine answers.") {
  info_.set({WINDLASS_VERSION, windlass::to_string(log_level), to_rfc3339(started)}, 1);
}

std::string_view ServiceMetrics::Names::known(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = names_.find(name); found != names_.end()) return *found;
  return names_.size() < max_ ? std::string_view(*names_.emplace(name).first) : "other";
}

void ServiceMetrics::deployment_started(const StackEvent& event) {
  deployments_active_.add({sources_.known(event.job.request.source_id)}, 1);
}

void ServiceMetrics::deployment_failed(const StackEvent& event) {
  const auto source = sources_.known(event.job.request.source_id);
  deployments_active_.add({source}, -1);
  deployment_errors_.add({source, stacks_.known(event.stack.name)});
}

void ServiceMetrics::stack_deployed(const StackEvent& event) {
  const auto source = sources_.known(event.job.request.source_id);
  const auto stack = stacks_.known(event.stack.name);
  deployments_active_.add({source}, -1);
  deployments_.add({source, stack});
  deployment_duration_.observe({source, stack}, seconds(event.elapsed));
}

void ServiceMetrics::stack_removed(const StackEvent& event) {
  deployments_active_.add({sources_.known(event.job.request.source_id)}, -1);
}

void ServiceMetrics::job_ended(const JobRequest& request, const RunRecord& record, const JobOutcome& outcome) {
  if (record.started_at)
    job_duration_.observe({windlass::to_string(request.trigger), windlass::to_string(outcome.status)},
                          seconds_of(record));
  if (request.trigger == Trigger::poll) {
    if (outcome.status == RunStatus::failed) poll_errors_.add({sources_.known(request.source_id)});
    return;
  }
  const auto repository = sources_.known(request.repository);
  if (outcome.status == RunStatus::failed) webhook_errors_.add({repository});
  if (outcome.status != RunStatus::succeeded) return;
  webhooks_.add({repository});
  webhook_duration_.observe({repository}, seconds_of(record));
}

void ServiceMetrics::poll_ended(const JobRequest& request, std::chrono::milliseconds elapsed, bool good) {
  const auto source = sources_.known(request.source_id);
  polls_.add({source});
  poll_duration_.observe({source}, seconds(elapsed));
  if (!good) poll_errors_.add({source});
}

void ServiceMetrics::webhook_answered(std::string_view provider, std::string_view repository, WebhookResult result) {
  webhooks_received_.add({provider, to_string(result)});
  if (result != WebhookResult::accepted) webhook_errors_.add({sources_.known(repository)});
}

void ServiceMetrics::journal_failed() { journal_errors_.add({}); }

void ServiceMetrics::notified(std::string_view level, bool delivered) {
  notifications_.add({level, delivered ? "delivered" : "failed"});
}

std::string ServiceMetrics::page(const JobQueue::Load& load, bool engine_answers) {
  jobs_waiting_.set({}, static_cast<double>(load.waiting));
  jobs_running_.set({}, static_cast<double>(load.running));
  engine_up_.set({}, engine_answers ? 1 : 0);
  std::string text;
  for (const auto* metric : {&info_, &polls_, &poll_errors_, &webhooks_, &webhook_errors_, &deployments_,
                             &deployment_errors_, &deployments_active_, &webhooks_received_, &jobs_waiting_,
                             &jobs_running_, &journal_errors_, &notifications_, &engine_up_})
    text += metric->text();
  for (const auto* histogram : {&poll_duration_, &webhook_duration_, &deployment_duration_, &job_duration_})
    text += histogram->text();
  return text + process_metrics();
}

ServerResponse metrics_answer(const ServerRequest& request, const std::function<std::string()>& page) {
  if (request.path != "/metrics") return page_not_found();
  if (request.method != "GET" && request.method != "HEAD")
    return {.status = 405,
            .content_type = "text/plain; charset=utf-8",
            .body = "method not allowed\n",
            .headers = {{"Allow", "GET, HEAD"}}};
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", .body = page()};
}

}  // namespace windlass
