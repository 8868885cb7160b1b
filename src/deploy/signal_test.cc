// Services that are left alone, or told by a signal, when only content that they use changed (deploy/N15, N16).

#include "deploy/pipeline_fixture.h"

namespace windlass {
namespace {

class SignalTest : public PipelineTest {
 protected:
  SignalTest() {
    set_labels(R"("cd.doco.deployment.recreate.ignore":"bindMounts: [/www]",
                               "cd.doco.deployment.recreate.ignore.signal":"HUP")");
  }
  void set_labels(const std::string& labels, const std::string& image = "nginx:1") {
    driver.models["web"] = R"({"name":"web","services":{
      "page":{"image":")" + image +
                           R"(","pull_policy":"never","restart":"always","labels":{)" + labels + R"(},
              "volumes":[{"type":"bind","source":"{root}/www/index.html","target":"/www"}]}}})";
  }
  void change_the_page() {
    source.files["www/index.html"] = "v2";
    release_2();
  }
};

TEST_F(SignalTest, TellsTheServiceOnceAndKeepsItsContainer) {
  run();
  const auto id = id_of("page");
  change_the_page();
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(outcome.stacks[0].message, "signal page (content of www/index.html mounted at /www changed)");
  EXPECT_EQ(engine.signals, std::vector<std::string>{id + " HUP"});
  EXPECT_EQ(id_of("page"), id);
  EXPECT_EQ(driver.upped, 1) << "compose is not needed for it";
  EXPECT_EQ(live.in_place, std::set<std::string>{"www/index.html"});
  EXPECT_EQ(live.synced.back(), kDigest2.str());
  EXPECT_EQ(releases->releases({"web"}, 1)->front().digest, kDigest2.str());

  source.files[".doco-cd.yaml"] = "name: web\ntimeout: 60\n";
  source.settled = Settled{.deploy = kDigest1, .reason = {}};
  run();
  EXPECT_EQ(engine.signals.size(), 1u) << "it knows already";
}

TEST_F(SignalTest, WaitsForNoFinishedServiceThatSomebodyRemoved) {  // deploy/N17
  auto& model = driver.models["web"];
  model.insert(model.rfind("}}"), R"(,"once":{"image":"job:1","pull_policy":"never"})");
  run();
  engine.projects["web"].erase("once");
  change_the_page();
  const auto outcome = run(request(), 1s);
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(engine.signals.size(), 1u);
}

TEST_F(SignalTest, WritesTheFilesWithoutASignalToo) {
  set_labels(R"("cd.doco.deployment.recreate.ignore":"bindMounts:")");
  run();
  change_the_page();
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::skipped);
  EXPECT_EQ(live.synced.back(), kDigest2.str());
  EXPECT_TRUE(engine.signals.empty());
  EXPECT_EQ(engine.made, 1);
}

TEST_F(SignalTest, RecreatesWithoutASignalWhenMoreHasChanged) {
  run();
  change_the_page();
  set_labels(R"("cd.doco.deployment.recreate.ignore":"bindMounts: [/www]",
                "cd.doco.deployment.recreate.ignore.signal":"HUP")",
             "nginx:2");
  const auto outcome = run();
  EXPECT_EQ(outcome.stacks[0].message, "recreate page (image changed)");
  EXPECT_TRUE(engine.signals.empty());
  EXPECT_EQ(engine.made, 2);
}

TEST_F(SignalTest, FailsBeforeAnythingIsTouchedWhenTheLabelIsWrong) {
  set_labels(R"("cd.doco.deployment.recreate.ignore":"images: []")");
  const auto outcome = run();
  EXPECT_EQ(outcome.message,
            "failed to deploy stack web: service page: ignore config is invalid: unknown scope 'images': expected "
            "configs, secrets, bindMounts or volumes");
  EXPECT_TRUE(live.synced.empty());
}

TEST_F(SignalTest, SaysWhenTheEngineRefusesIt) {
  set_labels(
      R"("cd.doco.deployment.recreate.ignore":"bindMounts:","cd.doco.deployment.recreate.ignore.signal":"STKFLT")");
  run();
  change_the_page();
  EXPECT_EQ(run().message, "failed to deploy stack web: sending STKFLT to service page: 400: invalid signal: STKFLT");
}

TEST_F(SignalTest, IsSentAgainOnTheWayBack) {  // deploy/V3
  run();
  source.on_fetch = [this](const Digest& digest) { source.files["www/index.html"] = digest == kDigest1 ? "v1" : "v2"; };
  release_2();
  run();
  auto back = request();
  back.digest = kDigest1;
  back.cause = kRollbackCause;
  const auto outcome = run(back);
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(engine.signals.size(), 2u);
  EXPECT_EQ(engine.made, 1);
}

}  // namespace
}  // namespace windlass
