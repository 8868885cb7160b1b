// For tests of the pipeline: a source and live directories in memory beside the engine and compose, state in a file.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "deploy/docker_host.h"
#include "deploy/fake_compose.h"
#include "deploy/labels.h"
#include "deploy/loop_guard.h"
#include "deploy/pipeline.h"
#include "deploy/plain_content.h"
#include "secrets/fake_provider.h"
#include "sys/content_hash.h"
#include "sys/crypto.h"
#include "sys/fake_process.h"
#include "sys/files.h"

namespace windlass {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

inline const auto kDigest1 = Digest::of_sha256_hex(std::string(64, '1')),
                  kDigest2 = Digest::of_sha256_hex(std::string(64, '2'));

// A source with one release at a time: its files, or why it has none.
struct FakeSource final : Source {
  std::map<std::string, std::string> files;
  Result<Settled> settled = Settled{.deploy = kDigest1, .reason = {}};
  std::optional<Error> fetch_error, distrust;  // distrust: why the artifact is not trusted
  std::map<std::string, Error> distrusted;     // by what a deployment demands: why it is not trusted
  std::string stamp;                           // of the trust policy
  int fetched = 0, verified = 0;
  std::function<void(const Digest&)> on_fetch;  // what the release of that digest is
  Slots* large_places = nullptr;                // set: each tree holds one

  Result<Look> look(const JobRequest&, const std::optional<Sighting>&, const Deadline&) override { return Look{}; }
  Result<Settled> settle(const Job&, const LaneHistory&, const Deadline&) override { return settled; }
  Status verify(const Job&, const Digest&, const Deadline&) override {
    ++verified;
    return distrust ? Status(tl::unexpected(*distrust)) : Status();
  }
  Status verify_deployment(const Job&, const Digest&, const TrustOverride& wanted, const Deadline&) override {
    const auto found = distrusted.find(canonical_json(to_json(wanted)));
    return found == distrusted.end() ? Status() : Status(tl::unexpected(found->second));
  }
  std::string trust_stamp(const JobRequest&) override { return stamp; }
  Result<UnpackedTree> fetch(const Job&, const Digest& digest, const fs::path& staging,
                             const Deadline& deadline) override {
    ++fetched;
    if (on_fetch) on_fetch(digest);
    if (fetch_error) return tl::unexpected(*fetch_error);
    UnpackedTree tree{.root = staging};
    if (large_places != nullptr) tree.large_place = std::move(*large_places->take(deadline));
    for (const auto& [path, text] : files) {
      fs::create_directories((staging / path).parent_path());
      std::ofstream(staging / path) << text;
      tree.entries.push_back({.path = path,
                              .type = EntryType::file,
                              .mode = 0644,
                              .size_bytes = text.size(),
                              .content = content_hash_hex(Secret("key"), text),
                              .has_cipher_text = text.find("ENC[") != text.npos});
    }
    return tree;
  }
  Result<UnpackedTree> unpack_archive(std::string_view, const fs::path& staging, const Deadline& deadline) override {
    return fetch({}, kDigest1, staging, deadline);
  }
  Result<std::string> live_path(const Job&) const override { return std::string("reg.example/my/app"); }
};

struct FakeLive final : LiveDirectories {
  std::vector<std::string> synced;  // digests, in order
  std::vector<std::string> synced_paths;
  std::vector<std::string> removed;    // "path" or "path data"
  std::set<std::string> in_place;      // of the last sync
  std::optional<SyncFailure> failure;  // of the next sync
  int given = 0;
  std::string suffix;  // of the live path, where another reference has the plain one
  Result<std::string> path_for(const LiveTenant& tenant, const std::string& plain) override {
    ++given;
    return path_to_be(tenant, plain);
  }
  Result<std::string> path_to_be(const LiveTenant& tenant, const std::string& plain) override {
    return path_on(tenant.context, plain) + suffix;
  }
  std::map<std::string, std::string> claimed;  // path -> "source ref"
  Status claim(const LiveTenant& tenant, const std::string& path) override {
    claimed.emplace(path, tenant.source_id + " " + tenant.ref);
    return {};
  }
  Status recover() override { return {}; }
  Result<bool> remove(const std::string& path, bool with_data) override {
    removed.push_back(path + (with_data ? " data" : ""));
    return true;
  }
  std::set<std::string> decrypted;  // what decrypted_files() says
  Result<std::set<std::string>> decrypted_files(const std::string&) override { return decrypted; }
  std::map<std::string, std::string> plain;  // path -> content of what the last sync() wrote decrypted
  SyncOutcome sync(const std::string& path, const UnpackedTree& tree, const Digest& digest, const SyncOptions& options,
                   const Deadline&) override {
    plain.clear();
    for (const auto& entry : tree.entries)
      if (is_plain_content(entry.content))
        plain[entry.path] = read_file(tree.plain_root / entry.path, 1 << 20).value_or("(nothing)");
    if (failure) return tl::unexpected(*std::exchange(failure, {}));
    in_place = options.in_place;
    synced.push_back(digest.str());
    synced_paths.push_back(path);
    return SyncResult{};
  }
};

// An engine with all that deploys to it.
struct TestHost {
  FakeEngine engine;
  FakeDriver driver{engine};
  std::unique_ptr<StackPreparer> preparer;
  std::unique_ptr<StackImages> images;
  std::unique_ptr<StackDeployment> deployment;
  std::unique_ptr<DockerHost> host;
};

// The engines of a test, by context.
struct FakeHosts final : DockerHosts {
  std::map<std::string, DockerHost*> by_context;
  Result<std::shared_ptr<DockerHost>> host_of(const std::string& context) override {
    const auto found = by_context.find(context);
    if (found == by_context.end()) return fail(Kind::not_found, "docker context " + context + " is not known");
    return std::shared_ptr<DockerHost>(std::shared_ptr<void>(), found->second);
  }
};

// Of which phases of a stack a place was free as they began.
struct FreePlaces final : Observer {
  explicit FreePlaces(Slots& places) : places(places) {}
  Slots& places;
  std::map<std::string, bool, std::less<>> during;
  void phase_changed(std::string_view, std::string_view, std::string_view phase) override {
    during[std::string(phase)] = places.take(Deadline::in(0ms)).has_value();
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
    decryptor = std::make_unique<sops::Decryptor>(secret_environment, processes);
    secrets =
        std::make_unique<SecretResolver>(SecretResolver::Options{.refresh_interval = refresh_interval},
                                         has_provider ? std::make_unique<FakeProvider>(store) : nullptr, clock, log);
    releases = std::move(*ReleaseStore::open(std::move(*Db::open(folder / "state.db")), Secret("key")));
    loops = std::make_unique<LoopGuard>(loop_limit, *releases, *secrets, clock);
    preparer = std::make_unique<StackPreparer>(StackPreparer::Options{.hash_key = Secret("key"),
                                                                      .process_env = passed_environment,
                                                                      .restricted = restricted,
                                                                      .instance = instance,
                                                                      .own_container = own_container,
                                                                      .adoptable = adoptable},
                                               driver, engine, *releases);
    images = std::make_unique<StackImages>(StackImages::Options{}, driver, engine, *preparer, *releases);
    deployment = std::make_unique<StackDeployment>(StackDeployment::Options{.observer = observer, .instance = instance},
                                                   driver, engine, *preparer, *images, *releases, clock);
    standard = std::make_unique<DockerHost>(DockerHost{engine, driver, *preparer, *images, *deployment});
    hosts.by_context[""] = standard.get();
    settled = std::make_unique<SettledRuns>(
        SettledRuns::Options{.surroundings = surroundings, .hash_key = Secret("key"), .loops = loops.get()}, source,
        driver, hosts, *secrets, *releases, log);
    pipeline = std::make_unique<Pipeline>(Pipeline::Options{.data_dir = folder,
                                                            .host_data_dir = "/host/data",
                                                            .config = {},
                                                            .auto_rollback = auto_rollback,
                                                            .decryptor = decryptor.get(),
                                                            .run_dir = folder / "run",
                                                            .hash_key = Secret("key"),
                                                            .loops = loops.get(),
                                                            .observer = observer,
                                                            .back_again = 1ms,
                                                            .check_engine = check_engine},
                                          source, live, *releases, *settled, *secrets, hosts, locks, places, log);
  }
  // One more engine; after start(), once for each context.
  TestHost& add_context(const std::string& context, bool is_remote = false) {
    auto& made = *others.emplace_back(std::make_unique<TestHost>());
    made.driver.models = driver.models;
    made.preparer = std::make_unique<StackPreparer>(
        StackPreparer::Options{
            .hash_key = Secret("key"), .context = context, .is_remote = is_remote, .own_container = own_container},
        made.driver, made.engine, *releases);
    made.images =
        std::make_unique<StackImages>(StackImages::Options{}, made.driver, made.engine, *made.preparer, *releases);
    made.deployment = std::make_unique<StackDeployment>(StackDeployment::Options{.observer = observer}, made.driver,
                                                        made.engine, *made.preparer, *made.images, *releases, clock);
    made.host = std::make_unique<DockerHost>(
        DockerHost{made.engine, made.driver, *made.preparer, *made.images, *made.deployment, is_remote});
    hosts.by_context[context] = made.host.get();
    return made;
  }
  JobRequest request() {
    JobRequest request{.artifact = "reg.example/my/app:main",
                       .source_id = "reg.example/my/app",
                       .repository = "my/app",
                       .ref = "main"};
    request.digest = settled_digest();
    return request;
  }
  JobOutcome run() { return run(request()); }
  JobOutcome run(JobRequest request, std::chrono::milliseconds job_timeout = 20s) {
    const Job job{.id = new_uuid_v7(), .request = std::move(request)};
    return pipeline->run(
        job, [this](std::string text) { revision = std::move(text); }, Deadline::in(job_timeout));
  }
  std::optional<Digest> settled_digest() { return source.settled ? source.settled->deploy : std::nullopt; }
  void release_2() { source.settled = Settled{.deploy = kDigest2, .reason = {}}; }
  std::string id_of(const std::string& service) { return engine.projects["web"][service].id; }

  fs::path folder;
  bool auto_rollback = false;
  bool restricted = false;
  unsigned loop_limit = 0;  // counts from the next start() on
  std::function<Status(const EngineInfo&)> check_engine = [](const EngineInfo&) { return Status(); };
  std::string own_container, instance;                    // both from the next start() on
  std::optional<std::vector<AllowedAdoption>> adoptable;  // of the default engine; from the next start() on
  std::map<std::string, std::string> passed_environment;  // by PASS_ENV; counts from the next start() on
  std::map<std::string, std::string> secret_environment;  // with the keys of SOPS; from the next start() on
  FakeProcessRunner processes;
  std::unique_ptr<sops::Decryptor> decryptor;
  std::string surroundings;
  Observer* observer = &Observer::nobody();  // from the next start() on
  SystemClock clock;
  FakeSource source;
  FakeEngine engine;
  FakeDriver driver;
  FakeLive live;
  FakeProvider::State store;  // of external secrets
  bool has_provider = true;   // counts from the next start() on
  std::chrono::milliseconds refresh_interval{0};
  Log log{{.level = LogLevel::critical}};
  std::unique_ptr<SecretResolver> secrets;
  std::unique_ptr<ReleaseStore> releases;
  std::unique_ptr<LoopGuard> loops;
  std::unique_ptr<SettledRuns> settled;
  std::unique_ptr<StackPreparer> preparer;
  std::unique_ptr<StackImages> images;
  std::unique_ptr<StackDeployment> deployment;
  std::unique_ptr<DockerHost> standard;
  std::vector<std::unique_ptr<TestHost>> others;
  FakeHosts hosts;
  StackLocks locks;
  Slots places{4, "a place"};
  std::unique_ptr<Pipeline> pipeline;
  std::string revision;
};

}  // namespace windlass
