#include "deploy/pipeline.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <mutex>

#include "deploy/labels.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const auto kDigest1 = Digest::of_sha256_hex(std::string(64, '1')),
           kDigest2 = Digest::of_sha256_hex(std::string(64, '2'));

// A source with one release at a time: its files, or why it has none.
struct FakeSource final : Source {
  std::map<std::string, std::string> files;
  Result<Settled> settled = Settled{.deploy = kDigest1, .reason = {}};
  std::optional<Error> fetch_error;
  int fetched = 0;

  Result<Settled> settle(const Job&, const LaneHistory&, const Deadline&) override { return settled; }
  Result<UnpackedTree> fetch(const Job&, const Digest&, const fs::path& staging, const Deadline&) override {
    ++fetched;
    if (fetch_error) return tl::unexpected(*fetch_error);
    UnpackedTree tree{.root = staging};
    for (const auto& [path, text] : files) {
      fs::create_directories((staging / path).parent_path());
      std::ofstream(staging / path) << text;
      tree.entries.push_back({.path = path, .type = EntryType::file, .mode = 0644, .content = sha256_hex(text)});
    }
    return tree;
  }
  Result<std::string> live_path(const Job&) const override { return std::string("reg.example/my/app"); }
};

// An engine in memory; every container is what the driver made of it.
struct FakeEngine final : Engine {
  std::mutex mutex;
  std::map<std::string, std::map<std::string, ContainerSummary>> projects;  // project -> service -> container
  std::string state = "running";                                            // of containers that are made from now on
  int exit_code = 0;
  int made = 0;
  std::map<std::string, std::string> renamed;  // id -> new name

  void make(const std::string& project, const std::string& service, Labels labels) {
    labels["com.docker.compose.service"] = service;
    labels["com.docker.compose.project"] = project;
    projects[project][service] = {.id = fmt::format("container-{}", ++made),
                                  .name = fmt::format("{}-{}-1", project, service),
                                  .image_id = "sha256:image",
                                  .state = state,
                                  .labels = std::move(labels)};
  }
  Status ping() override { return {}; }
  Result<EngineInfo> info(const Deadline&) override { return EngineInfo{}; }
  Result<std::vector<ContainerSummary>> containers(const std::vector<std::string>& labels, const Deadline&) override {
    const std::lock_guard lock(mutex);
    std::vector<ContainerSummary> list;
    for (const auto& [service, container] : projects[labels.at(0).substr(labels.at(0).find('=') + 1)])
      list.push_back(container);
    return list;
  }
  Result<ContainerDetail> inspect(const std::string& id, const Deadline&) override {
    const std::lock_guard lock(mutex);
    for (const auto& [project, services] : projects)
      for (const auto& [service, container] : services)
        if (container.id == id)
          return ContainerDetail{.id = id,
                                 .name = container.name,
                                 .image_id = container.image_id,
                                 .state = container.state,
                                 .exit_code = exit_code,
                                 .started_at = "2026-01-02T03:04:05Z",
                                 .labels = container.labels};
    return fail(Kind::not_found, "no such container");
  }
  Result<std::string> last_logs(const std::string&, int, const Deadline&) override { return std::string("boom\n"); }
  Result<std::string> image_id(const std::string&, const Deadline&) override { return std::string("sha256:image"); }
  Status remove(const std::string& id, const Deadline&) override {
    for (auto& [project, services] : projects)
      std::erase_if(services, [&](const auto& service) { return service.second.id == id; });
    return {};
  }
  Status rename(const std::string& id, const std::string& name, const Deadline&) override {
    renamed[id] = name;
    for (auto& [project, services] : projects)
      for (auto& [service, container] : services)
        if (container.id == id) container.name = name;
    return {};
  }
  struct NoEvents final : EventStream {
    Result<std::optional<EngineEvent>> next(const Deadline& deadline) override {
      std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(deadline.left(), 20ms));
      return std::optional<EngineEvent>();
    }
  };
  Result<std::unique_ptr<EventStream>> events(const std::string&, const Deadline&) override {
    return std::unique_ptr<EventStream>(new NoEvents);
  }
};

// compose as far as it matters: a service is recreated when its definition, labels included, is another one.
struct FakeDriver final : Driver {
  explicit FakeDriver(FakeEngine& engine) : engine(engine) {}
  FakeEngine& engine;
  std::map<std::string, std::string> definitions;  // project/service -> JSON it was made from
  std::map<std::string, std::string> models;       // stack -> model, with {root} for the project folder
  std::optional<Error> resolve_error, pull_error, up_error;
  std::atomic<int> resolved = 0, pulled = 0, upped = 0;
  std::mutex mutex;

  Result<json::object> resolve(const StackSpec& stack, const Deadline&) override {
    ++resolved;
    if (resolve_error) return tl::unexpected(*resolve_error);
    auto text = models.at(stack.name);
    for (auto at = text.find("{root}"); at != text.npos; at = text.find("{root}"))
      text.replace(at, 6, stack.project_dir.string());
    return parse_json(text)->get_object();
  }
  Status pull(const std::string&, const json::object&, const std::vector<std::string>&, const Deadline&) override {
    ++pulled;
    if (pull_error) return tl::unexpected(*pull_error);
    return {};
  }
  Status build(const std::string&, const json::object&, const std::vector<std::string>&, const Deadline&) override {
    return {};
  }
  Status up(const std::string& stack, const json::object& model, const UpOptions&, const Deadline&) override {
    ++upped;
    const std::lock_guard lock(mutex);
    if (up_error) return tl::unexpected(*up_error);
    std::map<std::string, ContainerSummary> kept;
    for (const auto& member : model.at("services").get_object()) {
      const std::string service(member.key());
      const auto text = canonical_json(member.value());
      const std::lock_guard engine_lock(engine.mutex);
      auto& known = definitions[stack + "/" + service];
      if (!engine.projects[stack].contains(service) || known != text) {
        Labels labels;
        for (const auto& label : member.value().at("labels").get_object())
          labels[std::string(label.key())] = std::string(label.value().get_string());
        engine.make(stack, service, std::move(labels));
        known = text;
      }
      kept[service] = engine.projects[stack][service];
    }
    engine.projects[stack] = std::move(kept);
    return {};
  }
  std::string version() const override { return "2.26.1"; }
  Status check(const Deadline&) override { return {}; }
};

struct FakeLive final : LiveDirectories {
  std::vector<std::string> synced;  // digests, in order
  std::optional<Error> error;
  Result<std::string> path_for(const std::string&, const std::string& plain, const std::string&, bool) override {
    return plain;
  }
  Status recover() override { return {}; }
  Result<SyncResult> sync(const std::string&, const UnpackedTree&, const Digest& digest, bool,
                          const Deadline&) override {
    if (error) return tl::unexpected(*error);
    synced.push_back(digest.str());
    return SyncResult{};
  }
};

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() : folder(fs::temp_directory_path() / ("windlass-" + new_uuid_v7())), driver(engine) {
    fs::create_directories(folder);
    source.files = {{".doco-cd.yaml", "name: web\n"}, {"compose.yaml", "services: {}\n"}, {"www/index.html", "v1"}};
    driver.models["web"] = R"({"name":"web","services":{
      "page":{"image":"nginx:1","pull_policy":"never","restart":"always",
              "volumes":[{"type":"bind","source":"{root}/www","target":"/www"}]},
      "db":{"image":"db:1","pull_policy":"never","restart":"always"}}})";
    start();
  }
  ~PipelineTest() override {
    pipeline.reset();
    releases.reset();
    fs::remove_all(folder);
  }
  // A new process on the same state.
  void start() {
    pipeline.reset();
    releases.reset();
    releases = std::move(*ReleaseStore::open(std::move(*Db::open(folder / "state.db"))));
    preparer = std::make_unique<StackPreparer>(StackPreparer::Options{.hash_key = Secret("key"), .process_env = {}},
                                               driver, engine, *releases);
    deployment =
        std::make_unique<StackDeployment>(StackDeployment::Options{}, driver, engine, *preparer, *releases, clock);
    pipeline = std::make_unique<Pipeline>(
        Pipeline::Options{.data_dir = folder, .host_data_dir = "/host/data", .config = {}, .environment_hash = ""},
        source, driver, engine, live, *releases, *preparer, *deployment, Log({.level = LogLevel::critical}));
  }
  JobOutcome run() {
    Job job{.id = new_uuid_v7(),
            .request = {.artifact = "reg.example/my/app:main",
                        .source_id = "reg.example/my/app",
                        .repository = "my/app",
                        .ref = "main"}};
    if (settled_digest()) job.request.digest = settled_digest();
    return pipeline->run(
        job, [this](std::string text) { revision = std::move(text); }, Deadline::in(20s));
  }
  std::optional<Digest> settled_digest() { return source.settled ? source.settled->deploy : std::nullopt; }
  void release_2() { source.settled = Settled{.deploy = kDigest2, .reason = {}}; }
  std::string id_of(const std::string& service) { return engine.projects["web"][service].id; }

  fs::path folder;
  SystemClock clock;
  FakeSource source;
  FakeEngine engine;
  FakeDriver driver;
  FakeLive live;
  std::unique_ptr<ReleaseStore> releases;
  std::unique_ptr<StackPreparer> preparer;
  std::unique_ptr<StackDeployment> deployment;
  std::unique_ptr<Pipeline> pipeline;
  std::string revision;
};

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

TEST_F(PipelineTest, GoesOnWithTheNeighboursOfAStackThatCannotBePlanned) {  // deploy/S5, O1
  source.files[".doco-cd.yaml"] = "name: web\n---\nname: other\n";
  driver.models["other"] = R"({"services":{"x":{"image":"x","pull_policy":"never"}}})";
  engine.make("other", "x", {});  // somebody else's
  const auto outcome = run();
  EXPECT_EQ(
      outcome.run_message(),
      "deployment failed: failed to deploy stack other: another stack with the same name already exists and is not "
      "managed by this repository");
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
  EXPECT_EQ((*releases->stack("web"))->last_state, ReleaseState::failed);
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
