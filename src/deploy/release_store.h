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
#include <string>
#include <vector>

#include "base/result.h"
#include "deploy/planning.h"
#include "model/release.h"
#include "source/source.h"
#include "sys/sqlite.h"

namespace windlass {

// How a run of a lane and target left one of its stacks.
struct SettledStack {
  std::string name;
  std::string skipped_because;                    // "" if it is deployed: webhook_filter and the like
  std::vector<ServiceShape> services;             // what N17 looks for
  std::map<std::string, std::string> release_of;  // service -> release that made its containers
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
};

class ReleaseStore {
 public:
  static constexpr int kSeenPerLane = 64;  // oci 2
  // Of references by digest nothing but this memory tells an old webhook that is sent again from a new one.
  static constexpr int kSeenByDigest = 10'000;
  static constexpr int kReleasesPerStack = 100;  // deploy/V1

  // Creates its tables if they are not there. Releases that were running when the process ended count as failed.
  static Result<std::unique_ptr<ReleaseStore>> open(std::unique_ptr<Db> db);

  Result<LaneHistory> history(const std::string& lane);
  // The lane has tried this digest; `deployed`: it is what the lane was last deployed from.
  Status remember(const std::string& lane, const Digest& digest, bool deployed);

  Result<std::optional<StackRecord>> stack(const std::string& name);

  // A release begins: on disk before anything is started, so that its containers are known after a crash.
  Status begin(const Release& release, const std::map<std::string, ServiceInputs>& made);
  // A release ends; `release_of` replaces the stack's.
  Status finish(const Release& release, const std::map<std::string, std::string>& release_of);
  Result<std::optional<ServiceInputs>> inputs(const std::string& release_id, const std::string& service);

  // By lane and place: the target, and what sets runs of one target apart. unsettle() forgets the bad key as well.
  Result<std::optional<SettledRun>> settled(const std::string& lane, const std::string& place);
  Status settle(const std::string& lane, const std::string& place, const SettledRun& run);
  Status unsettle(const std::string& lane, const std::string& place);

  // The key of a run that failed while it was deploying, "" if the last one did not (deploy/V6).
  Result<std::string> bad_key(const std::string& lane, const std::string& place);
  Status remember_bad(const std::string& lane, const std::string& place, const std::string& key);

 private:
  explicit ReleaseStore(std::unique_ptr<Db> db) : db_(std::move(db)) {}
  Status prune(const std::string& stack);

  std::mutex mutex_;  // guards db_
  std::unique_ptr<Db> db_;
};

}  // namespace windlass
