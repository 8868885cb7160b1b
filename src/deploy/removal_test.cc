// Stacks that are taken down: `destroy`, and those whose folder auto-discovery does not find any more.
#include <future>

#include "deploy/pipeline_fixture.h"

namespace windlass {
namespace {

class RemovalTest : public PipelineTest {
 protected:
  JobOutcome run_with(std::string config) {
    source.settled = Settled{.deploy = Digest::of_sha256_hex(sha256_hex(config)), .reason = {}};
    source.files[".doco-cd.yaml"] = std::move(config);
    return run();
  }
  // Version by version: which folders hold a stack.
  JobOutcome discover(const std::vector<std::string>& folders, const std::string& rules = "delete: true") {
    source.files.clear();
    for (const auto& folder : folders) {
      source.files["apps/" + folder + "/compose.yaml"] = "services: {}\n";
      driver.models[folder] = R"({"name":")" + folder + R"(","services":{"app":{"image":"a:1","restart":"always"}}})";
    }
    source.files["apps/readme"] = fmt::format("{}", folders.size());
    return run_with(fmt::format("# {}\nworking_dir: apps\nauto_discovery: {{enabled: true, {}}}\n",
                                fmt::join(folders, " "), rules));
  }
};

TEST_F(RemovalTest, TakesAStackDownInsteadOfDeployingIt) {
  run();
  const auto outcome = run_with("name: web\ndestroy: true\n");
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(driver.downed, std::vector<std::string>{"web volumes"});
  EXPECT_EQ(live.removed, std::vector<std::string>{"reg.example/my/app"});
  EXPECT_EQ(engine.removed_images, std::vector<std::string>{"name-of-image"});
  EXPECT_EQ(*releases->stack({"web"}), std::nullopt);
  EXPECT_TRUE(releases->kept_digests()->empty());
  const auto history = *releases->releases({"web"}, 5);
  ASSERT_EQ(history.size(), 2u) << "the history stays";
  EXPECT_EQ(history[0].state, ReleaseState::removed);
  EXPECT_EQ(history[0].plan,
            "remove db (the stack is taken down); remove page (the stack is taken down); the stack is taken down");
  EXPECT_TRUE(history[0].finished_at);
  EXPECT_EQ(history[1].state, ReleaseState::succeeded);
}

TEST_F(RemovalTest, HoldsNoLargeTreeMeanwhile) {
  run();
  Slots large_places(1, "a place");
  source.large_places = &large_places;
  FreePlaces free(large_places);
  observer = &free;
  start();
  EXPECT_EQ(run_with("name: web\ndestroy: true\n").status, RunStatus::succeeded);
  EXPECT_TRUE(free.during.at("removing stack"));
}

TEST_F(RemovalTest, NamesTheVolumesThatGo) {
  run();
  engine.volumes_of["web"] = {{"web_data", "local", {}, {}}, {"web_logs", "local", {}, {}}};
  const std::vector<std::string> lost{"volume web_data is removed with its data",
                                      "volume web_logs is removed with its data"};
  const auto plan_with = [&](const std::string& config) {
    source.files[".doco-cd.yaml"] = config;
    const auto report = pipeline->look({.id = new_uuid_v7(), .request = request()}, "", Deadline::in(5s));
    return report ? report->stacks.at(0).warnings : std::vector{report.error().message};
  };
  EXPECT_EQ(plan_with("name: web\ndestroy: {enabled: true, remove_volumes: false}\n"), std::vector<std::string>{});
  EXPECT_EQ(plan_with("name: web\ndestroy: true\n"), lost);
  run_with("name: web\ndestroy: true\n");
  const auto removal = releases->releases({"web"}, 1)->front();
  ASSERT_EQ(removal.state, ReleaseState::removed);
  ASSERT_GE(removal.reasons.size(), 2u);
  EXPECT_EQ(std::vector(removal.reasons.end() - 2, removal.reasons.end()), lost);
}

TEST_F(RemovalTest, KeepsWhatItIsToldToKeep) {
  run();
  run_with("name: web\ndestroy: {enabled: true, remove_volumes: false, remove_images: false, remove_dir: false}\n");
  EXPECT_EQ(driver.downed, std::vector<std::string>{"web"});
  EXPECT_TRUE(live.removed.empty() && engine.removed_images.empty());
}

TEST_F(RemovalTest, HasNothingToDoTheSecondTime) {
  run();
  run_with("name: web\ndestroy: true\n");
  const auto again = run_with("name: web\ndestroy: true\n# again\n");
  EXPECT_EQ(again.status, RunStatus::skipped);
  EXPECT_EQ(again.message, "web: nothing to take down");
  EXPECT_EQ(driver.downed.size(), 1u);
}

TEST_F(RemovalTest, HasNothingToDoForAStackThatNeverRan) {  // config 9, destroy: no services
  const auto outcome = run_with("name: web\ndestroy: true\n");
  EXPECT_EQ(outcome.status, RunStatus::skipped);
  EXPECT_TRUE(driver.downed.empty() && engine.removed_images.empty());
}

TEST_F(RemovalTest, LeavesTheStackOfSomebodyElseAlone) {
  engine.make("web", "page", {});
  const auto outcome = run_with("name: web\ndestroy: true\n");
  EXPECT_EQ(outcome.status, RunStatus::failed);
  EXPECT_NE(outcome.message.find("another stack with the same name already exists"), std::string::npos);
  EXPECT_TRUE(driver.downed.empty());
}

TEST_F(RemovalTest, LeavesVolumesOfSomebodyElseAloneWhoseContainersAreGone) {
  run();
  engine.projects.clear();
  source.files[".doco-cd.yaml"] = "name: web\ndestroy: true\n";
  auto other = request();
  other.source_id = "reg.example/other/app";
  other.artifact = "reg.example/other/app:main";
  const auto outcome = run(other);
  EXPECT_EQ(outcome.status, RunStatus::failed);
  EXPECT_TRUE(driver.downed.empty());
  EXPECT_TRUE(releases->stack({"web"})->has_value());
}

// deploy/R1: containers that do not restart are gone, and nobody but doco-cd knew the stack
TEST_F(RemovalTest, RemovesWhatDocoCdLeftOfAStack) {
  const auto volume_of = [](std::string source) {
    return Volume{.name = "web_data",
                  .driver = "local",
                  .labels = {{"cd.doco.metadata.manager", "doco-cd"}, {"cd.doco.source.name", std::move(source)}}};
  };
  engine.volumes_of["web"] = {volume_of("somebody/else")};
  EXPECT_EQ(run_with("name: web\ndestroy: true\n").message,
            "failed to deploy stack web: another stack with the same name already exists and is not managed by this "
            "repository: adopt: true takes it over");
  EXPECT_EQ(run_with("name: web\n").status, RunStatus::failed) << "deploy/O1";
  engine.volumes_of["web"] = {volume_of("my/app")};
  EXPECT_EQ(run_with("name: web\ndestroy: true\n# again\n").status, RunStatus::succeeded);
  EXPECT_EQ(driver.downed, std::vector<std::string>{"web volumes"});
  EXPECT_EQ(driver.upped, 0);
}

// deploy/U4: nobody would be left
TEST_F(RemovalTest, NeverEndsItself) {
  run();
  own_container = id_of("page");
  start();
  const auto refused = run_with("name: web\ndestroy: true\n");
  EXPECT_EQ(refused.message,
            "failed to deploy stack web: service page is windlass itself, which cannot remove its own container (the "
            "stack is taken down): do it from outside, with docker compose or a second windlass");
  auto& model = driver.models["web"];
  const auto whole = model;
  model = R"({"name":"web","services":{"db":{"image":"db:1","pull_policy":"never","restart":"always"}}})";
  EXPECT_NE(run_with("name: web\n").message.find("(service is unnecessary)"), std::string::npos);
  EXPECT_TRUE(driver.downed.empty());
  EXPECT_EQ(driver.upped, 1);
  EXPECT_EQ(id_of("page"), own_container);
  model = whole;
}

// deploy/U2: a helper does it, after everything else
TEST_F(RemovalTest, ChangesItselfLastAndByAHelper) {
  driver.models["side"] = driver.models["web"];
  run_with("name: web\n---\nname: side\n");
  EXPECT_EQ(driver.options["web"].own_service, "");
  own_container = id_of("page");
  start();
  std::vector<std::string> order;
  driver.before_up = [&](const std::string& stack) { order.push_back(stack); };
  source.files["www/index.html"] = "v2";
  EXPECT_EQ(run_with("name: web\n---\nname: side\n# again\n").status, RunStatus::succeeded);
  EXPECT_EQ(order, (std::vector<std::string>{"side", "web"}));
  EXPECT_EQ(driver.options["web"].own_service, "page");
  EXPECT_EQ(driver.options["web"].own_order.find(" sha256:"), 36u) << driver.options["web"].own_order;
  EXPECT_EQ(driver.options["side"].own_service, "");
}

TEST_F(RemovalTest, KeepsTheFilesThatANeighbourNeeds) {
  driver.models["side"] = driver.models["web"];
  run_with("name: web\n---\nname: side\n");
  const auto outcome = run_with("name: web\n---\nname: side\ndestroy: true\n");
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(driver.downed, std::vector<std::string>{"side volumes"});
  EXPECT_TRUE(live.removed.empty());
  EXPECT_EQ(engine.projects["web"].size(), 2u);
}

TEST_F(RemovalTest, KeepsTheFilesThatAContainerOfSomebodyElseMounts) {  // deploy/R5
  run();
  engine.make("other", "proxy", {});
  auto& proxy = engine.projects["other"]["proxy"];
  proxy.bind_sources = {"/host/data/reg.example/my/app/www"};
  run_with("name: web\ndestroy: true\n");
  EXPECT_EQ(driver.downed, std::vector<std::string>{"web volumes"});
  EXPECT_TRUE(live.removed.empty());
  proxy.bind_sources = {"/host/data/reg.example/my/app-2"};
  run_with("name: web\n");
  run_with("name: web\ndestroy: true\n# again\n");
  EXPECT_EQ(live.removed, std::vector<std::string>{"reg.example/my/app"});
}

TEST_F(RemovalTest, RemovesAStackWhoseFolderIsGone) {
  ASSERT_EQ(discover({"one", "two"}).status, RunStatus::succeeded);
  const auto outcome = discover({"one"});
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(driver.downed, std::vector<std::string>{"two"});
  EXPECT_EQ(outcome.stacks.back().name, "two");
  EXPECT_EQ(engine.projects["one"].size(), 1u);
  EXPECT_EQ(engine.projects["one"]["app"].label("cd.doco.deployment.auto_discovery"), "true");
  EXPECT_EQ(engine.projects["one"]["app"].label("cd.doco.deployment.auto_discovery.config"),
            "{enabled: true, depth: 0, delete: true, remove_volumes: false, remove_images: true}");
}

// Each of two tags may wait for a stack of the other: neither waits, and nobody removes what is being deployed.
// deploy/R9 to R11, R14: the folder went before our first run
TEST_F(RemovalTest, RemovesAStackThatDocoCdFoundAndWhoseFolderIsGone) {
  const Labels obsolete = {{"cd.doco.metadata.manager", "doco-cd"},
                           {"cd.doco.source.name", "my/app"},
                           {"cd.doco.deployment.config.target", ""},
                           {"cd.doco.deployment.target.ref", "main"},
                           {"cd.doco.deployment.auto_discovery", "true"},
                           {"cd.doco.deployment.auto_discovery.config", "{enabled: true, delete: true}"}};
  const auto make = [&](const std::string& stack, const char* label, const char* value) {
    auto labels = obsolete;
    if (*label != '\0') labels[std::string("cd.doco.") + label] = value;
    engine.make(stack, "app", labels);
  };
  make("gone", "", "");
  make("of-others", "source.name", "their/app");
  make("of-target", "deployment.config.target", "prod");
  make("of-branch", "deployment.target.ref", "next");
  make("by-hand", "deployment.auto_discovery", "false");
  const auto outcome = discover({"stays"});
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(driver.downed, std::vector<std::string>{"gone"});
}

TEST_F(RemovalTest, LeavesAStackAloneThatAnotherJobDeploys) {
  discover({"one", "two"});
  std::promise<void> is_deploying, go_on;
  driver.before_pull = [&](const std::string& stack) {
    if (stack != "two") return;
    is_deploying.set_value();
    go_on.get_future().wait();
  };
  auto other = request();
  other.ref = "dev";
  driver.models["two"] = R"({"name":"two","services":{"app":{"image":"b:2","restart":"always"}}})";
  source.files = {{".doco-cd.yaml", "name: two\n"}, {"compose.yaml", "services: {}\n"}};
  auto deployed = std::async(std::launch::async, [&] { return run(other).run_message(); });
  if (is_deploying.get_future().wait_for(60s) != std::future_status::ready) {
    go_on.set_value();
    FAIL() << deployed.get();
  }
  const auto outcome = discover({"one"});
  EXPECT_EQ(outcome.message, "one: no changes");
  EXPECT_EQ(driver.downed, std::vector<std::string>{});
  go_on.set_value();
  EXPECT_EQ(deployed.get(), "job completed successfully");
  const auto fetched = source.fetched;
  discover({"one"});
  EXPECT_EQ(source.fetched, fetched + 1) << "had the other job failed, the stack would still have to go";
}

TEST_F(RemovalTest, RemovesNothingUnlessAskedTo) {
  discover({"one", "two"}, "delete: false");
  discover({"one"}, "delete: false");
  EXPECT_TRUE(driver.downed.empty());
}

TEST_F(RemovalTest, TakesTheNewestWordOfTheFile) {  // deploy/R13
  discover({"one", "two"}, "delete: false");
  discover({"one"}, "delete: true, remove_volumes: true");
  EXPECT_EQ(driver.downed, std::vector<std::string>{"two volumes"});
}

TEST_F(RemovalTest, KeepsTheRulesOfAStackThatNothingElseChanged) {  // deploy/N18
  const auto discover_two = [&](bool with_b, const char* removed) {
    source.files.clear();
    for (const std::string& folder : {std::string("a/one"), std::string("a/two"), std::string("b/three")}) {
      if (folder == "a/two" && !with_b) continue;
      const auto stack = folder.substr(2);
      source.files[folder + "/compose.yaml"] = "services: {}\n";
      driver.models[stack] = R"({"name":")" + stack + R"(","services":{"app":{"image":"a:1","restart":"always"}}})";
    }
    return run_with(
        fmt::format("working_dir: a\nauto_discovery: {{enabled: true, delete: {}}}\n---\n"
                    "working_dir: b\nauto_discovery: {{enabled: true}}\n# {}\n",
                    removed, with_b));
  };
  discover_two(true, "false");
  EXPECT_EQ(discover_two(true, "true").status, RunStatus::skipped);
  EXPECT_EQ(driver.upped, 3);
  discover_two(false, "true");
  EXPECT_EQ(driver.downed, std::vector<std::string>{"two"});
}

TEST_F(RemovalTest, RemovesTheLastOnesOnlyWhenThatIsMeant) {  // deploy/R15
  discover({"one"});
  discover({});
  EXPECT_TRUE(driver.downed.empty());
  discover({}, "delete: true, delete_all: true");
  EXPECT_EQ(driver.downed, std::vector<std::string>{"one"});
}

TEST_F(RemovalTest, KeepsAStackThatMovedToADocumentOfItsOwn) {  // deploy/R12
  discover({"one", "two"});
  source.files["apps/one/compose.yaml"] = "services: {}\n";
  run_with("working_dir: apps\nauto_discovery: {enabled: true, delete: true}\n---\nname: two\nworking_dir: apps/one\n");
  EXPECT_TRUE(driver.downed.empty());
}

TEST_F(RemovalTest, RemovesNothingWhenAStackOfTheRunFailed) {  // deploy/R16
  discover({"one", "two"});
  driver.up_error = Error{Kind::conflict, "port is taken"};
  source.files.clear();
  EXPECT_EQ(discover({"one", "three"}).status, RunStatus::failed);
  EXPECT_TRUE(driver.downed.empty());
}

}  // namespace
}  // namespace windlass
