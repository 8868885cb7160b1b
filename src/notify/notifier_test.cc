#include "notify/notifier.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "sys/fake_http.h"
#include "sys/json.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using Titles = std::vector<std::string>;

const Job kJob{.id = "j1", .request = {.source_id = "ghcr.io/acme/app", .ref = "main"}};

struct Counter final : Observer {
  std::atomic<int> delivered = 0, lost = 0;
  void notified(std::string_view, bool was_delivered) override { ++(was_delivered ? delivered : lost); }
};

class NotifierTest : public ::testing::Test {
 protected:
  NotifierTest() {
    std::string name = (std::filesystem::temp_directory_path() / "notifier_test.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    answer(200);
  }
  ~NotifierTest() override {
    notifier_.reset();
    std::filesystem::remove_all(folder_);
  }
  void answer(int status) {
    const std::lock_guard lock(transport_.mutex);
    transport_.answer = [=](const HttpRequest&) { return HttpResponse{.status = status}; };
  }
  Notifier& open(const std::vector<RunRecord>& failed = {}) {
    notifier_.reset();
    notifier_ =
        Notifier::open({.recipient = recipient("json://a"),
                        .level_min = level_min_,
                        .waiting_max = waiting_max_,
                        .observer = &counter_},
                       Db::open(folder_ / "state.db").value(), transport_, clock_, Log({.level = LogLevel::critical}))
            .value();
    EXPECT_TRUE(notifier_->catch_up(failed));
    return *notifier_;
  }
  Notifier::Recipient recipient(std::string urls) const {
    return {.apprise = {.api_url = "http://apprise/notify", .urls = Secret(std::move(urls)), .pauses = {}},
            .body = body_};
  }
  // All that was added is sent; what arrived since the last time, "title: stack".
  Titles sent() {
    notifier_->start();
    notifier_->stop(10s);
    Titles titles;
    for (const auto& request : transport_.asked) {
      const auto body = parse_json(request.body).value().as_object();
      titles.push_back(std::string(text_of(body, "title")));
    }
    transport_.asked.clear();
    return titles;
  }
  static StackEvent event(const std::string& stack = "web") { return {.job = kJob, .stack = {stack}}; }
  static RunRecord run(std::string id, RunStatus status, std::vector<StackResult> stacks = {}) {
    return {.job_id = std::move(id),
            .status = status,
            .source = kJob.request.source_id,
            .message = "deployment failed: why",
            .attempts = 1,
            .stacks = std::move(stacks)};
  }
  void ended(const RunRecord& record) { notifier_->job_ended(kJob.request, record, {}); }
  static RunRecord failed(std::string id, std::string stack = "web") {
    return run(std::move(id), RunStatus::failed,
               {{.name = std::move(stack), .status = RunStatus::failed, .message = "why"}});
  }

  std::filesystem::path folder_;
  FakeTransport transport_;
  FakeClock clock_;
  Counter counter_;
  NotificationLevel level_min_ = NotificationLevel::success;
  std::optional<BodyTemplate> body_;
  std::size_t waiting_max_ = 256;
  std::unique_ptr<Notifier> notifier_;
};

TEST_F(NotifierTest, TellsFromTheLevelOn) {  // api/A2
  open();
  notifier_->deployment_started(event());
  notifier_->stack_deployed(event());
  EXPECT_EQ(sent(), Titles{"✅ Deployment completed"});
  level_min_ = NotificationLevel::info;
  open();
  notifier_->deployment_started(event());
  notifier_->container_restarted({.result = RestartEvent::Result::suppressed});
  EXPECT_EQ(sent(), (Titles{"ℹ️ Deployment started", "⚠️ [R] Container restart suppressed"}));
  level_min_ = NotificationLevel::failure;
  open();
  notifier_->stack_removed(event());
  ended(failed("j1"));
  EXPECT_EQ(sent(), Titles{"❌ Deployment Failed"});
  EXPECT_EQ(counter_.delivered, 4);
}

TEST_F(NotifierTest, TellsWhatWaitsToWhoeverIsToBeToldNow) {
  open();
  ended(failed("j1"));
  body_ = BodyTemplate::parse("Listen").value();
  notifier_->use(recipient("json://b"));
  notifier_->start();
  notifier_->stop(10s);
  ASSERT_EQ(transport_.asked.size(), 1u);
  const auto body = parse_json(transport_.asked[0].body).value().as_object();
  EXPECT_EQ(text_of(body, "urls"), "json://b");
  EXPECT_EQ(text_of(body, "body"), "Listen");
}

TEST_F(NotifierTest, TellsAFailureOnce) {  // api/A23, A29
  open();
  ended(failed("j1"));
  ended(failed("j2"));
  EXPECT_EQ(sent().size(), 1u);
  open();
  ended(failed("j3"));
  ended(failed("j4", "db"));
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(NotifierTest, TellsAFailureAgainAfterASuccessThatNobodyWantsToHearOf) {  // api/A28
  level_min_ = NotificationLevel::failure;
  open();
  ended(failed("j1"));
  notifier_->stack_deployed(event());
  ended(failed("j2"));
  EXPECT_EQ(sent().size(), 2u);
}

TEST_F(NotifierTest, TellsAFailureAgainThatWasNotDelivered) {  // api/A30
  answer(400);
  open();
  ended(failed("j1"));
  EXPECT_EQ(sent().size(), 1u);
  EXPECT_EQ(counter_.lost, 1);
  answer(200);
  open();
  ended(failed("j2"));
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(NotifierTest, TellsAFailureOfAJobAgainAfterOneThatEndedWell) {  // api/A31
  open();
  ended(run("j1", RunStatus::failed));
  ended(run("j2", RunStatus::succeeded));
  ended(run("j3", RunStatus::failed));
  auto superseded = run("j4", RunStatus::skipped);
  superseded.attempts = 0;
  ended(superseded);
  ended(run("j5", RunStatus::failed));
  EXPECT_EQ(sent().size(), 2u);
}

TEST_F(NotifierTest, TellsAFailureOfAStackAgainAfterAJobThatFoundItWell) {
  open();
  ended(failed("j1"));
  ended(run("j2", RunStatus::skipped, {{.name = "web", .status = RunStatus::skipped, .message = "no changes"}}));
  ended(failed("j3"));
  EXPECT_EQ(sent().size(), 2u);
}

TEST_F(NotifierTest, TellsOfSourcesThatCannotBeLookedAt) {  // api/A15
  open();
  notifier_->poll_held_up(kJob.request, "registry is away");
  notifier_->poll_held_up(kJob.request, "registry is away");
  notifier_->poll_goes_on(kJob.request);
  notifier_->poll_held_up(kJob.request, "registry is away");
  EXPECT_EQ(sent(), (Titles{"❌ Poll Job failed", "❌ Poll Job failed"}));
}

TEST_F(NotifierTest, DoesNotCallTheWayBackADeployment) {
  open();
  auto back = kJob;
  back.request.cause = kRollbackCause;
  notifier_->stack_deployed({.job = back, .stack = {"web"}});
  ended(failed("j1"));
  EXPECT_EQ(sent(), Titles{"❌ Deployment Failed"});
}

TEST_F(NotifierTest, CatchesUpWithFailuresOfAnEarlierLife) {  // reliability/F12
  auto refused = failed("not a job", "other");
  refused.attempts = 0;
  open({failed("old", "ancient")});  // told by nobody, but before anybody was to be told
  ended(failed("j1"));
  EXPECT_EQ(sent().size(), 1u);
  open({refused, failed("j3", "db"), failed("j2", "api"), failed("j1"), failed("old", "ancient")});
  EXPECT_EQ(sent().size(), 2u);
  open({failed("j3", "db"), failed("j2", "api"), failed("j1")});
  EXPECT_EQ(sent().size(), 0u);
}

TEST_F(NotifierTest, LeavesToTheNextLifeWhatItCouldNotSend) {
  open();
  transport_.answer = [](const HttpRequest&) -> Result<HttpResponse> {
    std::this_thread::sleep_for(100ms);
    return fail(Kind::unavailable, "timeout");
  };
  ended(failed("j1"));
  ended(failed("j2", "db"));
  notifier_->start();
  EXPECT_FALSE(notifier_->stop(1ms));
  transport_.asked.clear();
  answer(200);
  open({failed("j2", "db"), failed("j1")});
  EXPECT_EQ(sent().size(), 2u);
}

TEST_F(NotifierTest, DropsTheOldestWhenTooManyWait) {  // and what they clear stays cleared
  waiting_max_ = 3;
  open();
  ended(failed("j1"));
  EXPECT_EQ(sent().size(), 1u);
  open();
  notifier_->stack_deployed(event("web"));
  for (int number = 0; number < 100; ++number) ended(run("good", RunStatus::succeeded));
  notifier_->stack_deployed(event("db"));
  notifier_->stack_removed(event("old"));
  ended(failed("j2"));
  EXPECT_EQ(sent(), (Titles{"✅ Deployment completed", "✅ Stack destroyed", "❌ Deployment Failed"}));
}

TEST_F(NotifierTest, WritesBodiesByTheTemplate) {  // the built-in one where that fails
  body_ = BodyTemplate::parse("{{.Level}}: {{index .ChangedServices 0}}").value();
  open();
  std::vector<std::string> bodies;
  transport_.answer = [&](const HttpRequest& request) {
    bodies.emplace_back(text_of(parse_json(request.body).value().as_object(), "body"));
    return HttpResponse{.status = 200};
  };
  notifier_->stack_deployed({.job = kJob, .stack = {"web"}, .changed_services = {"api"}});
  notifier_->stack_deployed({.job = kJob, .stack = {"web"}});
  sent();
  EXPECT_EQ(bodies, (std::vector<std::string>{"success: api",
                                              "Successfully deployed stack web\n\nduration: 0s\njob_id: j1\n"
                                              "repository: ghcr.io/acme/app\nstack: web"}));
}

TEST_F(NotifierTest, NeverMakesAnybodyWait) {  // api/A7
  transport_.answer = [](const HttpRequest&) {
    std::this_thread::sleep_for(200ms);
    return HttpResponse{.status = 200};
  };
  open().start();
  const auto begun = std::chrono::steady_clock::now();
  for (int number = 0; number < 100; ++number) notifier_->stack_deployed(event());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 150ms);
  EXPECT_FALSE(notifier_->stop(1ms));
}

}  // namespace
}  // namespace windlass
