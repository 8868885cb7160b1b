// For tests of the pipeline: a source, an engine, compose and live directories in memory, state in a file.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <mutex>

#include "deploy/labels.h"
#include "deploy/pipeline.h"
#include "docker/idle_engine.h"
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
  Result<UnpackedTree> fetch(const Job&, const Digest& digest, const fs::path& staging, const Deadline&) override {
    ++fetched;
    if (on_fetch) on_fetch(digest);
    if (fetch_error) return tl::unexpected(*fetch_error);
    UnpackedTree tree{.root = staging};
    for (const auto& [path, text] : files) {
      fs::create_directories((staging / path).parent_path());
      std::ofstream(staging / path) << text;
      tree.entries.push_back({.path = path,
                              .type = EntryType::file,
                              .mode = 0644,
                              .size_bytes = text.size(),
                              .content = sha256_hex(text),
                              .has_cipher_text = text.find("ENC[") != text.npos});
    }
    return tree;
  }
  Result<UnpackedTree> unpack_archive(std::string_view, const fs::path& staging, const Deadline& deadline) override {
    return fetch({}, kDigest1, staging, deadline);
  }
  Result<std::string> live_path(const Job&) const override { return std::string("reg.example/my/app"); }
};

// An engine in memory; every container is what the driver made of it.
struct FakeEngine final : IdleEngine {
  std::mutex mutex;
  std::map<std::string, std::map<std::string, ContainerSummary>> projects;  // project -> service -> container
  std::string state = "running";                                            // of containers that are made from now on
  std::string image_of_new = "sha256:image";
  int exit_code = 0;
  int made = 0;
  std::string fault;                           // of containers(); "": it answers
  std::map<std::string, std::string> renamed;  // id -> new name
  std::map<std::string, std::string> tagged;   // name -> id

  void make(const std::string& project, const std::string& service, Labels labels) {
    labels["com.docker.compose.service"] = service;
    labels["com.docker.compose.project"] = project;
    projects[project][service] = {.id = fmt::format("container-{}", ++made),
                                  .name = fmt::format("{}-{}-1", project, service),
                                  .image = "name-of-image",
                                  .image_id = image_of_new,
                                  .state = state,
                                  .labels = std::move(labels)};
  }
  // "key" or "key=value"
  static bool has(const ContainerSummary& container, const std::string& label) {
    const auto equals = label.find('=');
    const auto found = container.labels.find(label.substr(0, equals));
    return found != container.labels.end() && (equals == label.npos || found->second == label.substr(equals + 1));
  }
  Result<std::vector<ContainerSummary>> containers(const std::vector<std::string>& labels, const Deadline&) override {
    if (!fault.empty()) return fail(Kind::unavailable, fault);
    const std::lock_guard lock(mutex);
    std::vector<ContainerSummary> list;
    for (const auto& [project, services] : projects)
      for (const auto& [service, container] : services)
        if (std::all_of(labels.begin(), labels.end(), [&](const auto& label) { return has(container, label); }))
          list.push_back(container);
    return list;
  }
  std::map<std::string, std::vector<Volume>> volumes_of;  // project -> volumes
  Result<std::vector<Volume>> volumes(const std::vector<std::string>& labels, const Deadline&) override {
    const auto& label = labels.at(0);
    const auto found = volumes_of.find(label.substr(label.find('=') + 1));
    return found == volumes_of.end() ? std::vector<Volume>() : found->second;
  }
  Status remove_volume(const std::string& name, const Deadline&) override {
    for (auto& [project, volumes] : volumes_of)
      std::erase_if(volumes, [&](const Volume& volume) { return volume.name == name; });
    return {};
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
  std::map<std::string, std::string> images;  // name -> id of what is not "sha256:image"
  std::set<std::string> absent_images;
  Result<std::string> image_id(const std::string& name, const Deadline&) override {
    const std::lock_guard lock(mutex);
    if (absent_images.contains(name)) return fail(Kind::not_found, "no such image");
    const auto found = images.find(name);
    return found == images.end() ? std::string("sha256:image") : found->second;
  }
  Status tag_image(const std::string& id, const std::string& reference, const Deadline&) override {
    const std::lock_guard lock(mutex);
    tagged[reference] = images[reference] = id;
    return {};
  }
  std::vector<std::string> removed_images;
  std::vector<std::string> signals;  // "id signal"
  std::optional<Error> remove_image_error;
  Status remove_image(const std::string& id, const Deadline&) override {
    const std::lock_guard lock(mutex);
    if (remove_image_error) return tl::unexpected(*remove_image_error);
    removed_images.push_back(id);
    return {};
  }
  Status remove(const std::string& id, const Deadline&) override {
    const std::lock_guard lock(mutex);
    for (auto& [project, services] : projects)
      std::erase_if(services, [&](const auto& service) { return service.second.id == id; });
    return {};
  }
  Status signal(const std::string& id, const std::string& signal, const Deadline&) override {
    if (signal == "STKFLT") return fail(Kind::invalid, "400: invalid signal: STKFLT");
    const std::lock_guard lock(mutex);
    signals.push_back(id + " " + signal);
    return {};
  }
  Status rename(const std::string& id, const std::string& name, const Deadline&) override {
    const std::lock_guard lock(mutex);
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
  Result<std::unique_ptr<EventStream>> events(const std::string&, const std::vector<std::string>&,
                                              const Deadline&) override {
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
  std::function<void(const std::string& stack)> before_up;
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
  std::function<void(const std::string&)> before_pull;
  std::map<std::string, std::chrono::milliseconds> given;  // step -> the time that it had
  std::vector<std::string> pulled_services;                // of the last pull()
  Status pull(const ResolvedStack& stack, const std::vector<std::string>& services, const Deadline& deadline) override {
    ++pulled;
    given["pull"] = deadline.left();
    pulled_services = services;
    if (before_pull) before_pull(stack.name);
    if (pull_error) return tl::unexpected(*pull_error);
    return {};
  }
  std::vector<json::object> built;  // models
  BuildOptions build_options;       // of the last build()
  Status build(const ResolvedStack& stack, const std::vector<std::string>&, const BuildOptions& options,
               const Deadline& deadline) override {
    given["build"] = deadline.left();
    built.push_back(stack.model);
    build_options = options;
    return {};
  }
  std::map<std::string, std::map<std::string, std::string>> environments;  // stack -> of the last up()
  std::map<std::string, json::object> upped_models;                        // stack -> of the last up()
  Status up(const ResolvedStack& resolved, const UpOptions&, const Deadline& deadline) override {
    ++upped;
    const auto& stack = resolved.name;
    const auto& model = resolved.model;
    const std::lock_guard lock(mutex);
    given["up"] = deadline.left();
    upped_models[stack] = model;
    environments[stack] = resolved.environment;
    if (before_up) before_up(stack);
    if (up_error) return tl::unexpected(*up_error);
    std::map<std::string, ContainerSummary> kept;
    for (const auto& member : model.at("services").get_object()) {
      const std::string service(member.key());
      if (member.value().get_object().contains("provider")) continue;  // has no containers
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
    const std::lock_guard engine_lock(engine.mutex);  // stacks are brought up side by side
    engine.projects[stack] = std::move(kept);
    return {};
  }
  std::vector<std::string> downed;  // "stack volumes"
  Status down(const std::string& stack, const DownOptions& options, const Deadline&) override {
    const std::lock_guard lock(mutex);
    downed.push_back(stack + (options.remove_volumes ? " volumes" : ""));
    const std::lock_guard engine_lock(engine.mutex);
    engine.projects.erase(stack);
    return {};
  }
  std::string version() const override { return "2.26.1"; }
  Status check(const Deadline&) override { return {}; }
};

struct FakeLive final : LiveDirectories {
  std::vector<std::string> synced;     // digests, in order
  std::vector<std::string> removed;    // "path" or "path data"
  std::set<std::string> in_place;      // of the last sync
  std::optional<SyncFailure> failure;  // of the next sync
  int given = 0;
  std::string suffix;  // of the live path, where another reference has the plain one
  Result<std::string> path_for(const std::string&, const std::string& plain, const std::string&, bool) override {
    ++given;
    return plain + suffix;
  }
  Result<std::string> path_to_be(const std::string&, const std::string& plain, const std::string&, bool) override {
    return plain + suffix;
  }
  std::map<std::string, std::string> claimed;  // path -> "source ref"
  Status claim(const std::string& source_id, const std::string& path, const std::string& ref, bool) override {
    claimed.emplace(path, source_id + " " + ref);
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
  SyncOutcome sync(const std::string&, const UnpackedTree& tree, const Digest& digest, const SyncOptions& options,
                   const Deadline&) override {
    plain.clear();
    for (const auto& entry : tree.entries)
      if (PlainContent::is_mark(entry.content))
        plain[entry.path] = read_file(tree.plain_root / entry.path, 1 << 20).value_or("(nothing)");
    if (failure) return tl::unexpected(*std::exchange(failure, {}));
    in_place = options.in_place;
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
    decryptor = std::make_unique<sops::Decryptor>(secret_environment, processes);
    releases = std::move(*ReleaseStore::open(std::move(*Db::open(folder / "state.db")), Secret("key")));
    preparer = std::make_unique<StackPreparer>(StackPreparer::Options{.hash_key = Secret("key"),
                                                                      .process_env = passed_environment,
                                                                      .restricted = restricted,
                                                                      .own_container = own_container},
                                               driver, engine, *releases);
    images = std::make_unique<StackImages>(StackImages::Options{}, driver, engine, *preparer, *releases);
    deployment = std::make_unique<StackDeployment>(StackDeployment::Options{.observer = observer}, driver, engine,
                                                   *preparer, *images, *releases, clock);
    settled =
        std::make_unique<SettledRuns>(SettledRuns::Options{.surroundings = surroundings, .hash_key = Secret("key")},
                                      source, driver, engine, *releases, Log({.level = LogLevel::critical}));
    pipeline = std::make_unique<Pipeline>(Pipeline::Options{.data_dir = folder,
                                                            .host_data_dir = "/host/data",
                                                            .config = {},
                                                            .auto_rollback = auto_rollback,
                                                            .decryptor = decryptor.get(),
                                                            .run_dir = folder / "run",
                                                            .hash_key = Secret("key")},
                                          source, live, *releases, *settled, *preparer, *images, *deployment, locks,
                                          places, Log({.level = LogLevel::critical}));
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
  std::string own_container;
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
  std::unique_ptr<ReleaseStore> releases;
  std::unique_ptr<SettledRuns> settled;
  std::unique_ptr<StackPreparer> preparer;
  std::unique_ptr<StackImages> images;
  std::unique_ptr<StackDeployment> deployment;
  StackLocks locks;
  Slots places{4, "a place"};
  std::unique_ptr<Pipeline> pipeline;
  std::string revision;
};

}  // namespace windlass
