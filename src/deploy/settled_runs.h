// Is there anything to do? What the last run of a lane and place left, and whether that still is so (deploy/N2b, V6).
//
// A place is a target and what sets runs of one target apart, its inline deployments. Of everything that decides what a
// run would do, besides the engine's state and the values of external secrets, there is one key: an equal key, an
// engine that shows what the run left, and the same values mean that nothing has to be done. Questions read state and
// ask the engine, and every SECRET_REFRESH_INTERVAL the store of secrets; no file is read, no child process is started,
// nothing is written.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "base/log.h"
#include "base/secret.h"
#include "deploy/release_store.h"
#include "docker/engines.h"
#include "driver/driver.h"
#include "model/job.h"
#include "secrets/secret_resolver.h"
#include "source/source.h"

namespace windlass {

class LoopGuard;

class SettledRuns {
 public:
  struct Options {
    std::string surroundings;    // settings, paths and environment that a model may depend on
    Secret hash_key;             // of this installation: what the state file holds cannot be guessed (deploy/N9)
    LoopGuard* loops = nullptr;  // is told what was found unchanged (deploy/U1)
  };

  SettledRuns(Options options, Source& source, Driver& driver, Engines& engines, SecretResolver& secrets,
              ReleaseStore& releases, Log log);

  // Why there is nothing to do for this digest, "no changes", or that stacks are left alone because they are looping;
  // nothing: a job of this request would do something. A release that failed while it was being deployed, or that an
  // operator went back from, is left alone as well: only an operator, a new digest or a new configuration tries it
  // again (deploy/V6).
  Result<std::optional<std::string>> because(const JobRequest& request, const Digest& digest, const Deadline& deadline);

  // The digest that the request's stacks were last brought to well, if the engine does not show what that left; a job
  // of this digest with kRepairCause brings it back, without the registry.
  Result<std::optional<Digest>> to_repair(const JobRequest& request, const Deadline& deadline);

  // Did the last run of this place end well, and with this digest? It may have changed nothing and left no release.
  Result<bool> ended_well_with(const JobRequest& request, const Digest& digest);

  // The end of a run that has nothing to do; nothing: it has. An error: an engine does not say, and all others see
  // nothing to do.
  Result<std::optional<JobOutcome>> unchanged(const JobRequest& request, const Digest& digest, const Deadline& deadline,
                                              const Log& log);

  // Changes when a run would have to look again.
  std::string key(const JobRequest& request, const Digest& digest) const;
  // Changes when what is trusted changes.
  std::string trust_hash(const JobRequest& request) const;

  // How the run of this request ended; from begin() to then nothing is known of its place.
  Status begin(const JobRequest& request);
  Status end_well(const JobRequest& request, const SettledRun& run);
  // The containers of one stack were made anew, nothing else has changed.
  Status replace_containers(const JobRequest& request, const StackId& stack,
                            const std::map<std::string, std::string>& release_of);
  // `secrets`: of all stacks of the run; another value of one of them is a reason to try again.
  Status end_badly(const JobRequest& request, const std::string& key, const SettledSecrets& secrets);
  // An operator went back from the release of that key: polls leave it alone as one that failed.
  Status end_by_choice(const JobRequest& request, const std::string& key);

  // What is kept of the values that a stack was brought up with: nothing of one-time values.
  SettledSecrets stamped(const SecretReferences& references, const StackSecrets& secrets) const;

 private:
  Result<std::vector<ContainerSummary>> containers_of(const StackId& stack, const Deadline& deadline);
  std::string keyed_hash(std::string_view text) const;
  std::string secret_hash(const std::string& reference, const Secret& value) const;
  std::string place_of(const JobRequest& request) const;
  bool failed_before(const std::string& bad_run, const std::string& key, const Deadline& deadline);
  void tell_unchanged(const SettledRun& run, const Log& log);
  bool has_changed_secret(const std::vector<SettledStack>& stacks, const Deadline& deadline, const Log& log);

  Options options_;
  Source& source_;
  Driver& driver_;
  Engines& engines_;
  SecretResolver& secrets_;
  ReleaseStore& releases_;
  Log log_;
};

}  // namespace windlass
