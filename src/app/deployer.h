// Everything that a job needs, from the registry to the engine, built once.
//
// What settings say that may be read again is a course: a job keeps the one that it began with, so that what was
// verified by one trust policy is never put down as verified by another.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "api/release_archive.h"
#include "app/docker_hosts.h"
#include "app/state_folder.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/slots.h"
#include "config/settings.h"
#include "deploy/live_directory.h"
#include "deploy/loop_guard.h"
#include "deploy/pipeline.h"
#include "docker/engine.h"
#include "driver/driver.h"
#include "model/observer.h"
#include "oci/artifact_trust.h"
#include "oci/content_store.h"
#include "oci/credentials.h"
#include "oci/registry.h"
#include "secrets/secret_resolver.h"
#include "sops/decryptor.h"
#include "source/source.h"
#include "sys/http_client.h"
#include "sys/process.h"

namespace windlass {

class Deployer final : public ReleaseArchive {
 public:
  struct Parts {
    const Settings& settings;
    const Environment& environment;
    const StateFolder& state;
    const Clock& clock;
    HttpTransport& transport;
    Engine& engine;
    Observer& observer;
    Log log;
  };

  ~Deployer() override;

  // Opens stores and completes live directories that the last process left half written. Talks to nobody.
  static Result<std::unique_ptr<Deployer>> make(const Parts& parts);

  // What is deployed, and how it is judged, under the settings of a moment.
  struct Course;

  // Once, before the first job: the engine answers, compose is there and new enough, the data folder's host side is
  // known (deploy/X11, P3, P5).
  Status check(const Deadline& deadline);

  // After check(), into an empty state file: what the labels of the containers tell, of the default engine and of those
  // of all Docker contexts that answer (reliability/F25).
  Status rebuild_state(const Deadline& deadline);

  // After check(), of settings that differ in what files say only; changes nothing yet. Errors name the setting.
  Result<std::shared_ptr<Course>> course_for(const Settings& settings);
  // Jobs, plans and polls that begin from now on; secrets are fetched so by all jobs. From one thread at a time.
  void use(std::shared_ptr<Course> course);

  // As Source and SettledRuns say; after check().
  Result<Look> look(const JobRequest& request, const std::optional<Sighting>& last, const Deadline& deadline);
  Result<std::optional<std::string>> settled_because(const JobRequest& request, const Digest& digest,
                                                     const Deadline& deadline);
  Result<std::optional<Digest>> to_repair(const JobRequest& request, const Deadline& deadline);

  // What those who bring stacks back need.
  ReleaseStore& release_store() { return *releases_; }
  StackLocks& stack_locks() { return locks_; }
  Engines& engines() { return *hosts_; }
  const sops::Decryptor& decryptor() const { return *decryptor_; }

  Result<std::vector<Release>> releases(const ReleaseFilter& filter, std::size_t limit) override;
  Result<std::optional<Release>> release(const std::string& id) override;
  Result<JobRequest> rollback_to(const Release& release) override;
  Result<PlanReport> plan(const JobRequest& request, const std::string& archive) override;
  // Nobody waits for plans any more: those in work end at once.
  void give_up_plans() { plans_.request_stop(); }

  // After check(), when all is ready for jobs: a helper that has made this container anew hears that it works.
  Status arrive(const Deadline& deadline);
  // Is a helper about to make the container anew that this process runs in? Then there is no time left (deploy/U2).
  bool is_handing_over() const { return hosts_->own_stack().is_waiting(); }

  // Runs one job, then keeps the content store within its size.
  JobOutcome run(const Job& job, const Pipeline::TellRevision& tell_revision, const Deadline& deadline);

 private:
  explicit Deployer(const Parts& parts);
  std::shared_ptr<Course> course();  // null before check()
  Result<std::unique_ptr<SecretProvider>> secret_provider(const SecretSettings& settings) const;
  void tidy_store();
  void warn_of_docker_host();

  const Settings& settings_;  // those of the start; of what may be read again, the course knows
  const Environment& environment_;
  HttpTransport& transport_;
  const Clock& clock_;
  Engine& engine_;
  Observer& observer_;
  Log log_;
  const std::string mountinfo_;  // of this process
  std::string environment_hash_;
  std::string host_data_dir_;  // after check()
  Secret hash_key_;
  Slots large_places_{2, "a place among the large artifacts being deployed"};
  Slots places_;
  std::unique_ptr<ProcessRunner> processes_;
  std::unique_ptr<sops::Decryptor> decryptor_;
  std::filesystem::path run_dir_;  // for plain text
  std::unique_ptr<CredentialSource> credentials_;
  std::unique_ptr<ContentStore> store_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<ArtifactTrust> trust_;
  std::unique_ptr<SecretResolver> secrets_;
  std::unique_ptr<LiveDirectories> live_;
  std::unique_ptr<ReleaseStore> releases_;
  std::unique_ptr<LoopGuard> loops_;
  std::unique_ptr<ContextHosts> hosts_;
  StackLocks locks_;
  std::mutex mutex_;
  std::shared_ptr<Course> course_;                   // guarded by mutex_
  std::map<std::string, std::string> secret_files_;  // hashes of what the provider of secrets_ is made from
  std::stop_source plans_;
};

}  // namespace windlass
