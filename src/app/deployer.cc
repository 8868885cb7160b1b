#include "app/deployer.h"

#include <fmt/format.h>

#include <set>

#include "app/deploy_options.h"
#include "app/host_path.h"
#include "app/run_folder.h"
#include "app/start_checks.h"
#include "base/recover.h"
#include "config/inline_deployments.h"
#include "config/passed_environment.h"
#include "deploy/rebuild.h"
#include "driver/child_environment.h"
#include "oci/credential_options.h"
#include "oci/stored_artifact.h"
#include "source/oci_source.h"
#include "source/trust_rules.h"
#include "sys/crypto.h"
#include "sys/memory.h"

namespace windlass {
namespace {

constexpr auto kContextTimeout = std::chrono::seconds(5);  // of one that nobody may need, while all else waits

}  // namespace

struct Deployer::Course {
  Course(OciSource::Options source_options, SettledRuns::Options settled_options, Pipeline::Options options,
         Deployer& its)
      : source(std::move(source_options), *its.registry_, *its.trust_, its.log_),
        settled(std::move(settled_options), source, its.hosts_->standard().driver, *its.hosts_, *its.secrets_,
                *its.releases_, its.log_),
        pipeline(std::move(options), source, *its.live_, *its.releases_, settled, *its.secrets_, *its.hosts_,
                 its.locks_, its.places_, its.log_) {}

  OciSource source;
  SettledRuns settled;
  Pipeline pipeline;
  std::vector<RegistryRule> registries;
  // Of all jobs, also those that began before: an old token may be revoked already.
  std::unique_ptr<SecretProvider> secret_provider;  // null if none is set up, and once it is in use
  std::map<std::string, std::string> secret_files;  // it is made from
};

Deployer::Deployer(const Parts& parts)
    : settings_(parts.settings),
      environment_(parts.environment),
      transport_(parts.transport),
      clock_(parts.clock),
      engine_(parts.engine),
      observer_(parts.observer),
      log_(parts.log),
      mountinfo_(read_file("/proc/self/mountinfo", 16 << 20).value_or("")),
      places_(parts.settings.max_concurrent_deployments, "one of MAX_CONCURRENT_DEPLOYMENTS places"),
      processes_(make_process_runner()) {}

// What a run has had in plain text went with the run; so nothing is left behind of a service that is gone for good.
Deployer::~Deployer() {
  std::error_code ignored;
  if (!run_dir_.empty()) std::filesystem::remove(run_dir_, ignored);
}

Result<std::unique_ptr<Deployer>> Deployer::make(const Parts& parts) {
  std::unique_ptr<Deployer> made(new Deployer(parts));
  const auto& settings = parts.settings;
  auto key = parts.state.hash_key();
  if (!key) return tl::unexpected(key.error());
  auto store = ContentStore::open({.folder = parts.state.blobs()});
  if (!store) return tl::unexpected(store.error());
  made->store_ = std::move(*store);
  made->credentials_ = CredentialSource::make(credential_options(parts.environment), *made->processes_, parts.log);
  if (auto valid = made->credentials_->check(); !valid) return tl::unexpected(valid.error());
  made->registry_ = Registry::make({.insecure_registries = settings.oci_insecure_registries,
                                    .rules = settings.oci_registries,
                                    .user_agent = "windlass/" WINDLASS_VERSION},
                                   parts.transport, *made->credentials_, *made->store_, parts.clock, parts.log);
  made->trust_ =
      std::make_unique<ArtifactTrust>(ArtifactTrust::Options{.workers = settings.oci_verify_max_workers,
                                                             .trusted_root_file = settings.oci_trusted_root_file},
                                      *made->registry_, parts.clock, parts.log);
  auto provider = made->secret_provider(settings.secrets);
  if (!provider) return tl::unexpected(provider.error());
  made->secret_files_ = secret_files(settings);
  made->secrets_ =
      std::make_unique<SecretResolver>(SecretResolver::Options{.refresh_interval = settings.secrets.refresh_interval},
                                       *std::move(provider), parts.clock, parts.log);
  made->decryptor_ = std::make_unique<sops::Decryptor>(parts.environment, *made->processes_,
                                                       [log = parts.log](const std::string& warning) {
                                                         log.warning("settings", {{"warning", warning}});
                                                       });
  for (const auto& warning : made->decryptor_->warnings()) parts.log.warning("settings", {{"warning", warning}});
  auto run_dir = open_run_folder(settings.data_mount_path, parts.state.plain_text(), parts.log);
  if (!run_dir) return tl::unexpected(run_dir.error());
  made->run_dir_ = *std::move(run_dir);

  auto live_db = Db::open(parts.state.state_file());
  if (!live_db) return tl::unexpected(live_db.error());
  auto live =
      LiveDirectories::open({.data_dir = settings.data_mount_path, .hash_key = *key}, std::move(*live_db), parts.log);
  if (!live) return tl::unexpected(live.error());
  made->live_ = std::move(*live);
  if (auto recovered = made->live_->recover(); !recovered) return tl::unexpected(recovered.error());
  if (auto cleared = parts.state.clear_staging(); !cleared)
    parts.log.warning("left-over files of an earlier run could not be removed", {{"error", cleared.error().message}});
  auto release_db = Db::open(parts.state.state_file());
  if (!release_db) return tl::unexpected(release_db.error());
  auto releases = ReleaseStore::open(std::move(*release_db), *key);
  if (!releases) return tl::unexpected(releases.error());
  made->releases_ = std::move(*releases);
  made->loops_ =
      std::make_unique<LoopGuard>(settings.max_deployment_loop_count, *made->releases_, *made->secrets_, parts.clock);

  auto passed = passed_environment(settings, parts.environment);
  // what models may read, and what steers the tool that reads them
  made->environment_hash_ =
      environment_hash(passed) + environment_hash(child_environment(parts.environment, {}).variables);
  made->hash_key_ = *key;
  made->hosts_ = std::make_unique<ContextHosts>(
      ContextHosts::Parts{.settings = settings,
                          .environment = parts.environment,
                          .transport = parts.transport,
                          .processes = *made->processes_,
                          .releases = *made->releases_,
                          .observer = parts.observer,
                          .clock = parts.clock,
                          .preparer = {.hash_key = std::move(*key),
                                       .process_env = std::move(passed),
                                       .restricted = settings.restricted,
                                       .instance = settings.instance_id,
                                       .own_container = own_container_id(made->mountinfo_),
                                       .adoptable = adoptable(settings)},
                          .handover = parts.state.handover(),
                          .log = parts.log},
      parts.engine);
  return made;
}

Status Deployer::check(const Deadline& deadline) {
  auto info = engine_.info(deadline);
  if (!info) return while_doing("failed to connect to docker", info.error());
  if (auto served = check_swarm(*info, settings_.docker_swarm_features); !served) return served;
  auto& driver = hosts_->standard().driver;
  if (auto usable = driver.check(deadline); !usable) return usable;
  auto host_path = host_path_of(settings_.data_mount_path, settings_.data_host_path, mountinfo_, engine_, deadline);
  if (!host_path) return tl::unexpected(host_path.error());
  if (auto linked = link_host_path(*host_path, settings_.data_mount_path); !linked) return linked;
  host_data_dir_ = *host_path;
  hosts_->own_stack().set_host_data_dir(host_data_dir_);
  auto course = course_for(settings_);
  if (!course) return tl::unexpected(course.error());
  use(*std::move(course));
  log_.info("docker engine answers", {{"engine", info->version}, {"compose", driver.version()}});
  warn_of_docker_host();
  return {};
}

Status Deployer::arrive(const Deadline& deadline) { return hosts_->own_stack().arrive(deadline); }

// deploy/Y3: to the docker command, DOCKER_HOST counts for more than any context.
void Deployer::warn_of_docker_host() {
  if (settings_.docker_host.empty()) return;
  std::set<std::string> contexts;
  if (const auto known = releases_->contexts()) contexts.insert(known->begin(), known->end());
  for (const auto& poll : settings_.polls)
    if (const auto configs = read_inline_deployments(poll.deployments); configs)
      for (const auto& stack : configs->stacks) contexts.insert(stack.context);
  contexts.erase("");
  if (!contexts.empty())
    log_.warning(
        "DOCKER_HOST is set, and stacks name Docker contexts: they are deployed to their contexts all the same",
        {{"contexts", fmt::format("{}", fmt::join(contexts, ", "))}});
}

Result<std::unique_ptr<SecretProvider>> Deployer::secret_provider(const SecretSettings& settings) const {
  return make_secret_provider(settings, {transport_, *processes_, environment_, clock_, log_});
}

Result<std::shared_ptr<Deployer::Course>> Deployer::course_for(const Settings& settings) {
  if (auto valid = credentials_->check(); !valid) return tl::unexpected(valid.error());
  auto rules = trust_rules(settings);
  if (!rules) return tl::unexpected(rules.error());
  auto provider = secret_provider(settings.secrets);
  if (!provider) return tl::unexpected(provider.error());
  const bool verifies_includes = settings.oci_trust_policy.enabled && settings.oci_verify_includes;
  auto course = std::make_shared<Course>(
      OciSource::Options{
          .limits = unpack_limits(settings, large_places_), .content_key = hash_key_, .trust = *std::move(rules)},
      SettledRuns::Options{.surroundings = fmt::format("{}\n{}\n{}{}", settings.deploy_config_base_dir, host_data_dir_,
                                                       environment_hash_, policy_text(settings)),
                           .hash_key = hash_key_,
                           .loops = loops_.get()},
      Pipeline::Options{
          .data_dir = settings.data_mount_path,
          .host_data_dir = host_data_dir_,
          .config = {.base_dir = settings.deploy_config_base_dir, .strict = settings.config_strict},
          .auto_rollback = settings.auto_rollback,
          .concurrent_stacks_max = settings.max_concurrent_deployments,
          .oci_includes = verifies_includes ? OciIncludes::refused : OciIncludes::allowed,
          .decryptor = decryptor_.get(),
          .run_dir = run_dir_,
          .hash_key = hash_key_,
          .loops = loops_.get(),
          .observer = &observer_,
          .check_engine =
              [this](const EngineInfo& engine) { return check_swarm(engine, settings_.docker_swarm_features); }},
      *this);
  course->registries = settings.oci_registries;
  course->secret_provider = *std::move(provider);
  course->secret_files = secret_files(settings);
  return course;
}

void Deployer::use(std::shared_ptr<Course> course) {
  registry_->use(course->registries);
  if (course->secret_files != secret_files_) {
    secrets_->use(std::move(course->secret_provider));
    secret_files_ = course->secret_files;
  }
  const std::lock_guard lock(mutex_);
  course_.swap(course);
}

std::shared_ptr<Deployer::Course> Deployer::course() {
  const std::lock_guard lock(mutex_);
  return course_;
}

Result<Look> Deployer::look(const JobRequest& request, const std::optional<Sighting>& last, const Deadline& deadline) {
  return course()->source.look(request, last, deadline);
}

Result<std::optional<std::string>> Deployer::settled_because(const JobRequest& request, const Digest& digest,
                                                             const Deadline& deadline) {
  return course()->settled.because(request, digest, deadline);
}

Result<std::optional<Digest>> Deployer::to_repair(const JobRequest& request, const Deadline& deadline) {
  return course()->settled.to_repair(request, deadline);
}

Status Deployer::rebuild_state(const Deadline& deadline) {
  RebuildParts parts{.engine = engine_,
                     .context = {},
                     .releases = *releases_,
                     .live = *live_,
                     .host_data_dir = host_data_dir_,
                     .instance = settings_.instance_id};
  for (const auto& poll : settings_.polls)
    if (const auto reference = Reference::parse(poll.url); reference && !poll.deployments.empty())
      parts.sources_with_inline_deployments.insert(reference->source_id());
  auto found = rebuild_records(parts, log_, deadline);
  if (!found) return while_doing("rebuilding the state file", found.error());
  auto count = *found;
  for (const auto& context : hosts_->context_names()) {
    const auto engine = hosts_->engine_of(context);
    if (engine) {
      RebuildParts others{.engine = **engine,
                          .context = context,
                          .releases = *releases_,
                          .live = *live_,
                          .host_data_dir = host_data_dir_,
                          .instance = settings_.instance_id,
                          .sources_with_inline_deployments = parts.sources_with_inline_deployments};
      found = rebuild_records(others, log_, deadline.within(kContextTimeout));
    }
    if (engine && found)
      count += *found;
    else
      log_.warning("what is deployed on a Docker context is not known: its stacks count as new",
                   {{"context", context}, {"error", (engine ? found.error() : engine.error()).message}});
  }
  log_.warning("state file is rebuilt: runs, and releases without containers, are only in the old one",
               {{"releases", count}});
  return {};
}

JobOutcome Deployer::run(const Job& job, const Pipeline::TellRevision& tell_revision, const Deadline& deadline) {
  auto outcome = course()->pipeline.run(job, tell_revision, deadline);
  release_job_memory();
  recovered(log_, "tidying the content store", [this] { tidy_store(); });
  return outcome;
}

// What a kept release is made of stays (deploy/V1); which blobs those are is asked only when some must go.
void Deployer::tidy_store() {
  std::optional<std::set<Digest>> kept;
  Status known;
  auto shrunk = store_->shrink([&](const Digest& blob) {
    if (!kept) {
      kept.emplace();
      const auto digests = releases_->kept_digests();
      if (!digests) known = tl::unexpected(digests.error());
      for (const auto& digest : digests.value_or(std::vector<Digest>()))
        for (auto& part : blobs_of(*store_, digest)) kept->insert(std::move(part));
    }
    return !known || kept->contains(blob);
  });
  if (!known || !shrunk)
    log_.warning("content store was not tidied", {{"error", (known ? shrunk : known).error().message}});
}

Result<std::vector<Release>> Deployer::releases(const ReleaseFilter& filter, std::size_t limit) {
  auto releases = releases_->releases(filter, limit);
  if (!releases) return releases;
  std::set<StackId> seen;
  for (auto& release : *releases) {
    if (!seen.insert(release.stack).second || release.state != ReleaseState::succeeded) continue;
    auto loop = releases_->loop(release.stack);
    if (!loop) return tl::unexpected(loop.error());
    release.loop = *std::move(loop);
  }
  return releases;
}

Result<std::optional<Release>> Deployer::release(const std::string& id) { return releases_->release(id); }

Result<PlanReport> Deployer::plan(const JobRequest& request, const std::string& archive) {
  const auto course = this->course();
  if (!course) return fail(Kind::unavailable, "the service is still starting");
  const Job job{.id = new_uuid_v7(), .request = request};
  auto report = course->pipeline.look(job, archive, Deadline::in(settings_.job_timeout, plans_.get_token()));
  recovered(log_, "tidying the content store", [this] { tidy_store(); });
  return report;
}

Result<JobRequest> Deployer::rollback_to(const Release& release) {
  if (release.state != ReleaseState::succeeded || !release.request.digest || release.request.artifact.empty())
    return fail(Kind::conflict, fmt::format("release {} was not good", release.id));
  if (!is_whole(*store_, *release.request.digest))
    return fail(Kind::conflict,
                fmt::format("release {}: content {} is gone", release.id, release.request.digest->str()));
  auto request = release.request;
  request.cause = kRollbackCause;
  return request;
}

}  // namespace windlass
