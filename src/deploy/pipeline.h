// What a job does, from settling its digest to the recorded release (the walk of a trigger).
//
//   settle -> unchanged? -> verify -> fetch, unpack -> read configs -> fetch external secrets -> resolve and plan every
//   stack -> images -> sync the live directory -> bring every stack up -> watch -> record -> or go back to the last
//   good release
//
// Nothing live is touched until everything up to the plan has passed for every stack (reliability/P7). Every step is
// safe to repeat: a job that was interrupted starts over. Jobs of one lane come one at a time (jobs/), which also keeps
// two jobs away from one live directory: each source and ref has its own.
//
// Not here: who asked, and what a person is told over HTTP.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/slots.h"
#include "config/deploy_config.h"
#include "deploy/docker_host.h"
#include "deploy/live_directory.h"
#include "deploy/prepared_stack.h"
#include "deploy/release_store.h"
#include "deploy/settled_runs.h"
#include "deploy/stack_deployment.h"
#include "deploy/stack_images.h"
#include "deploy/stack_locks.h"
#include "model/observer.h"
#include "model/plan_report.h"
#include "secrets/secret_resolver.h"
#include "source/source.h"

namespace windlass {

class LoopGuard;

class Pipeline {
 public:
  struct Options {
    std::filesystem::path data_dir;  // DATA_MOUNT_PATH
    std::string host_data_dir;       // the same folder as the engine's host sees it
    DeployConfigOptions config;
    bool auto_rollback = false;          // AUTO_ROLLBACK, of stacks that do not say it themselves
    unsigned concurrent_stacks_max = 4;  // MAX_CONCURRENT_DEPLOYMENTS, of one run, with those that wait for health
    OciIncludes oci_includes = OciIncludes::allowed;
    // Null: encrypted files stay as they are. `run_dir`: on tmpfs, where plain text lies while a run needs it.
    const sops::Decryptor* decryptor = nullptr;
    std::filesystem::path run_dir{};
    Secret hash_key{};                                               // of this installation
    LoopGuard* loops = nullptr;                                      // null: nothing is counted (deploy/U1)
    Observer* observer = &Observer::nobody();                        // of phases
    std::chrono::milliseconds back_again = std::chrono::seconds(1);  // after an outage stopped a rollback
    std::chrono::milliseconds back_patience = std::chrono::minutes(5);
    // Whether an engine that answers can be deployed to.
    std::function<Status(const EngineInfo&)> check_engine = [](const EngineInfo&) { return Status(); };
  };
  using TellRevision = std::function<void(std::string revision)>;

  // `places`: of the stacks whose images are got, or which are brought up or taken down, at the same time, whichever
  // pipeline does it. Stacks that wait for health have none.
  Pipeline(Options options, Source& source, LiveDirectories& live, ReleaseStore& releases, SettledRuns& settled,
           SecretResolver& secrets, DockerHosts& hosts, StackLocks& locks, Slots& places, Log log);

  // Runs one job to its end. Called from any thread, for different lanes at once.
  JobOutcome run(const Job& job, const TellRevision& tell_revision, const Deadline& deadline);

  // What run() would do with the artifact, of which nothing is done: no file, no container, no state is touched, no
  // image pulled. An error is the one that the job would end with, its step's words in front.
  // `archive`: of a release that is not in the source yet (Source::unpack_archive), "": the artifact is fetched.
  Result<PlanReport> look(const Job& job, std::string_view archive, const Deadline& deadline);

 private:
  struct Run;
  Run begin(const Job& job, const TellRevision& tell_revision, const Deadline& deadline);
  std::optional<JobOutcome> settle_or_find_unchanged(Run& run, const LaneHistory& history);
  std::optional<JobOutcome> settle(Run& run, const LaneHistory& history);
  // An artifact whose files and configurations are at hand.
  struct Ready {
    std::map<std::string, std::string> live_paths;  // by context (Y8)
    UnpackedTree tree;
    DeployConfigs configs;
  };
  tl::expected<Ready, JobOutcome> get_ready(Run& run, const std::filesystem::path& staging);
  JobOutcome deploy(Run& run);
  Status settle_look(Run& run);
  StackReport report_on(const Run& run, std::size_t index);
  Result<std::vector<std::string>> warnings_on(const Run& run, const PreparedStack& stack, const Ready& ready);
  PreparedStack prepared(const Run& run, DeployConfig config) const;
  void tell_phase(const Run& run, std::string_view phase) const;
  void for_each_stack(Run& run, const std::function<Status(PreparedStack&)>& step);
  void verify_deployments(Run& run);
  Status resolve(Run& run, PreparedStack& stack, const Ready& ready);
  Status plan(Run& run, PreparedStack& stack);
  ReleaseOrigin origin_of(const Run& run) const;
  Status bring_up(Run& run, PreparedStack& stack);

  // run_locks.cc
  static std::vector<StackId> missing_locks(const Run& run, const std::vector<StackId>& wanted);
  std::optional<JobOutcome> lock_stacks(Run& run, const Deadline& deadline);
  Status lock_taken_over(Run& run, const std::vector<StackId>& others);

  // loop_guard.cc
  Status guard_against_loop(Run& run, PreparedStack& stack);
  void count_deployment(const Run& run, const PreparedStack& stack);

  // stack_secrets.cc
  void fetch_secrets(Run& run);
  static void mask_plan(const Run& run, PreparedStack& stack);

  // contexts.cc
  void find_hosts(Run& run);
  Status ask_host(Run& run, const std::string& context, bool is_certain);
  Result<std::map<std::string, std::string>> live_paths(const Run& run, const std::string& plain_path);
  std::vector<std::string> contexts_to_clean(const Run& run);

  // publishing.cc
  std::optional<JobOutcome> write_live_directories(Run& run, Ready& ready);
  std::optional<JobOutcome> write_live_directory(Run& run, const std::string& context, const std::string& live_path,
                                                 UnpackedTree& tree);
  Result<PlainEntries> plain_entries(const Run& run, const std::string& context, const std::string& live_path,
                                     const UnpackedTree& tree);
  static void note_mixed_files(Run& run, const std::string& context);

  // removal.cc
  void remove_live_directory(Run& run, const std::string& context, const std::string& live_path);
  void remove_obsolete(Run& run, const DeployConfigs& configs);
  std::vector<DiscoveredStack> discovered(Run& run);
  enum class Obsolete { removed, taken_over, busy };
  Result<Obsolete> remove_one(Run& run, const DiscoveredStack& obsolete);

  // conclusion.cc
  JobOutcome conclude(const Run& run);
  void keep_settled(const Run& run);
  void keep_settled_stack(const Run& run);
  void keep_rules(const Run& run);
  void remember(const Run& run, bool deployed);
  void remember_bad(const Run& run);

  // rollback.cc
  void answer_failure(Run& run, JobOutcome& outcome);
  void end_badly(const Run& run, const JobOutcome& outcome);
  Result<std::optional<Release>> release_to_go_back_to(const Run& run);
  JobOutcome roll_back(Run& run, const Release& release, JobOutcome failed);
  JobOutcome bring_back_when_possible(Run& run, const Release& release);
  JobOutcome go_on_with_rollback(Run& run, const BegunRollback& begun);
  JobOutcome roll_back_by_hand(Run& run, const LaneHistory& history);
  JobOutcome repair(Run& run, const LaneHistory& history);
  JobOutcome repair_stack(Run& run, const StackId& stack);
  JobOutcome repair_all(Run& run, const LaneHistory& history);
  std::optional<JobOutcome> find_overtaken(const Run& run, const std::vector<StackId>& stacks);
  JobOutcome bring_back(Run& run, const Release& release, std::string_view cause = kRollbackCause);
  bool is_beyond_doubt(const Run& run);
  Status restore_images(const Run& run, PreparedStack& stack);

  Options options_;
  Source& source_;
  LiveDirectories& live_;
  ReleaseStore& releases_;
  SettledRuns& settled_;
  SecretResolver& secrets_;
  DockerHosts& hosts_;
  StackLocks& locks_;
  Slots& places_;
  Log log_;
};

}  // namespace windlass
