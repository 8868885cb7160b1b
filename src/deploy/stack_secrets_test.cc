#include <gtest/gtest.h>

#include "deploy/pipeline_fixture.h"

namespace windlass {
namespace {

class StackSecrets : public PipelineTest {
 protected:
  StackSecrets() {
    source.files[".doco-cd.yaml"] =
        "name: web\nenvironment: {PASSWORD: low, OTHER: low}\nexternal_secrets: {PASSWORD: ref-a, TOKEN: ref-b}\n";
    store.values = {{"ref-a", "pass-1-word"}, {"ref-b", "token-1-value"}};
    driver.models["web"] = R"({"name":"web","services":{
      "page":{"image":"nginx:1","pull_policy":"never","restart":"always",
              "command":["--token=token-1-value","8080"],"labels":{"token-1-value":"x"}},
      "db":{"image":"db:1","pull_policy":"never","restart":"always","secrets":[{"source":"pass"}]}},
      "secrets":{"pass":{"name":"web_pass","environment":"PASSWORD"}}})";
  }
  JobRequest poll() {
    auto request = this->request();
    request.trigger = Trigger::poll;
    return request;
  }
  // Why there is nothing to do, "" if there is something.
  std::string settled_because() {
    const auto because = settled->because(poll(), kDigest1, Deadline::in(5s));
    return because && *because ? **because : because ? "" : "error: " + because.error().message;
  }
  std::string state_file() {
    std::string text;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path());
      text.append(std::istreambuf_iterator<char>(file), {});
    }
    return text;
  }
};

TEST_F(StackSecrets, AreTheHighestLayerOfTheEnvironment) {  // config 6
  EXPECT_EQ(run().status, RunStatus::succeeded);
  const auto& environment = driver.environments["web"];
  EXPECT_EQ(environment.at("PASSWORD"), "pass-1-word");
  EXPECT_EQ(environment.at("TOKEN"), "token-1-value");
  EXPECT_EQ(environment.at("OTHER"), "low");
  EXPECT_EQ(store.asked, (std::vector<std::vector<std::string>>{{"ref-a", "ref-b"}}));
}

TEST_F(StackSecrets, AreAskedForOnceForAllStacks) {  // secrets/E6
  source.files[".doco-cd.yaml"] =
      "name: web\nexternal_secrets: {A: ref-a}\n---\nname: two\nexternal_secrets: {A: ref-b, B: ref-a}\n";
  driver.models["two"] = R"({"name":"two","services":{"x":{"image":"x","pull_policy":"never","restart":"always"}}})";
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_EQ(store.asked, (std::vector<std::vector<std::string>>{{"ref-a", "ref-b"}}));
  EXPECT_EQ(driver.environments["two"].at("A"), "token-1-value");
}

TEST_F(StackSecrets, FailTheStackBeforeAnythingIsTouched) {  // secrets/E11
  store.values.erase("ref-b");
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::failed);
  EXPECT_FALSE(outcome.passing_fault);
  EXPECT_EQ(outcome.message, "failed to deploy stack web: secret not found: TOKEN (ref-b)");
  EXPECT_EQ(driver.resolved, 0);
  EXPECT_TRUE(live.synced.empty());
  store.outage = Error{Kind::unavailable, "no route"};
  const auto away = run();
  EXPECT_TRUE(away.passing_fault);
  EXPECT_EQ(away.message,
            "failed to deploy stack web: external secret PASSWORD (ref-a): no route; external secret TOKEN (ref-b): "
            "no route");
}

// The store serves other artifacts too.
TEST_F(StackSecrets, AreNotAskedForByTheThousand) {
  std::string config = "name: web\nexternal_secrets:\n";
  for (int i = 0; i <= 1000; ++i) config += "  V" + std::to_string(i) + ": ref-" + std::to_string(i) + "\n";
  source.files[".doco-cd.yaml"] = config;
  EXPECT_EQ(run().message, "failed to deploy stack web: external_secrets: 1001 different references, at most 1000");
  EXPECT_TRUE(store.asked.empty());
}

TEST_F(StackSecrets, NeedAProvider) {  // secrets/E3
  has_provider = false;
  start();
  EXPECT_EQ(run().message, "failed to deploy stack web: external_secrets needs SECRET_PROVIDER");
}

TEST_F(StackSecrets, AreNotAskedForByStacksThatAreLeftAlone) {
  source.files[".doco-cd.yaml"] = "name: web\nwebhook_filter: other\nexternal_secrets: {A: ref-a}\n";
  EXPECT_EQ(run().status, RunStatus::skipped);
  source.files[".doco-cd.yaml"] = "name: web\ndestroy: true\nexternal_secrets: {A: ref-a}\n";
  EXPECT_EQ(run().status, RunStatus::skipped);
  EXPECT_TRUE(store.asked.empty());
}

TEST_F(StackSecrets, RecreateOnlyTheServicesThatUseAChangedOne) {  // secrets/E14
  EXPECT_EQ(run().status, RunStatus::succeeded);
  const auto page = id_of("page"), db = id_of("db");
  store.values["ref-a"] = "pass-2-word";
  const auto outcome = run(poll());
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.message;
  EXPECT_EQ(outcome.stacks.at(0).message, "recreate db (content of secret pass changed); keep page");
  EXPECT_EQ(id_of("page"), page);
  EXPECT_NE(id_of("db"), db);
  EXPECT_EQ(run(poll()).message, "web: no changes");
}

TEST_F(StackSecrets, AreLookedAtOncePerIntervalWhileNothingElseChanges) {  // secrets/E5
  refresh_interval = 1h;
  start();
  EXPECT_EQ(run().status, RunStatus::succeeded);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(settled_because(), "no changes");
  EXPECT_EQ(store.asked.size(), 1u);
  refresh_interval = 0ms;
  start();
  EXPECT_EQ(settled_because(), "no changes");
  EXPECT_EQ(store.asked.size(), 2u);
  store.values["ref-b"] = "token-2-value";
  EXPECT_EQ(settled_because(), "");
}

TEST_F(StackSecrets, LeaveAStackAloneThatOnlyCannotBeLookedAt) {  // secrets/E10
  EXPECT_EQ(run().status, RunStatus::succeeded);
  store.outage = Error{Kind::unavailable, "no route"};
  EXPECT_EQ(settled_because(), "no changes");
  EXPECT_EQ(run(poll()).status, RunStatus::skipped);
}

TEST_F(StackSecrets, LetAFailedReleaseBeTriedAgainWithAnotherValue) {
  driver.up_error = Error{Kind::conflict, "container says pass-1-word is wrong"};
  const auto failed = run();
  EXPECT_EQ(failed.status, RunStatus::failed);
  EXPECT_EQ(failed.stacks.at(0).message.find("pass-1-word"), std::string::npos) << failed.stacks.at(0).message;
  EXPECT_NE(failed.stacks.at(0).message.find("container says *** is wrong"), std::string::npos);
  EXPECT_EQ(settled_because(), "no changes since this release failed");
  store.values["ref-a"] = "pass-2-word";
  EXPECT_EQ(settled_because(), "");
}

TEST_F(StackSecrets, OfAReleaseThatComesBackAreThoseOfNow) {  // secrets/B5
  EXPECT_EQ(run().status, RunStatus::succeeded);
  release_2();
  auto& model = driver.models["web"];
  model.replace(model.find("nginx:1"), 7, "nginx:2");
  EXPECT_EQ(run().status, RunStatus::succeeded);
  store.values["ref-a"] = "pass-3-word";
  auto back = request();
  back.digest = kDigest1;
  back.cause = kRollbackCause;
  EXPECT_EQ(run(back).status, RunStatus::succeeded);
  EXPECT_EQ(driver.environments["web"].at("PASSWORD"), "pass-3-word");
  store.outage = Error{Kind::unavailable, "no route"};
  back.digest = kDigest2;
  EXPECT_NE(run(back).status, RunStatus::failed);  // with the last values that are known
  start();
  const auto unknown = run(back);
  EXPECT_EQ(unknown.status, RunStatus::failed);
  EXPECT_NE(unknown.message.find("no route"), std::string::npos);
}

TEST_F(StackSecrets, OfOneTimeChangeNothing) {  // secrets/E15
  source.files[".doco-cd.yaml"] = "name: web\nexternal_secrets: {CODE: otp-x}\n";
  driver.models["web"] = R"json({"name":"web","services":{"page":{"image":"nginx:1","pull_policy":"never",
      "restart":"always","environment":{"CODE":"code (one-time value of CODE)"},"secrets":[{"source":"code"}]}},
      "secrets":{"code":{"environment":"CODE"}}})json";
  store.values = {{"otp-x", "111$11"}};
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_NE(driver.definitions["web/page"].find("code 111$$11"), std::string::npos);
  EXPECT_EQ(driver.environments["web"].at("CODE"), "111$11");
  store.values = {{"otp-x", "222222"}};
  EXPECT_EQ(settled_because(), "no changes");
  EXPECT_EQ(run(poll()).status, RunStatus::skipped);
  release_2();
  EXPECT_EQ(run().message, "web: no changes");
}

TEST_F(StackSecrets, LeaveNoTraceInState) {  // secrets/B4
  EXPECT_EQ(run().status, RunStatus::succeeded);
  driver.up_error = Error{Kind::conflict, "token-1-value was refused"};
  source.files["compose.yaml"] = "services: {x: {}}\n";
  release_2();
  store.values["ref-a"] = "pass-2-word";
  EXPECT_EQ(run().status, RunStatus::failed);
  const auto state = state_file();
  EXPECT_NE(state.find("ref-a"), std::string::npos);
  for (const auto* value : {"pass-1-word", "pass-2-word", "token-1-value"})
    EXPECT_EQ(state.find(value), std::string::npos) << value;
}

TEST_F(StackSecrets, AreHiddenInPlans) {
  EXPECT_EQ(run().status, RunStatus::succeeded);
  store.values["ref-b"] = "token-2-value";
  auto& model = driver.models["web"];
  for (auto at = model.find("token-1"); at != model.npos; at = model.find("token-1")) model.replace(at, 7, "token-2");
  const auto report = pipeline->look({.id = "look", .request = poll()}, "", Deadline::in(5s));
  ASSERT_TRUE(report);
  const auto& stack = report->stacks.at(0);
  EXPECT_EQ(stack.decision, "deploy");
  ASSERT_FALSE(stack.changes.empty());
  for (const auto& change : stack.changes)
    for (const auto& text : {change.path, change.before, change.after})
      EXPECT_EQ(text.find("-value"), std::string::npos) << text;
}

}  // namespace
}  // namespace windlass
