// What was deployed: releases, what their containers were made from, what each lane has seen (deploy/V1, N1; webhook
// 14).
//
// The state of record: nothing is derived from stale labels (deploy/L22). No plaintext of an input is kept, only keyed
// hashes. All calls are safe from any thread.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/deploy_config.h"
#include "deploy/planning.h"
#include "deploy/settled_secrets.h"
#include "model/release.h"
#include "model/stack_loop.h"
#include "source/source.h"
#include "sys/seal.h"
#include "sys/sqlite.h"

namespace windlass {

// How a run of a lane and target left one of its stacks.
struct SettledStack {
  StackId id;
  std::string skipped_because;                    // "" if it is deployed: webhook_filter and the like
  std::vector<ServiceShape> services;             // what N17 looks for
  std::map<std::string, std::string> release_of;  // service -> release that made its containers
  bool is_looping = false;                        // which is why it was skipped (deploy/U1)
  bool keeps_orphans = false;                     // containers of services that are no more may stay (deploy/N17)
  SettledSecrets secrets;
};

// A run that ended well: with an equal key nothing has to be read or resolved again (deploy/N2b).
struct SettledRun {
  std::string key;
  std::vector<SettledStack> stacks;
};

struct StackRecord {
  std::string source_id;
  std::optional<ReleaseState> last_state;
  std::map<std::string, std::string> release_of;  // service -> the release that last made its containers
  std::string brought;  // the digest it was last brought to well, also if that changed nothing; "" of old state files
};

// What a stack's configuration says of the time after its deployment.
struct StackRules {
  std::optional<AutoDiscovery> discovery;  // of a stack that auto-discovery found
  ReconciliationRule reconciliation;
  bool operator==(const StackRules&) const = default;
};

// A stack that auto-discovery found, and what it was to be done with when its folder goes.
struct DiscoveredStack {
  StackId id;
  AutoDiscovery rules;
};

// A rollback by itself, on disk from its beginning on.
struct BegunRollback {
  Digest digest;           // of what failed
  std::string release_id;  // what is brought back
  std::string reason;      // why
  std::string ended{};     // the message of the job that it ended with; "" until then
};

class ReleaseStore {
 public:
  static constexpr int kSeenPerLane = 64;  // oci 2
  // Of references by digest nothing but this memory tells an old webhook that is sent again from a new one.
  static constexpr int kSeenByDigest = 10'000;
  static constexpr int kReleasesPerStack = 100;  // deploy/V1
  // Inline deployments that are new with every call leave a place each.
  static constexpr int kPlacesPerLane = 1'000;

  // Creates its tables if they are not there. Releases that were running when the process ended count as failed.
  // `key`: of this installation.
  static Result<std::unique_ptr<ReleaseStore>> open(std::unique_ptr<Db> db, const Secret& key);

  Result<LaneHistory> history(const std::string& lane);
  // The lane has tried this digest; `deployed`: it is what the lane was last deployed from.
  Status remember(const std::string& lane, const Digest& digest, bool deployed);

  Result<std::optional<StackRecord>> stack(const StackId& id);

  // A release begins: on disk before anything is started, so that its containers are known after a crash.
  Status begin(const Release& release, const std::map<std::string, ServiceInputs>& made, const StackRules& rules = {});
  // Of a stack that another digest leaves as it was deployed, while its rules may not be. Nothing is written if both
  // are known.
  Status keep_as_it_is(const StackId& stack, const Digest& digest, const StackRules& rules);
  // Of all stacks that are deployed on the engine of a context. One that an older windlass deployed has the default.
  Result<std::map<StackId, ReconciliationRule>> reconciliations(const std::string& context);
  // The same of one; nothing if it is not deployed.
  Result<std::optional<ReconciliationRule>> reconciliation(const StackId& stack);
  // A release ends; `release_of` replaces the stack's. `model`: of a good one, without secrets.
  Status finish(const Release& release, const std::map<std::string, std::string>& release_of,
                const std::optional<json::object>& model = std::nullopt);
  // The model of the stack's last good release, without secrets; nothing if none is known.
  Result<std::optional<json::object>> last_model(const StackId& stack);
  Result<std::optional<ServiceInputs>> inputs(const std::string& release_id, const std::string& service);
  // The containers that this release made of the service count as made from these: it was told of newer content, or
  // nobody knew what they were made from.
  Status set_inputs(const std::string& release_id, const std::string& service, const ServiceInputs& inputs);

  // By lane and place: the target, and what sets runs of one target apart. unsettle() forgets the bad key as well.
  Result<std::optional<SettledRun>> settled(const std::string& lane, const std::string& place);
  Status settle(const std::string& lane, const std::string& place, const SettledRun& run);
  Status unsettle(const std::string& lane, const std::string& place);

  // The key of a run that failed while it was deploying, "" if the last one did not (deploy/V6).
  Result<std::string> bad_key(const std::string& lane, const std::string& place);
  Status remember_bad(const std::string& lane, const std::string& place, const std::string& key);

  // Newest first, at most `limit`.
  Result<std::vector<Release>> releases(const ReleaseFilter& filter, std::size_t limit);
  Result<std::optional<Release>> release(const std::string& id);
  // The newest good release of any of these stacks that this source, ref and target deployed before the job: what they
  // are brought back to. None of a digest with which one of those that are `going_back` failed for good. Of references
  // by digest all are one ref.
  Result<std::optional<Release>> last_good(const JobRequest& request, const std::vector<StackId>& stacks,
                                           const std::vector<StackId>& going_back, const std::string& before_job);
  // The newest good release of a stack that is deployed.
  Result<std::optional<Release>> good_release(const StackId& stack);
  // The newest good release of what the request is about, inline deployments and all, that was made from that digest.
  Result<std::optional<Release>> good_release_of(const JobRequest& request, const Digest& digest);
  // The newest good release of what the request is about whose stack was last brought to that digest. The digest may
  // have changed nothing: then the release is of an earlier one.
  Result<std::optional<Release>> release_brought_to(const JobRequest& request, const Digest& digest);
  // A stack on the engine of the context that the source, ref and target of the request deploy and whose last release,
  // of another digest than this, failed, as StackId::str(); "" if there is none.
  Result<std::string> failed_stack(const JobRequest& request, const std::string& context, const std::string& digest);
  // Which release is the newest of each stack, and how far it is: another text means that something has happened.
  Result<std::map<StackId, std::string>> newest();
  // The newest good release of the stack up to that one (of another stack perhaps): what the stack was like then.
  Result<std::optional<Release>> good_as_of(const StackId& stack, const Release& release);
  // What was good and must stay in the content store: of each stack the last so many that it keeps (deploy/V1), and
  // what it was last brought to, of which there is no release if that changed nothing: repairs need it.
  Result<std::vector<Digest>> kept_digests();

  // Image ids of those releases, on whatever engine: two contexts may lead to one.
  Result<std::set<std::string>> kept_images();
  // Image ids of all releases of a stack, good or not.
  Result<std::set<std::string>> images_of(const StackId& stack);
  // They are gone from the engine.
  Status forget_images(const StackId& stack, const std::set<std::string>& ids);

  // Stacks that auto-discovery found for this source, ref and target.
  Result<std::vector<DiscoveredStack>> discovered(const JobRequest& request);
  // The names of a source's stacks that are deployed on the engine of the context.
  Result<std::vector<std::string>> stacks_of(const std::string& source_id, const std::string& context);
  // The contexts, other than the default one, on which something is deployed.
  Result<std::vector<std::string>> contexts();
  // The stack is taken down: its releases stay to be looked at, this one the last, their content need not be kept.
  Status close(const Release& removal);
  // The same for one whose containers another stack has now, which has begun: they are known as that one's.
  Status pass_on(const Release& removal, const StackId& to);

  // Rollbacks that have begun: after a crash the job goes on with it rather than trying the bad release again. One that
  // has ended is still there for a job that was killed before its own end was on disk.
  Result<std::optional<BegunRollback>> begun_rollback(const std::string& job_id);
  // Forgets those of older jobs of the lane.
  Status begin_rollback(const std::string& lane, const std::string& job_id, const BegunRollback& rollback);
  // With the message of the job; nothing happens if it has begun none.
  Status end_rollback(const std::string& job_id, const std::string& message);

  // Deployments of a stack that follow one another (deploy/U1); nothing if none are counted.
  Result<std::optional<StackLoop>> loop(const StackId& stack);
  Status keep_loop(const StackLoop& loop);
  Status forget_loop(const StackId& stack);

 private:
  ReleaseStore(std::unique_ptr<Db> db, const Secret& key) : db_(std::move(db)), seal_(key, "inline deployments") {}
  Status close_stack(const Release& removal);
  Status prune(const StackId& stack);
  Status drop_oldest(std::string_view table, const std::string& lane, int kept);

  std::mutex mutex_;  // guards db_
  std::unique_ptr<Db> db_;
  const Seal seal_;
};

}  // namespace windlass
