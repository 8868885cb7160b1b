#include "app/service_metrics.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace windlass {
namespace {

using namespace std::chrono_literals;

const Job kJob{.id = "1", .request = {.source_id = "ghcr.io/acme/app", .repository = "acme/app"}};

struct Metrics : testing::Test {
  ServiceMetrics metrics{LogLevel::info, WallTime()};

  std::string page() { return metrics.page({.waiting = 2, .running = 1}, true); }
  // The line of a metric with its labels, without its name; "" if there is none.
  std::string value(const std::string& name_and_labels) {
    const auto text = page();
    const auto found = text.find("\ndoco_cd_" + name_and_labels + " ");
    if (found == std::string::npos) return "";
    const auto begin = found + name_and_labels.size() + 10;
    return text.substr(begin, text.find('\n', begin) - begin);
  }
  void end_job(Trigger trigger, RunStatus status, std::chrono::seconds took = 0s) {
    auto request = kJob.request;
    request.trigger = trigger;
    metrics.job_ended(request, {.started_at = WallTime(), .finished_at = WallTime() + took}, {.status = status});
  }
};

TEST_F(Metrics, CountDeployments) {
  const StackEvent event{.job = kJob, .stack = {"web"}, .elapsed = 1500ms};
  metrics.deployment_started(event);
  metrics.deployment_started(event);
  EXPECT_EQ(value(R"(deployments_active{repository="ghcr.io/acme/app"})"), "2");
  metrics.stack_deployed(event);
  metrics.deployment_failed(event);
  EXPECT_EQ(value(R"(deployments_active{repository="ghcr.io/acme/app"})"), "0");
  EXPECT_EQ(value(R"(deployments_total{repository="ghcr.io/acme/app",deployment="web"})"), "1");
  EXPECT_EQ(value(R"(deployment_errors_total{repository="ghcr.io/acme/app",deployment="web"})"), "1");
  EXPECT_EQ(value(R"(deployment_duration_seconds_sum{repository="ghcr.io/acme/app",deployment="web"})"), "1.5");
}

TEST_F(Metrics, CountWebhookJobsByRepositoryAndPollsBySource) {
  end_job(Trigger::webhook, RunStatus::succeeded, 40s);
  end_job(Trigger::webhook, RunStatus::skipped);
  end_job(Trigger::webhook, RunStatus::failed);
  end_job(Trigger::poll, RunStatus::failed);
  metrics.poll_ended(kJob.request, 20ms, true);
  metrics.poll_ended(kJob.request, 20ms, false);
  EXPECT_EQ(value(R"(webhook_requests_total{repository="acme/app"})"), "1");
  EXPECT_EQ(value(R"(webhook_errors_total{repository="acme/app"})"), "1");
  EXPECT_EQ(value(R"(webhook_duration_seconds_bucket{repository="acme/app",le="30"})"), "0");
  EXPECT_EQ(value(R"(webhook_duration_seconds_bucket{repository="acme/app",le="60"})"), "1");
  EXPECT_EQ(value(R"(polls_total{repository="ghcr.io/acme/app"})"), "2");
  EXPECT_EQ(value(R"(poll_errors_total{repository="ghcr.io/acme/app"})"), "2");
  EXPECT_EQ(value(R"(job_duration_seconds_count{trigger="webhook",status="skipped"})"), "1");
}

TEST_F(Metrics, CountNoTimeOfAJobThatNeverRan) {
  metrics.job_ended(kJob.request, {.finished_at = WallTime()}, {.status = RunStatus::skipped});
  EXPECT_EQ(value(R"(job_duration_seconds_count{trigger="webhook",status="skipped"})"), "");
}

TEST_F(Metrics, CountAnswersToWebhooks) {
  metrics.webhook_answered("oci", "acme/app", WebhookResult::accepted);
  metrics.webhook_answered("oci", "acme/app", WebhookResult::rejected);
  metrics.webhook_answered("unknown", "unknown", WebhookResult::unauthorized);
  EXPECT_EQ(value(R"(webhook_received_total{provider="oci",result="accepted"})"), "1");
  EXPECT_EQ(value(R"(webhook_received_total{provider="unknown",result="unauthorized"})"), "1");
  EXPECT_EQ(value(R"(webhook_errors_total{repository="acme/app"})"), "1");
  EXPECT_EQ(value(R"(webhook_errors_total{repository="unknown"})"), "1");
}

TEST_F(Metrics, ShowWhatIsTrueNow) {
  EXPECT_EQ(value("jobs_waiting"), "2");
  EXPECT_EQ(value("jobs_running"), "1");
  EXPECT_EQ(value("docker_up"), "1");
  EXPECT_EQ(value("journal_errors_total"), "0");
  metrics.journal_failed();
  EXPECT_EQ(value("journal_errors_total"), "1");
  EXPECT_NE(metrics.page({}, false).find("\ndoco_cd_docker_up 0\n"), std::string::npos);
}

TEST_F(Metrics, CountNotifications) {
  metrics.notified("failure", true);
  metrics.notified("failure", false);
  EXPECT_EQ(value(R"(notifications_total{level="failure",result="delivered"})"), "1");
  EXPECT_EQ(value(R"(notifications_total{level="failure",result="failed"})"), "1");
}

TEST_F(Metrics, StayBoundedWhateverNamesComeIn) {
  for (int i = 0; i < 600; ++i) {
    const auto name = fmt::format("registry.test/app{}", i);
    metrics.poll_ended({.source_id = name}, 1ms, true);
  }
  EXPECT_EQ(value(R"(polls_total{repository="registry.test/app499"})"), "1");
  EXPECT_EQ(value(R"(polls_total{repository="registry.test/app500"})"), "");
  EXPECT_EQ(value(R"(polls_total{repository="other"})"), "100");
}

TEST(MetricsAnswer, ServesOnePage) {
  const auto answer = [](std::string method, std::string path) {
    return metrics_answer({.method = std::move(method), .path = std::move(path)}, [] { return "x 1\n"; });
  };
  EXPECT_EQ(answer("GET", "/metrics").body, "x 1\n");
  EXPECT_EQ(answer("GET", "/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
  EXPECT_EQ(answer("HEAD", "/metrics").status, 200);
  EXPECT_EQ(answer("POST", "/metrics").status, 405);
  EXPECT_EQ(answer("GET", "/").status, 404);
}

}  // namespace
}  // namespace windlass
