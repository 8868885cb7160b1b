#include "notify/events.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using namespace std::chrono_literals;

const Job kJob{.id = "j1",
               .request = {.artifact = "ghcr.io/acme/app:main",
                           .source_id = "ghcr.io/acme/app",
                           .repository = "acme/app",
                           .ref = "main",
                           .target = "prod"}};

StackEvent event(const Job& job = kJob) {
  return {
      .job = job, .stack = {"web"}, .revision = "main (sha256:abc)", .changed_services = {"api"}, .elapsed = 12'483ms};
}

RunRecord failed_run(std::string message, Trigger trigger = Trigger::webhook) {
  return {.job_id = "j1",
          .trigger = trigger,
          .status = RunStatus::failed,
          .repository = "acme/app",
          .source = "ghcr.io/acme/app",
          .target = "prod",
          .revision = "main",
          .message = std::move(message)};
}

struct Row {
  Message message;
  NotificationLevel level;
  std::string title, text;
};

TEST(Events, HaveTheTextsOfThePage) {  // api/A10 to A12, A16 to A18
  const RestartEvent restart{.source_id = "ghcr.io/acme/app",
                             .stack = {"web"},
                             .container_id = "0123456789abcdef",
                             .container = "web-api-1",
                             .event = "unhealthy"};
  auto failed = restart, suppressed = restart;
  failed.result = RestartEvent::Result::failed;
  failed.error = "engine is away";
  suppressed.result = RestartEvent::Result::suppressed;
  suppressed.restarts = 5;
  suppressed.window = 300s;
  using Level = NotificationLevel;
  const Row rows[] = {
      {message_of_start(event()), Level::info, "Deployment started", "Starting deployment of stack web"},
      {message_of_deployment(event()), Level::success, "Deployment completed", "Successfully deployed stack web"},
      {message_of_removal(event()), Level::success, "Stack destroyed", "successfully destroyed stack web"},
      {message_of_restart(restart), Level::success, "Container restarted",
       "Container web-api-1 (0123456789ab) was restarted successfully on \"unhealthy\" event"},
      {message_of_restart(failed), Level::failure, "Container restart failed",
       "Container web-api-1 (0123456789ab) could not be restarted on \"unhealthy\" event: engine is away"},
      {message_of_restart(suppressed), Level::warning, "Container restart suppressed",
       "suppressed unhealthy auto-restart after 5 restarts in 5m0s"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(row.message.level, row.level) << row.title;
    EXPECT_EQ(row.message.title, row.title);
    EXPECT_EQ(row.message.text, row.text);
    EXPECT_EQ(row.message.about.repository, "ghcr.io/acme/app");
    EXPECT_EQ(row.message.about.stack, "web");
  }
}

TEST(Events, OfAStackSayWhatItIsAbout) {
  const auto about = message_of_deployment(event()).about;
  EXPECT_EQ(about.target, "prod");
  EXPECT_EQ(about.revision, "main (sha256:abc)");
  EXPECT_EQ(about.job_id, "j1");
  EXPECT_EQ(about.duration, "12.483s");
  EXPECT_EQ(about.changed_services, std::vector<std::string>{"api"});
  EXPECT_EQ(message_of_start(event()).about.duration, "");
}

TEST(Events, OfAReconciliationSaySo) {
  auto job = kJob;
  job.request.cause = kReconcileCause;
  EXPECT_EQ(full_title(message_of_deployment(event(job))), "✅ [R] Deployment completed");
  EXPECT_EQ(message_of_deployment(event(job)).about.trace_id, "j1");
}

TEST(Failures, AreToldStackByStack) {  // api/A13, A21
  auto run = failed_run("deployment failed: web: no, db: no");
  run.stacks = {{.name = "web", .status = RunStatus::failed, .message = "web is unhealthy"},
                {.name = "cache", .status = RunStatus::succeeded},
                {.name = "old", .status = RunStatus::skipped},
                {.name = "db", .context = "remote", .status = RunStatus::failed, .message = "db is gone"}};
  const auto messages = messages_of_failure(run);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].title, "Deployment Failed");
  EXPECT_EQ(messages[0].text, "web is unhealthy");
  EXPECT_EQ(messages[0].about.stack, "web");
  EXPECT_EQ(messages[1].text, "db is gone");
  EXPECT_EQ(messages[1].about.context, "remote");
}

TEST(Failures, OfAWholeJobAreToldByWhatTriggeredIt) {  // api/A14, A15
  const auto webhook = messages_of_failure(failed_run("failed to pull oci artifact: GET /v2/: 500: oh: no"));
  ASSERT_EQ(webhook.size(), 1u);
  EXPECT_EQ(webhook[0].title, "Deployment Failed");
  EXPECT_EQ(webhook[0].text, "failed to pull oci artifact\nGET /v2/: 500: oh: no");
  EXPECT_EQ(webhook[0].about.stack, "");
  const auto poll = messages_of_failure(failed_run("failed to pull oci artifact: GET /v2/: 500", Trigger::poll));
  ASSERT_EQ(poll.size(), 1u);
  EXPECT_EQ(poll[0].title, "Poll Job failed");
  EXPECT_EQ(poll[0].text, "failed to pull oci artifact: GET /v2/: 500");
  EXPECT_EQ(messages_of_failure(failed_run("interrupted by restart"))[0].text, "interrupted by restart");
}

TEST(Failures, AreNotSeenInGoodAndSkippedJobs) {  // api/A21
  for (const auto status : {RunStatus::succeeded, RunStatus::skipped}) {
    auto run = failed_run("");
    run.status = status;
    EXPECT_TRUE(messages_of_failure(run).empty());
  }
}

TEST(Rollbacks, ByHandAreDeployments) {
  auto run = failed_run("");
  run.status = RunStatus::succeeded;
  run.cause = kRollbackCause;
  run.stacks = {{.name = "web", .status = RunStatus::succeeded}, {.name = "db", .status = RunStatus::skipped}};
  const auto messages = messages_of_rollback(run);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].text, "Successfully deployed stack web");
  run.cause = "";
  EXPECT_TRUE(messages_of_rollback(run).empty());
}

}  // namespace
}  // namespace windlass
