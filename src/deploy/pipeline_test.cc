#include "deploy/pipeline_fixture.h"

namespace windlass {
namespace {

TEST_F(PipelineTest, DeploysAFirstRelease) {
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(outcome.message, "job completed successfully");
  ASSERT_EQ(outcome.stacks.size(), 1u);
  EXPECT_EQ(outcome.stacks[0].message, "create db (service not deployed); create page (service not deployed)");
  EXPECT_EQ(revision, "main (" + kDigest1.str() + ")");
  EXPECT_EQ(live.synced, std::vector{kDigest1.str()});
  EXPECT_EQ(engine.projects["web"].size(), 2u);
  EXPECT_EQ(engine.projects["web"]["db"].label("cd.doco.deployment.target.sha"), kDigest1.str());
  EXPECT_FALSE(fs::exists(folder / ".windlass/oci/staging") && !fs::is_empty(folder / ".windlass/oci/staging"));
}

TEST_F(PipelineTest, FetchesNothingOfAnArtifactThatIsNotTrusted) {  // oci 11.3: before the pull
  source.distrust = Error{Kind::denied, "OCI artifact signature verification failed: key SHA256:x: none"};
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::failed);
  EXPECT_EQ(outcome.failed_step, FailedStep::trust);
  EXPECT_EQ(outcome.run_message(),
            "failed OCI signature verification: OCI artifact signature verification failed: key SHA256:x: none");
  EXPECT_FALSE(outcome.passing_fault);
  EXPECT_EQ(source.fetched, 0);
  EXPECT_EQ(live.given, 0) << "it takes no live directory from others";
  EXPECT_TRUE(live.synced.empty());
  EXPECT_EQ(engine.made, 0);
}

TEST_F(PipelineTest, TriesAgainWhenSignaturesCannotBeRead) {
  source.distrust = Error{Kind::unavailable, "503"};
  EXPECT_TRUE(run().passing_fault);
}

TEST_F(PipelineTest, VerifiesAgainWhenThePolicyChanged) {  // oci 13: the policy belongs to what "unchanged" means
  run();
  run();
  EXPECT_EQ(source.verified, 1);
  source.stamp = "another policy";
  source.distrust = Error{Kind::denied, "unsigned"};
  const auto outcome = run();
  EXPECT_EQ(outcome.failed_step, FailedStep::trust);
  EXPECT_EQ(source.verified, 2);
  EXPECT_EQ(engine.projects["web"].size(), 2u) << "what runs keeps running";
}

TEST_F(PipelineTest, LooksAgainWhenItsSurroundingsChanged) {
  run();
  surroundings = "COMPOSE_EXPERIMENTAL_OCI_REMOTE=false";
  start();
  const auto fetched = source.fetched;
  EXPECT_EQ(run().status, RunStatus::skipped);
  EXPECT_EQ(source.fetched, fetched + 1);
  EXPECT_EQ(run().status, RunStatus::skipped);
  EXPECT_EQ(source.fetched, fetched + 1);
}

TEST_F(PipelineTest, ChangesNothingThatItCannotNote) {  // a later job must know of it
  ASSERT_EQ(run().status, RunStatus::succeeded);
  release_2();
  source.files["www/index.html"] = "v2";
  const auto state = Db::open(folder / "state.db").value();
  ASSERT_TRUE(
      state->execute("CREATE TRIGGER no BEFORE DELETE ON settled_runs BEGIN SELECT raise(FAIL, 'no room'); END"));
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::failed);
  EXPECT_NE(outcome.message.find("no room"), std::string::npos) << outcome.message;
  EXPECT_EQ(driver.upped, 1);
  EXPECT_EQ(live.synced, std::vector{kDigest1.str()});
  ASSERT_TRUE(state->execute("DROP TRIGGER no"));
  EXPECT_EQ(run().status, RunStatus::succeeded);
}

TEST_F(PipelineTest, BringsAStackUpInTheEnvironmentThatItWasResolvedIn) {
  source.files[".doco-cd.yaml"] = "name: web\nenvironment:\n  TOKEN: hunter22\n";
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_EQ(driver.environments["web"]["TOKEN"], "hunter22");
}

TEST_F(PipelineTest, DoesNothingAtAllWhenNothingChanged) {  // deploy/N2b, reliability/P3
  run();
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::skipped);
  EXPECT_EQ(outcome.message, "web: no changes");
  EXPECT_EQ(source.fetched, 1);
  EXPECT_EQ(driver.resolved, 1);
  EXPECT_EQ(driver.upped, 1);
  EXPECT_EQ(engine.made, 2);
}

TEST_F(PipelineTest, RecreatesJustTheServiceWhoseFilesChanged) {  // deploy/N12, L21, S11
  run();
  const auto page = id_of("page"), db = id_of("db");
  release_2();
  source.files["www/index.html"] = "v2";
  const auto outcome = run();
  EXPECT_EQ(outcome.stacks.at(0).message, "keep db; recreate page (content of www mounted at /www changed)");
  EXPECT_NE(id_of("page"), page);
  EXPECT_EQ(id_of("db"), db);
}

TEST_F(PipelineTest, WaitsForNoContainerOfAProvider) {  // deploy/X18
  const auto with_size = [&](int size) {
    driver.models["web"] = fmt::format(R"({{"name":"web","services":{{
        "page":{{"image":"nginx:1","pull_policy":"never","restart":"always"}},
        "db":{{"provider":{{"type":"cloud","options":{{"size":"{}"}}}}}}}}}})",
                                       size);
  };
  with_size(1);
  EXPECT_EQ(run().stacks.at(0).message,
            "create db (its provider was not told yet); create page (service not deployed)");
  release_2();
  EXPECT_EQ(run().message, "web: no changes");
  with_size(2);
  source.settled = Settled{.deploy = kDigest1, .reason = {}};
  EXPECT_EQ(run().stacks.at(0).message, "create db (its provider was not told yet); keep page");
  EXPECT_EQ(engine.made, 1);
}

TEST_F(PipelineTest, RenewsAVolumeThatOnlyMountsAShare) {  // deploy/C8
  const auto with_address = [&](const std::string& address) {
    driver.models["web"] = R"({"name":"web","services":{"page":{"image":"nginx:1","pull_policy":"never",
        "restart":"always","volumes":[{"type":"volume","source":"share","target":"/share"}]}},
      "volumes":{"share":{"name":"web_share","driver_opts":{"type":"nfs","o":"addr=)" +
                           address + R"("}}}})";
  };
  with_address("10.0.0.1");
  run();
  engine.volumes_of["web"] = {{"web_share", "local", {{"type", "nfs"}, {"o", "addr=10.0.0.1"}}, {}}};
  release_2();
  with_address("10.0.0.2");
  driver.before_up = [&](const std::string&) { EXPECT_TRUE(engine.volumes_of["web"].empty()); };
  EXPECT_EQ(run().stacks.at(0).message, "recreate page (volume share changed)");
  EXPECT_EQ(driver.upped, 2);
}

TEST_F(PipelineTest, TellsInAPlanWhatElseWouldHappen) {  // deploy/P10, C8, S20
  driver.models["web"] = R"({"name":"web","services":{"page":{"image":"nginx:1","volumes":[
        {"type":"bind","source":"{root}/www","target":"/www"},{"type":"bind","source":"{root}/cache","target":"/c"},
        {"type":"bind","source":"{root}/logs","target":"/l"},{"type":"bind","source":"/etc/none","target":"/n"}],
        "secrets":[{"source":"token"}],"configs":[{"source":"page"}]}},
      "secrets":{"token":{"file":"{root}/tokn.txt"},"unused":{"file":"{root}/none"}},
      "configs":{"page":{"file":"{root}/www/index.html"}},
      "volumes":{"data":{"name":"web_data","labels":{"tier":"1"}}}})";
  engine.volumes_of["web"] = {{"web_data", "local", {}, {}}};
  fs::create_directories(folder / "reg.example/my/app/logs");
  const auto report = pipeline->look({.id = new_uuid_v7(), .request = request()}, "", Deadline::in(5s));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->stacks.at(0).warnings,
            (std::vector<std::string>{"cache is mounted and not there: the engine makes it, an empty folder of root's",
                                      "secret token: tokn.txt is not there: no container that uses it can start",
                                      "volume web_data is there with another label tier and stays as it is: it holds "
                                      "data"}));
}

TEST_F(PipelineTest, TellsInAPlanWhichKeysAreUnknown) {
  source.files[".doco-cd.yaml"] = "name: web\ntiemout: 45\n";
  const auto report = pipeline->look({.id = new_uuid_v7(), .request = request()}, "", Deadline::in(5s));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->warnings,
            std::vector<std::string>{".doco-cd.yaml:2: unknown key \"tiemout\", did you mean \"timeout\"?"});
}

TEST_F(PipelineTest, WritesTheFilesOfAReleaseThatChangesNoService) {
  run();
  release_2();
  source.files["README.md"] = "words";
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::skipped);
  EXPECT_EQ(live.synced, (std::vector{kDigest1.str(), kDigest2.str()}));
  EXPECT_EQ(driver.upped, 1);
}

TEST_F(PipelineTest, RecreatesNothingAfterACrashBetweenUpAndRecord) {  // reliability/F10
  run();
  const auto page = id_of("page");
  // What the crash left: containers made by a release that never ended.
  {
    auto db = Db::open(folder / "state.db");
    ASSERT_TRUE(
        (*db)->execute("UPDATE releases SET state = 'running'; UPDATE stacks SET last_state = 'running', "
                       "release_of = '{}'; DELETE FROM settled_runs;"));
  }
  start();
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(outcome.stacks.at(0).message, "keep db; keep page; the last release of the stack failed");
  EXPECT_EQ(id_of("page"), page);
  EXPECT_EQ(run().status, RunStatus::skipped);
}

TEST_F(PipelineTest, TouchesNothingWhenAModelCannotBeResolved) {  // reliability/P7
  run();
  release_2();
  driver.resolve_error = Error{Kind::invalid, "services.page.image must be a string"};
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::failed);
  EXPECT_EQ(outcome.run_message(),
            "deployment failed: failed to deploy stack web: services.page.image must be a string");
  EXPECT_EQ(live.synced.size(), 1u);
  EXPECT_EQ(driver.upped, 1);
}

// reliability/P28
TEST_F(PipelineTest, TouchesNothingThatTheRestrictedPolicyForbids) {
  driver.models["web"] = R"({"name":"web","services":{"page":{"image":"nginx:1","privileged":true}}})";
  restricted = true;
  start();
  EXPECT_EQ(run().run_message(), "deployment failed: failed to deploy stack web: policy: service page: privileged");
  EXPECT_TRUE(driver.was_local);
  driver.models["web"] = R"({"name":"web","services":{"page":{"image":"nginx:1","pull_policy":"never"}}})";
  source.files["compose.yaml"] = "services: {page: {image: nginx, env_file: /etc/passwd}}\n";
  EXPECT_EQ(run().run_message(),
            "deployment failed: failed to deploy stack web: policy: service page: env_file /etc/passwd leaves the "
            "artifact, or may (compose.yaml:1)");
  EXPECT_TRUE(live.synced.empty());
  EXPECT_EQ(driver.upped, 0);
  restricted = false;
  start();
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_FALSE(driver.was_local);
}

TEST_F(PipelineTest, BringsNothingThatLiesElsewhereIntoAnArchive) {
  for (const bool is_archive : {true, false}) {
    const auto report =
        pipeline->look({.id = new_uuid_v7(), .request = request()}, is_archive ? "archive" : "", Deadline::in(5s));
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(driver.was_local, is_archive);
  }
}

// reliability/P28
TEST_F(PipelineTest, LeavesTheVolumesOfOthersAloneUnderTheRestrictedPolicy) {
  driver.models["web"] = R"({"name":"web","services":{"page":{"image":"nginx:1","pull_policy":"never"}},
    "volumes":{"b_data":{"name":"web_b_data"}}})";
  engine.volumes_of["web_b"] = {
      {.name = "web_b_data",
       .labels = {{"com.docker.compose.project", "web_b"}, {"com.docker.compose.volume", "data"}}}};
  restricted = true;
  start();
  EXPECT_EQ(run().run_message(),
            "deployment failed: failed to deploy stack web: policy: volume b_data: web_b_data is volume data of stack "
            "web_b");
  EXPECT_TRUE(live.synced.empty());
  EXPECT_EQ(driver.upped, 0);
  engine.volumes_of.clear();
  EXPECT_EQ(run().status, RunStatus::succeeded);
}

// reliability/F9: the engine still works on what the tool of a killed process had asked for
TEST_F(PipelineTest, SettlesWhatAppearsInTheWayOfTheTool) {
  run();
  release_2();
  source.files["www/index.html"] = "v2";
  int late = 2;
  driver.before_up = [&](const std::string& stack) {
    driver.up_error.reset();
    if (late-- == 0) return;
    auto half = engine.projects[stack]["page"];
    half.id = "half";
    half.name = "0123456789ab_web-page-1";
    engine.projects[stack]["page of a killed process"] = half;
    driver.up_error = Error{Kind::conflict, "the container name is already in use"};
  };
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(driver.upped, 4);
  EXPECT_EQ(engine.projects["web"].count("page of a killed process"), 0u);

  source.files["www/index.html"] = "v3";  // what is there again and again is somebody's doing
  source.settled = Settled{.deploy = kDigest1, .reason = {}};
  late = 100;
  EXPECT_EQ(run().status, RunStatus::failed);
  EXPECT_EQ(driver.upped, 7);
}

TEST_F(PipelineTest, TriesOnceWhenNothingHalfMadeIsInTheWay) {
  driver.up_error = Error{Kind::conflict, "port is already allocated"};
  EXPECT_EQ(run().status, RunStatus::failed);
  EXPECT_EQ(driver.upped, 1);
}

TEST_F(PipelineTest, TouchesNothingWhenAnImageCannotBePulled) {
  run();
  release_2();
  auto& model = driver.models["web"];
  model.replace(model.find("\"nginx:1\",\"pull_policy\":\"never\""), 31, "\"nginx:2\"");
  driver.pull_error = Error{Kind::not_found, "manifest unknown"};
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::failed);
  EXPECT_EQ(live.synced.size(), 1u);
  EXPECT_EQ(driver.upped, 1);
}

// deploy/N19: a registry that is away is no reason to fail a stack that is as it should be
TEST_F(PipelineTest, LeavesAStackAloneWhoseNewerImagesCannotBeLookedFor) {
  source.files[".doco-cd.yaml"] = "name: web\nforce_image_pull: true\n";
  run();
  driver.pull_error = Error{Kind::unavailable, "docker compose pull: no route to host"};
  EXPECT_EQ(run().message, "web: no changes");
  driver.pull_error.reset();
  engine.images["nginx:1"] = engine.image_of_new = "sha256:newer";
  EXPECT_EQ(run().stacks.at(0).message, "keep db; recreate page (image nginx:1 moved)");
  driver.pull_error = Error{Kind::unavailable, "docker compose pull: no route to host"};
  release_2();
  source.files["www/index.html"] = "v2";
  EXPECT_EQ(run().status, RunStatus::failed) << "a service that changes may need the newer one";
}

TEST_F(PipelineTest, GoesOnWithTheNeighboursOfAStackThatCannotBePlanned) {  // deploy/S5, O1
  source.files[".doco-cd.yaml"] = "name: web\n---\nname: other\n";
  driver.models["other"] = R"({"services":{"x":{"image":"x","pull_policy":"never"}}})";
  engine.make("other", "x", {});  // somebody else's
  const auto outcome = run();
  EXPECT_EQ(
      outcome.run_message(),
      "deployment failed: failed to deploy stack other: another stack with the same name already exists and is not "
      "managed by this repository: adopt: true takes it over");
  ASSERT_EQ(outcome.stacks.size(), 2u);
  EXPECT_EQ(outcome.stacks[0].status, RunStatus::succeeded);
  EXPECT_EQ(outcome.stacks[1].status, RunStatus::failed);
  EXPECT_EQ(driver.upped, 1);
  EXPECT_EQ(engine.projects["other"]["x"].label("cd.doco.deployment.name"), "")
      << "somebody else's container is as it was";
}

TEST_F(PipelineTest, DeploysNoStackWhenOneModelIsBroken) {  // reliability/P7
  source.files[".doco-cd.yaml"] = "name: web\n---\nname: other\ncompose_files: [absent.yaml]\n";
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::failed);
  ASSERT_EQ(outcome.stacks.size(), 2u);
  EXPECT_EQ(outcome.stacks[0].message, "not deployed, because another stack of the run failed");
  EXPECT_EQ(driver.upped, 0);
  EXPECT_TRUE(live.synced.empty());
}

TEST_F(PipelineTest, FinishesARecreationThatComposeWasKilledIn) {  // reliability/F9
  run();
  auto& page = engine.projects["web"]["page"];
  // The new container stands under its temporary name, the old one is gone.
  const auto id = page.id;
  page.name = "0123456789ab_web-page-1";
  release_2();
  source.files["www/index.html"] = "v2";
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_EQ(engine.renamed, (std::map<std::string, std::string>{{id, "web-page-1"}}));
}

TEST_F(PipelineTest, NamesTheServiceThatDoesNotStart) {  // deploy/C12
  engine.state = "exited";
  engine.exit_code = 3;
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::failed);
  for (const auto* part : {"failed to deploy stack web", "exited with code 3", "boom"})
    EXPECT_NE(outcome.message.find(part), std::string::npos) << outcome.message;
  EXPECT_EQ((*releases->stack({"web"}))->last_state, ReleaseState::failed);
}

struct Countings final : Observer {
  int running = 0, failed = 0;
  void deployment_started(const StackEvent&) override { ++running; }
  void stack_deployed(const StackEvent&) override { --running; }
  void deployment_failed(const StackEvent&) override {
    --running;
    ++failed;
  }
};

TEST_F(PipelineTest, TellsOfTheEndOfADeploymentWhateverEndsIt) {
  Countings counted;
  observer = &counted;
  start();
  driver.before_up = [](const std::string&) { throw std::runtime_error("out of threads"); };
  EXPECT_EQ(run().stacks.at(0).message, "ended by an exception: out of threads");
  EXPECT_EQ(counted.running, 0);
  EXPECT_EQ(counted.failed, 1);
  driver.before_up = {};
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_EQ(counted.running, 0);
  EXPECT_EQ(counted.failed, 1);
}

TEST_F(PipelineTest, TriesAFailedReleaseAgainWithoutRecreating) {  // deploy/C14
  engine.state = "exited";
  engine.exit_code = 3;
  run();
  for (auto& [service, container] : engine.projects["web"]) container.state = "running";
  engine.state = "running";
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(engine.made, 2);
}

// config 6, from file to compose
TEST_F(PipelineTest, GivesComposeEveryEnvironmentInItsOrder) {
  passed_environment = {{"A", "process"}, {"B", "process"}};
  start();
  source.files[".env"] = "A=file\nB=file\nC=file\n";
  source.files[".doco-cd.yaml"] = "name: web\nenvironment: {A: config}\n";
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_EQ(driver.environments["web"],
            (std::map<std::string, std::string>{{"A", "config"}, {"B", "process"}, {"C", "file"}}));
}

TEST(StartTimeout, IsHalfAMinuteWhereNoneIsGiven) {  // config 4, timeout
  EXPECT_EQ(start_timeout({}), 180s);
  EXPECT_EQ(start_timeout({.timeout_seconds = 7}), 7s);
  EXPECT_EQ(start_timeout({.timeout_seconds = 0}), 30s);
}

TEST_F(PipelineTest, GivesEachStepATimeOfItsOwn) {  // deploy/C13
  source.files[".doco-cd.yaml"] = "name: web\ntimeout: 45\nforce_image_pull: true\n";
  driver.models["web"] = R"({"name":"web","services":{"page":{"image":"nginx:1","restart":"always"},
      "app":{"build":{"context":"{root}/www"},"restart":"always"}}})";
  ASSERT_EQ(run(request(), 1h).status, RunStatus::succeeded);
  const std::pair<const char*, std::chrono::milliseconds> rows[] = {{"pull", 10min}, {"build", 20min}, {"up", 45s}};
  for (const auto& [step, span] : rows) {
    EXPECT_LE(driver.given.at(step), span) << step;
    EXPECT_GT(driver.given.at(step), span - 10s) << step;
  }
}

// deploy/L21, L24: labels make compose recreate a service; of a volume they would make it ask whether data may be lost
TEST_F(PipelineTest, LabelsServicesOnlyAndThoseThatStayAsTheyAre) {
  auto& model = driver.models["web"];
  model.insert(model.rfind('}'), R"(,"volumes":{"data":{"name":"web_data"}},"networks":{"net":{"name":"web_net"}})");
  run();
  const auto label_of = [&](const std::string& service) {
    const auto& definition = driver.upped_models.at("web").at("services").at(service);
    return std::string(definition.at("labels").at("cd.windlass.release").as_string());
  };
  const auto first = label_of("db");
  EXPECT_EQ(label_of("page"), first);
  release_2();
  source.files["www/index.html"] = "v2";
  run();
  EXPECT_EQ(label_of("db"), first);
  EXPECT_NE(label_of("page"), first);
  EXPECT_EQ(driver.upped_models.at("web").at("volumes"), (json::object{{"data", {{"name", "web_data"}}}}));
  EXPECT_EQ(driver.upped_models.at("web").at("networks"), (json::object{{"net", {{"name", "web_net"}}}}));
}

TEST_F(PipelineTest, AddsTheTimeoutOfTheStackToThatOfTheJob) {  // webhook/C10
  EXPECT_EQ(run(request(), 0ms).status, RunStatus::succeeded);
}

TEST_F(PipelineTest, WaitsForHealthWithoutAPlace) {  // webhook/C5: four sick stacks would hold up all others
  std::vector<Slots::Held> others;
  for (int i = 0; i < 3; ++i) others.push_back(std::move(*places.take(Deadline::in(0ms))));
  FreePlaces free(places);
  observer = &free;
  start();
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_FALSE(free.during.at("creating services"));
  EXPECT_TRUE(free.during.at("waiting for services to start"));
}

TEST_F(PipelineTest, LeavesFilteredStacksAlone) {  // webhook/F7, X5
  source.files[".doco-cd.yaml"] = "name: web\nwebhook_filter: ^v[0-9]\n";
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::skipped);
  EXPECT_EQ(outcome.message, "web: webhook_filter '^v[0-9]' does not match main");
  EXPECT_EQ(driver.resolved, 0);
  EXPECT_EQ(run().status, RunStatus::skipped);
  EXPECT_EQ(source.fetched, 1) << "the second run had nothing to read";
}

TEST_F(PipelineTest, CountsWhatWasDeployedAndWhatSkipped) {  // webhook/X6
  source.files[".doco-cd.yaml"] = "name: web\n---\nname: left\nwebhook_filter: ^v[0-9]\n";
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::succeeded);
  EXPECT_EQ(outcome.message,
            "job completed successfully: 1 deployed, 1 skipped (left: webhook_filter '^v[0-9]' does not match main)");
  ASSERT_EQ(outcome.stacks.size(), 2u);
  EXPECT_EQ(outcome.stacks[1].status, RunStatus::skipped);
}

TEST_F(PipelineTest, TellsWhereTheFilesAreWhenAnotherReferenceHasThePlainPath) {  // oci 9
  live.suffix = "@staging";
  source.files[".doco-cd.yaml"] = "name: web\n---\nname: left\nwebhook_filter: ^v[0-9]\n";
  EXPECT_EQ(run().message,
            "job completed successfully, with its files in reg.example/my/app@staging: 1 deployed, 1 skipped (left: "
            "webhook_filter '^v[0-9]' does not match main)");
  EXPECT_EQ(run().message, "web: no changes; left: webhook_filter '^v[0-9]' does not match main");
}

TEST_F(PipelineTest, TellsWhichStepFailed) {  // webhook/R29 to R32
  source.settled = tl::unexpected(Error{Kind::unavailable, "registry down"});
  auto outcome = run();
  EXPECT_EQ(outcome.failed_step, FailedStep::resolve);
  EXPECT_TRUE(outcome.passing_fault);
  source.settled = Settled{.deploy = kDigest1, .reason = {}};
  source.fetch_error = Error{Kind::invalid, "blob digest mismatch"};
  outcome = run();
  EXPECT_EQ(outcome.failed_step, FailedStep::pull);
  EXPECT_FALSE(outcome.passing_fault);
  source.fetch_error.reset();
  source.files.erase(".doco-cd.yaml");
  EXPECT_EQ(run().failed_step, FailedStep::config);
  EXPECT_TRUE(live.synced.empty());
}

TEST_F(PipelineTest, RepairsWhatWasRemovedByHand) {  // deploy/N17
  run();
  engine.projects["web"].erase("db");
  const auto outcome = run();
  EXPECT_EQ(outcome.stacks.at(0).message, "create db (service not deployed); keep page");
  EXPECT_EQ(run().status, RunStatus::skipped);
}

TEST_F(PipelineTest, SkipsWhatTheSourceSkips) {  // webhook/P4
  source.settled = Settled{.deploy = std::nullopt, .reason = "superseded: main now points to x"};
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::skipped);
  EXPECT_EQ(outcome.message, "superseded: main now points to x");
}

}  // namespace
}  // namespace windlass
