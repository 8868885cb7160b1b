// Stacks of one artifact on several engines (deploy 12).

#include "deploy/pipeline_fixture.h"

namespace windlass {
namespace {

using Lines = std::vector<std::string>;

class ContextsTest : public PipelineTest {
 protected:
  ContextsTest() {
    source.files[".doco-cd.yaml"] = "name: web\n---\nname: web\ncontext: edge\n";
    edge = &add_context("edge");
  }
  // "web succeeded", "edge/web failed"
  static Lines ends(const JobOutcome& outcome) {
    Lines lines;
    for (const auto& stack : outcome.stacks)
      lines.push_back(fmt::format("{} {}", StackId{stack.name, stack.context}.str(), to_string(stack.status)));
    return lines;
  }
  TestHost* edge;
};

TEST_F(ContextsTest, RunsStacksOfOneNameSideBySide) {
  const auto outcome = run();
  EXPECT_EQ(ends(outcome), (Lines{"web succeeded", "edge/web succeeded"})) << outcome.message;
  EXPECT_EQ(engine.projects["web"].size(), 2u);
  EXPECT_EQ(edge->engine.projects["web"].size(), 2u);
  EXPECT_EQ(engine.projects["web"]["page"].label("cd.windlass.context"), "");
  EXPECT_EQ(edge->engine.projects["web"]["page"].label("cd.windlass.context"), "edge");
  EXPECT_EQ(live.synced_paths, (Lines{"reg.example/my/app", "reg.example/my/app@@context-edge"}));  // Y8
  EXPECT_EQ(releases->releases({.stack = "web", .context = ""}, 9)->size(), 1u);
  EXPECT_EQ(releases->releases({.stack = "web", .context = "edge"}, 9)->size(), 1u);
  EXPECT_EQ(releases->releases({.stack = "web"}, 9)->size(), 2u);
  EXPECT_EQ(*releases->contexts(), Lines{"edge"});
  EXPECT_EQ(run().message, "web: no changes; edge/web: no changes");
}

TEST_F(ContextsTest, AsksTheDefaultEngineNoMoreThanBeforeWhereThereIsNoOther) {
  source.files[".doco-cd.yaml"] = "name: web\n";
  ASSERT_EQ(run().status, RunStatus::succeeded);
  EXPECT_EQ(engine.infos, 0);
  EXPECT_EQ(edge->engine.infos, 0);
}

TEST_F(ContextsTest, ChangesAndRemovesOnOneEngineOnly) {
  ASSERT_EQ(run().status, RunStatus::succeeded);
  const auto before = id_of("page");
  source.files[".doco-cd.yaml"] = "name: web\n---\nname: web\ncontext: edge\nforce_recreate: true\n";
  release_2();
  EXPECT_EQ(ends(run()), (Lines{"web skipped", "edge/web succeeded"}));
  EXPECT_EQ(id_of("page"), before);

  source.files[".doco-cd.yaml"] = "name: web\n---\nname: web\ncontext: edge\ndestroy: true\n";
  source.settled = Settled{.deploy = Digest::of_sha256_hex(std::string(64, '3')), .reason = {}};
  EXPECT_EQ(ends(run()), (Lines{"web skipped", "edge/web succeeded"}));
  EXPECT_EQ(id_of("page"), before);
  EXPECT_FALSE(edge->engine.projects.contains("web"));
  EXPECT_EQ(live.removed, Lines{"reg.example/my/app@@context-edge"});
  EXPECT_TRUE(releases->stack({"web"})->has_value());
  EXPECT_FALSE(releases->stack({"web", "edge"})->has_value());
}

TEST_F(ContextsTest, FailsOnlyTheStacksOfAnEngineThatIsAway) {  // Y1
  edge->engine.fault = "docker engine at tcp://edge (context edge): no connection";
  auto outcome = run();
  EXPECT_EQ(ends(outcome), (Lines{"web succeeded", "edge/web failed"}));
  EXPECT_EQ(outcome.run_message(),
            "deployment failed: failed to deploy stack edge/web: docker engine at tcp://edge (context edge): no "
            "connection");
  EXPECT_TRUE(outcome.passing_fault) << "it is tried again";
  EXPECT_EQ(live.synced_paths, Lines{"reg.example/my/app"}) << "its containers go on with their files";
  edge->engine.fault.clear();
  EXPECT_EQ(ends(run()), (Lines{"web skipped", "edge/web succeeded"}));

  engine.fault = "docker engine at unix:///x: no connection";
  release_2();
  source.files["www/index.html"] = "v2";
  EXPECT_EQ(ends(run()), (Lines{"web failed", "edge/web succeeded"}));
}

TEST_F(ContextsTest, FailsOnlyTheStacksOfAContextThatIsNotKnown) {
  source.files[".doco-cd.yaml"] = "name: web\n---\nname: web\ncontext: moon\n";
  const auto outcome = run();
  EXPECT_EQ(ends(outcome), (Lines{"web succeeded", "moon/web failed"}));
  EXPECT_EQ(outcome.message, "failed to deploy stack moon/web: docker context moon is not known");
  EXPECT_FALSE(outcome.passing_fault);
}

TEST_F(ContextsTest, RefusesAManagerOfASwarm) {  // Y5
  edge->engine.is_manager = true;
  check_engine = [](const EngineInfo& info) {
    return info.swarm_manager ? Status(fail(Kind::invalid, "it is a manager")) : Status();
  };
  start();
  edge = &add_context("edge");
  edge->engine.is_manager = true;
  const auto outcome = run();
  EXPECT_EQ(ends(outcome), (Lines{"web succeeded", "edge/web failed"}));
  EXPECT_EQ(outcome.message, "failed to deploy stack edge/web: docker context edge: it is a manager");
}

TEST_F(ContextsTest, GoesBackOnOneEngineWhileAnotherIsAway) {  // deploy/V2
  source.files[".doco-cd.yaml"] =
      "name: web\nrollback: {stable_for: 0s}\n---\nname: web\ncontext: edge\n---\nname: web\ncontext: far\n";
  auto& far = add_context("far");
  ASSERT_EQ(run().status, RunStatus::succeeded);
  far.engine.fault = "docker engine at tcp://far (context far): no connection";
  release_2();
  source.files["www/index.html"] = "v2";
  engine.state = "exited";
  engine.exit_code = 3;
  source.on_fetch = [this](const Digest& digest) {
    if (digest != kDigest1) return;
    engine.state = "running";
    source.files["www/index.html"] = "v1";
  };
  const auto outcome = run();
  EXPECT_FALSE(outcome.passing_fault) << "the release is bad, whatever the other engine would say";
  EXPECT_NE(outcome.message.find("rollback failed: deployment failed: failed to deploy stack far/web"),
            std::string::npos)
      << outcome.message;
  EXPECT_EQ(engine.projects["web"]["page"].state, "running");
  EXPECT_EQ(releases->releases({.stack = "web", .context = ""}, 1)->front().digest, kDigest1.str());
}

TEST_F(ContextsTest, LooksAtTheEngineOfEachStack) {  // deploy/N2b
  ASSERT_EQ(run().status, RunStatus::succeeded);
  EXPECT_EQ(*settled->to_repair(request(), Deadline::in(5s)), std::nullopt);
  edge->engine.projects.clear();
  EXPECT_EQ(*settled->to_repair(request(), Deadline::in(5s)), kDigest1);
  EXPECT_EQ(ends(run()), (Lines{"web skipped", "edge/web succeeded"}));
}

TEST_F(ContextsTest, LooksAtTheOthersWhenAnEngineDoesNotAnswer) {
  source.files[".doco-cd.yaml"] = "name: web\ncontext: edge\n---\nname: web\n";
  ASSERT_EQ(run().status, RunStatus::succeeded);
  edge->engine.fault = "no connection";
  EXPECT_FALSE(settled->to_repair(request(), Deadline::in(5s))) << "nobody knows";
  engine.projects.clear();
  EXPECT_EQ(*settled->to_repair(request(), Deadline::in(5s)), kDigest1) << "there is something to do in any case";
}

// Two contexts may lead to one engine, where a name is one stack's.
TEST_F(ContextsTest, RefusesWhatRunsThereByAnotherContext) {  // deploy/O1
  source.files[".doco-cd.yaml"] = "name: web\n";
  ASSERT_EQ(run().status, RunStatus::succeeded);
  hosts.by_context["alias"] = hosts.by_context[""];
  StackPreparer preparer_of_alias(StackPreparer::Options{.hash_key = Secret("key"), .context = "alias"}, driver, engine,
                                  *releases);
  DockerHost alias{engine, driver, preparer_of_alias, *images, *deployment};
  hosts.by_context["alias"] = &alias;
  source.files[".doco-cd.yaml"] = "name: web\ncontext: alias\n";
  release_2();
  EXPECT_EQ(run().message,
            "failed to deploy stack alias/web: stack web runs on the same engine: two contexts lead there");
  source.files[".doco-cd.yaml"] = "name: web\ncontext: alias\nadopt: true\n";
  {
    const auto held = locks.take({{"web"}}, Deadline::in(5s));
    ASSERT_TRUE(held);
    // In the middle of what that job does nothing is touched that it has half made.
    auto& half_made = engine.projects["web"]["page"].name;
    const auto name = std::exchange(half_made, "0123456789ab_web-page-1");
    const auto outcome = run();
    EXPECT_EQ(outcome.message,
              "failed to deploy stack alias/web: gave up waiting for stack web, which another job deploys");
    EXPECT_TRUE(outcome.passing_fault);
    const auto config =
        std::exchange(source.files[".doco-cd.yaml"], "name: web\ncontext: alias\nadopt: true\ndestroy: true\n");
    EXPECT_TRUE(run().passing_fault);
    EXPECT_TRUE(engine.renamed.empty());
    EXPECT_EQ(engine.projects["web"].size(), 2u);
    engine.projects["web"]["page"].name = name;
    source.files[".doco-cd.yaml"] = config;
  }
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_TRUE(locks.is_free({"web"}));
  // What runs there is one stack's, which one watches, keeps content for and takes down.
  EXPECT_TRUE(releases->reconciliations("")->empty());
  EXPECT_EQ(releases->reconciliations("alias")->size(), 1u);
  const auto former = releases->releases({.stack = "web", .context = ""}, 1)->front();
  EXPECT_EQ(former.state, ReleaseState::removed);
  EXPECT_EQ(former.plan, "taken over as alias/web");
  EXPECT_EQ(run().message, "alias/web: no changes");
}

TEST_F(ContextsTest, PassesOnWhatRunsAsItIs) {  // deploy/O1
  source.files[".doco-cd.yaml"] = "name: web\n";
  ASSERT_EQ(run().status, RunStatus::succeeded);
  const auto before = releases->stack({"web"})->value().release_of;
  const auto last = releases->releases({.stack = "web"}, 1)->front();
  auto release = last;
  release.id = "next";
  release.stack = {"web", "alias"};
  ASSERT_TRUE(releases->begin(release, {}));
  release.id = "removal";
  release.stack = {"web"};
  release.state = ReleaseState::removed;
  ASSERT_TRUE(releases->pass_on(release, {"web", "alias"}));
  EXPECT_FALSE(releases->stack({"web"})->has_value());
  EXPECT_EQ(releases->stack({"web", "alias"})->value().release_of, before) << "if we are killed now, they are known";
}

TEST_F(ContextsTest, RepairsTheStackThatIsMeant) {  // deploy/E4
  ASSERT_EQ(run().status, RunStatus::succeeded);
  const auto before = id_of("page"), on_edge = edge->engine.projects["web"]["page"].id;
  auto order = releases->good_release({"web", "edge"}).value()->request;
  order.cause = kReconcileCause;
  order.service = "edge/web page";
  EXPECT_EQ(ends(run(order)), (Lines{"web skipped", "edge/web succeeded"}));
  EXPECT_EQ(id_of("page"), before);
  EXPECT_NE(edge->engine.projects["web"]["page"].id, on_edge);
}

TEST_F(ContextsTest, TakesDownWhatDiscoveryLostOnItsEngine) {  // deploy/R9
  const std::string base = "working_dir: stacks\nauto_discovery: {enabled: true, delete: true}\n";
  source.files = {{".doco-cd.yaml", base + "context: edge\n"},
                  {"stacks/web/compose.yaml", "services: {}\n"},
                  {"stacks/other/compose.yaml", "services: {}\n"}};
  edge->driver.models["other"] = edge->driver.models["web"];
  ASSERT_EQ(run().status, RunStatus::succeeded);
  source.files.erase("stacks/other/compose.yaml");
  release_2();
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.message;
  EXPECT_EQ(edge->driver.downed, Lines{"other"});
  EXPECT_EQ(driver.downed, Lines{});
  EXPECT_TRUE(releases->stack({"web", "edge"})->has_value());
}

TEST_F(ContextsTest, CleansUpOnOneEngineWhileAnotherIsAway) {
  ASSERT_EQ(run().status, RunStatus::succeeded);
  source.files = {
      {".doco-cd.yaml",
       "name: web\n---\nworking_dir: stacks\nauto_discovery: {enabled: true, delete: true}\ncontext: edge\n"},
      {"compose.yaml", "services: {}\n"},
      {"stacks/one/compose.yaml", "services: {}\n"},
      {"stacks/two/compose.yaml", "services: {}\n"}};
  for (const auto* name : {"one", "two"}) edge->driver.models[name] = edge->driver.models["web"];
  release_2();
  ASSERT_EQ(run().status, RunStatus::succeeded);
  edge->engine.fault = "no connection";
  source.files.erase("stacks/two/compose.yaml");
  source.settled = Settled{.deploy = Digest::of_sha256_hex(std::string(64, '3')), .reason = {}};
  EXPECT_EQ(ends(run()), (Lines{"web skipped", "edge/one failed"}));
  EXPECT_EQ(edge->driver.downed, Lines{});
  edge->engine.fault.clear();
  EXPECT_EQ(ends(run()), (Lines{"web skipped", "edge/one skipped", "edge/two succeeded"}));
  EXPECT_EQ(edge->driver.downed, Lines{"two"});
}

TEST_F(ContextsTest, BlamesNoReleaseForAnUnknownContext) {  // deploy/V6
  ASSERT_EQ(run().status, RunStatus::succeeded);
  source.files[".doco-cd.yaml"] = "name: web\n---\nname: web\ncontext: moon\n";
  release_2();
  EXPECT_EQ(ends(run()), (Lines{"web skipped", "moon/web failed"}));
  EXPECT_EQ(*settled->because(request(), kDigest2, Deadline::in(5s)), std::nullopt) << "somebody may create it";
}

TEST_F(ContextsTest, RefusesItsOwnStackThroughAContext) {  // deploy/U2: no helper would outlive us there
  ASSERT_EQ(run().status, RunStatus::succeeded);
  const auto projects = edge->engine.projects;
  own_container = edge->engine.projects["web"]["page"].id;
  auto& again = add_context("edge");
  again.engine.projects = projects;
  release_2();
  source.files["compose.yaml"] += "# another\n";
  again.driver.models["web"] = R"({"name":"web","services":{"page":{"image":"nginx:2","restart":"always"},
      "db":{"image":"db:1","restart":"always"}}})";
  const auto outcome = run();
  EXPECT_NE(outcome.message.find("service page is windlass itself"), std::string::npos) << outcome.message;
  EXPECT_EQ(again.driver.upped, 0);
}

TEST_F(ContextsTest, KeepsTheImagesOfAllEngines) {  // deploy/I1
  edge->engine.image_of_new = "sha256:other";
  ASSERT_EQ(run().status, RunStatus::succeeded);
  EXPECT_EQ(releases->kept_images()->size(), 2u);
}

// Y7
class RemoteTest : public PipelineTest {
 protected:
  RemoteTest() {
    source.files[".doco-cd.yaml"] = "name: web\ncontext: edge\n";
    source.files["app.conf"] = "cost: $5\n";
    source.files["key"] = "s3cret";
    driver.models["web"] = R"({"name":"web","services":{"page":{"image":"nginx:1","pull_policy":"never",
      "restart":"always","configs":[{"source":"app"}],"secrets":[{"source":"key"}]}},
      "configs":{"app":{"file":"{root}/app.conf"}},"secrets":{"key":{"file":"{root}/key"}}})";
    edge = &add_context("edge", true);
  }
  TestHost* edge;
};

TEST_F(RemoteTest, GetsTheContentOfSmallFiles) {
  const auto outcome = run();
  ASSERT_EQ(outcome.status, RunStatus::succeeded) << outcome.message;
  const auto& model = edge->driver.upped_models["web"];
  EXPECT_EQ(canonical_json(model.at("configs")), R"({"app":{"content":"cost: $$5\n"}})");
  EXPECT_EQ(canonical_json(model.at("secrets")), R"({"key":{"environment":"WINDLASS_FILE_1"}})");
  EXPECT_EQ(edge->driver.environments["web"]["WINDLASS_FILE_1"], "s3cret");
  EXPECT_EQ(live.synced_paths, Lines{}) << "nobody sees it";
  EXPECT_EQ(canonical_json(*releases->last_model({"web", "edge"}).value()).find("s3cret"), std::string::npos);
  source.files["key"] = "other";
  release_2();
  EXPECT_EQ(run().stacks[0].message, "recreate page (content of secret key changed)");
}

TEST_F(RemoteTest, SaysWhatItCannotSee) {
  edge->driver.models["web"] = R"({"name":"web","services":{"page":{"image":"nginx:1","configs":[{"source":"app"},
      {"source":"none"}],"volumes":[{"type":"bind","source":"{root}/data","target":"/data"},
      {"type":"bind","source":"/etc/localtime","target":"/etc/localtime"}]}},
      "configs":{"app":{"file":"{root}/app.conf"},"none":{"file":"{root}/none"},"unused":{"file":"{root}/x"}}})";
  source.files["app.conf"] = std::string(200'000, 'a');
  const auto outcome = run();
  EXPECT_EQ(
      outcome.message,
      "failed to deploy stack edge/web: docker context edge: its engine is on another machine, which does not see "
      "service page: bind mount of data; config app: file app.conf (app.conf is larger than 102400 bytes); config "
      "none: "
      "file none (which the artifact does not have) (remote_paths: true, if it has the data folder at the same "
      "path)");
  source.files["app.conf"] = std::string("a\0b", 3);
  EXPECT_NE(run().message.find("app.conf (it is no text)"), std::string::npos);

  source.files[".doco-cd.yaml"] = "name: web\ncontext: edge\nremote_paths: true\n";
  const auto with_paths = run();
  EXPECT_EQ(with_paths.status, RunStatus::succeeded) << with_paths.message;
  EXPECT_EQ(live.synced_paths, Lines{"reg.example/my/app@@context-edge"});
  EXPECT_TRUE(edge->driver.upped_models["web"].at("configs").at("app").get_object().contains("file"));
}

}  // namespace
}  // namespace windlass
