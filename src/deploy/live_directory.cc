#include "deploy/live_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <set>

#include "base/crash_point.h"
#include "base/text.h"
#include "deploy/leftovers.h"
#include "deploy/live_folder.h"
#include "deploy/managed_files.h"
#include "deploy/plain_content.h"
#include "deploy/sync_journal.h"
#include "deploy/sync_plan.h"
#include "deploy/sync_writes.h"
#include "oci/entry_name.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr std::size_t kEntriesShown = 20;  // in one warning

std::set<std::string> written_in_place(const SyncPlan& plan, const SyncOptions& options) {
  std::set<std::string> paths;
  for (const auto* entry : plan.writes)
    if (options.in_place.contains(entry->path)) paths.insert(entry->path);
  return paths;
}

// All references by digest of a source are one.
std::string shared_ref(const LiveTenant& tenant) { return tenant.ref_is_digest ? "@digest" : tenant.ref; }

// What a path is kept under: one of each engine, so that none is written for another's sake (Y8).
std::string key_of(const LiveTenant& tenant) { return path_on(tenant.context, shared_ref(tenant)); }

SyncResult result_of(SyncPlan plan) {
  SyncResult result{.drift = {plan.drift.begin(), plan.drift.end()}};
  for (const auto* entries : {&plan.writes, &plan.late_writes})
    for (const auto* entry : *entries) result.changed.push_back(entry->path);
  for (auto* paths : {&plan.clear_first, &plan.deletes}) std::ranges::move(*paths, std::back_inserter(result.changed));
  std::sort(result.changed.begin(), result.changed.end());
  return result;
}

class DiskLiveDirectories final : public LiveDirectories {
 public:
  DiskLiveDirectories(Options options, std::unique_ptr<ManagedFileStore> store, Log log)
      : options_(std::move(options)),
        journal_(options_.data_dir / ".windlass/oci/journal", log),
        store_(std::move(store)),
        log_(std::move(log)) {}

  Result<std::string> path_for(const LiveTenant& tenant, const std::string& plain_path) override;
  Result<std::string> path_to_be(const LiveTenant& tenant, const std::string& plain_path) override;
  Status claim(const LiveTenant& tenant, const std::string& path) override;
  Status recover() override;
  Result<bool> remove(const std::string& live_path, bool with_data) override;
  Result<std::set<std::string>> decrypted_files(const std::string& live_path) override;
  SyncOutcome sync(const std::string& live_path, const UnpackedTree& tree, const Digest& digest,
                   const SyncOptions& options, const Deadline& deadline) override;

 private:
  Result<std::string> find_path(const LiveTenant& tenant, const std::string& plain_path);
  void warn_of_what_stays(const std::string& plain_path, const std::string& path);
  Result<ManagedFiles> managed_files(const std::string& live_path, const std::vector<std::string>& reserved);
  Status settle(LiveFolder& disk, const PendingSync& cut_short, ManagedFiles& managed);
  Status settle_without_staging(const PendingSync& cut_short);
  Status record(const LiveFolder& disk, const std::string& live_path, const UnpackedTree& tree, const Digest& digest,
                const SyncPlan& plan, const ManagedFiles& before);

  Options options_;
  SyncJournal journal_;
  std::mutex paths_mutex_;  // one path_for() at a time: two may ask for the same path
  std::unique_ptr<ManagedFileStore> store_;
  Log log_;
};

Result<std::string> DiskLiveDirectories::path_for(const LiveTenant& tenant, const std::string& plain_path) {
  const std::lock_guard lock(paths_mutex_);
  const auto key = key_of(tenant);
  auto path = find_path(tenant, plain_path);
  const auto given = store_->path_of(tenant.source_id, key);
  if (!path || (given && *given)) return path;
  if (auto kept = store_->give(*path, tenant.source_id, key); !kept) return tl::unexpected(kept.error());
  if (const auto plain = path_on(tenant.context, plain_path); *path != plain) warn_of_what_stays(plain, *path);
  return path;
}

// With doco-cd all references of a repository have one directory: what containers of this one wrote there, they do not
// find in their own (oci 9).
void DiskLiveDirectories::warn_of_what_stays(const std::string& plain_path, const std::string& path) {
  std::error_code absent;
  if (!std::filesystem::is_directory(options_.data_dir / plain_path, absent)) return;
  const auto disk = LiveFolder::open(options_.data_dir, plain_path, options_.hash_key);
  const auto managed = store_->files_of(plain_path);
  const auto nested = store_->nested_in(plain_path);
  if (!disk || !managed || !nested) return;
  auto stays = foreign_entries(*disk, *managed, kEntriesShown);
  std::erase_if(stays, [&](const auto& entry) {
    return std::any_of(nested->begin(), nested->end(),
                       [&](const auto& other) { return (other + "/").starts_with(entry + "/"); });
  });
  if (!stays.empty())
    log_.warning("another reference has the plain live directory, and what containers wrote there stays there",
                 {{"live_directory", path}, {"plain", plain_path}, {"stays", join(stays, ", ")}});
}

Result<std::string> DiskLiveDirectories::path_to_be(const LiveTenant& tenant, const std::string& plain_path) {
  const std::lock_guard lock(paths_mutex_);
  return find_path(tenant, plain_path);
}

Status DiskLiveDirectories::claim(const LiveTenant& tenant, const std::string& path) {
  const std::lock_guard lock(paths_mutex_);
  const auto key = key_of(tenant);
  const auto given = store_->path_of(tenant.source_id, key);
  const auto owner = store_->owner_of(path);
  if (!given || !owner) return tl::unexpected(given ? owner.error() : given.error());
  return *given || *owner ? Status() : store_->give(path, tenant.source_id, key);
}

// oci 9: running bind mounts point at the plain path, so its first owner keeps it.
Result<std::string> DiskLiveDirectories::find_path(const LiveTenant& tenant, const std::string& plain_path) {
  auto given = store_->path_of(tenant.source_id, key_of(tenant));
  if (!given) return tl::unexpected(given.error());
  if (*given) return **given;
  const auto plain = path_on(tenant.context, plain_path);
  auto owner = store_->owner_of(plain);
  if (!owner) return tl::unexpected(owner.error());
  if (*owner && **owner != tenant.source_id)
    return fail(Kind::conflict, fmt::format("{}: this live directory belongs to {}", plain, **owner));
  auto path = *owner ? fmt::format("{}@{}", plain, shared_ref(tenant)) : plain;
  // The other way round a release is refused that comes to where a live directory lies (S7).
  auto holder = store_->holder_of(path);
  if (!holder) return tl::unexpected(holder.error());
  if (*holder) return fail(Kind::conflict, fmt::format("{}: files of the live directory {} lie there", path, **holder));
  return path;
}

SyncOutcome DiskLiveDirectories::sync(const std::string& live_path, const UnpackedTree& tree, const Digest& digest,
                                      const SyncOptions& options, const Deadline& deadline) {
  const auto cut_short = journal_.find(live_path);
  bool is_mixed = !cut_short || *cut_short;
  const auto failed = [&](const Error& error) { return tl::unexpected(SyncFailure{error, is_mixed}); };
  if (!cut_short) return failed(cut_short.error());
  auto reserved = store_->nested_in(live_path);
  if (!reserved) return failed(reserved.error());
  auto before = managed_files(live_path, *reserved);
  if (!before) return failed(before.error());
  auto disk = LiveFolder::open(options_.data_dir, live_path, options_.hash_key);
  if (!disk) return failed(disk.error());
  if (is_mixed)
    if (auto settled = settle(*disk, **cut_short, *before); !settled) return failed(settled.error());
  auto last_digest = store_->digest_of(live_path);
  if (!last_digest) return failed(last_digest.error());
  auto plan = plan_sync(*disk, *before, tree, *reserved, options.force);
  if (!plan) return failed(plan.error());

  if (plan->is_empty() && *last_digest == digest.str()) return result_of(*std::move(plan));  // S2
  const SyncOptions journaled_options{.force = options.force, .in_place = written_in_place(*plan, options)};
  if (auto journaled = journal_.write(live_path, digest, journaled_options, tree); !journaled)
    return failed(journaled.error());
  crash_point("sync.journal_written");
  if (auto prepared = prepare_sync(*disk, *plan, tree, deadline); !prepared) {
    if (!is_mixed) (void)journal_.remove(live_path);  // the live files are as they were
    return failed(prepared.error());
  }
  // From here on an error leaves the journal: the next start or run goes on from what it finds (S12).
  is_mixed = true;
  if (auto placed = put_in_place(*disk, *plan, options.in_place, tree, deadline); !placed)
    return failed(placed.error());
  if (auto recorded = record(*disk, live_path, tree, digest, *plan, *before); !recorded)
    return failed(recorded.error());
  crash_point("sync.after");
  if (auto removed = journal_.remove(live_path); !removed) return failed(removed.error());
  return result_of(*std::move(plan));
}

// The files that a release put there; what is in another live directory by now is not ours any more (oci 9).
Result<ManagedFiles> DiskLiveDirectories::managed_files(const std::string& live_path,
                                                        const std::vector<std::string>& reserved) {
  auto files = store_->files_of(live_path);
  if (!files) return files;
  for (const auto& other : reserved) files->forget(other);
  return files;
}

Result<std::set<std::string>> DiskLiveDirectories::decrypted_files(const std::string& live_path) {
  const auto files = store_->files_of(live_path);
  if (!files) return tl::unexpected(files.error());
  std::set<std::string> paths;
  for (const auto& file : *files)
    if (is_plain_content(file.entry.content)) paths.insert(file.entry.path);
  return paths;
}

// S8: the journal may go or be overwritten once its files are in the list of managed ones.
Status DiskLiveDirectories::settle(LiveFolder& disk, const PendingSync& cut_short, ManagedFiles& managed) {
  if (auto done = adopt_written(disk, cut_short.tree.entries, managed); !done) return done;
  if (auto done = disown_half_written(disk, cut_short.options.in_place, managed); !done) return done;
  return store_->set_files(cut_short.live_path, "", {managed.begin(), managed.end()});
}

Status DiskLiveDirectories::record(const LiveFolder& disk, const std::string& live_path, const UnpackedTree& tree,
                                   const Digest& digest, const SyncPlan& plan, const ManagedFiles& before) {
  // Looked at before they are recorded: while that goes on, no other job and no webhook can write to the state file.
  std::vector<ManagedFileRef> files;
  files.reserve(tree.entries.size());
  for (const auto& entry : tree.entries) {
    // What drifted keeps its old record, so that it is still seen as edited the next time.
    if (plan.drift.contains(entry.path)) {
      files.emplace_back(*before.find(entry.path));
      continue;
    }
    const auto looked = disk.look(entry.path);
    if (!looked) return tl::unexpected(looked.error());
    const auto& there = *looked;
    files.emplace_back(entry, there ? there->size_bytes : 0, there ? there->mtime_ns : 0);
  }
  return store_->set_files(live_path, digest.str(), files);
}

// With data it is moved away in one step before anything in it goes: a live directory that is made below it meanwhile
// gets a folder of its own, and nobody can swap what is being removed.
Result<bool> DiskLiveDirectories::remove(const std::string& live_path, bool with_data) {
  auto above = LiveFolder::open(options_.data_dir, std::string(parent_of(live_path)), options_.hash_key);
  if (!above) return tl::unexpected(above.error());
  const std::string name(base_of(live_path));
  const auto away = options_.data_dir / ".windlass/oci/staging" / fmt::format("gone-{}", sha256_hex(live_path));
  {
    const std::lock_guard lock(paths_mutex_);
    const auto others = store_->nested_in(live_path);
    if (!others) return tl::unexpected(others.error());
    if (!with_data || !others->empty()) {
      above->remove_folder_if_empty(name);
      const auto there = above->look(name);
      if (!there) return tl::unexpected(there.error());
      if (*there) return false;
    } else if (auto moved = above->move_away(name, away); !moved) {
      return tl::unexpected(moved.error());
    }
    if (auto free = store_->give_back(live_path); !free) return tl::unexpected(free.error());
  }
  if (auto removed = remove_tree(away); !removed) return tl::unexpected(removed.error());
  return true;
}

Status DiskLiveDirectories::recover() {
  auto pending = journal_.pending();
  if (!pending) return tl::unexpected(pending.error());
  for (const auto& sync : *pending) {
    const auto log = log_.with({{"live_directory", sync.live_path}, {"digest", sync.digest.str()}});
    std::error_code error;
    // Plain text is gone with the process that had it (secrets/B3).
    const bool is_there = std::filesystem::is_directory(sync.tree.root, error) && sync.tree.plain_root.empty();
    if (!is_there) {
      log.warning("a sync was cut short and its files are gone: the next run writes the difference");
      if (auto settled = settle_without_staging(sync); !settled) {
        log.error("a sync that was cut short could not be settled", {{"error", settled.error().message}});
        continue;
      }
      if (auto removed = journal_.remove(sync.live_path); !removed) return removed;
      continue;
    }
    auto done =
        this->sync(sync.live_path, sync.tree, sync.digest, sync.options, Deadline::in(std::chrono::minutes(10)));
    if (!done) {
      log.error("a sync that was cut short could not be completed", {{"error", done.error().error.message}});
      continue;
    }
    if (auto removed = journal_.remove(sync.live_path); !removed) return removed;
    log.info("a sync that was cut short is complete", {{"changed_files", done->changed.size()}});
  }
  const auto paths = store_->paths();
  if (!paths) return tl::unexpected(paths.error());
  remove_leftovers(options_.data_dir, *paths, log_);
  return {};
}

Status DiskLiveDirectories::settle_without_staging(const PendingSync& cut_short) {
  auto reserved = store_->nested_in(cut_short.live_path);
  if (!reserved) return tl::unexpected(reserved.error());
  auto managed = managed_files(cut_short.live_path, *reserved);
  if (!managed) return tl::unexpected(managed.error());
  auto disk = LiveFolder::open(options_.data_dir, cut_short.live_path, options_.hash_key);
  if (!disk) return tl::unexpected(disk.error());
  return settle(*disk, cut_short, *managed);
}

}  // namespace

std::string path_on(const std::string& context, const std::string& plain_path) {
  return context.empty() ? plain_path : fmt::format("{}@@context-{}", plain_path, context);
}

Result<std::unique_ptr<LiveDirectories>> LiveDirectories::open(Options options, std::unique_ptr<Db> db, Log log) {
  auto store = ManagedFileStore::open(std::move(db));
  if (!store) return tl::unexpected(store.error());
  if (auto made = make_folders(options.data_dir / ".windlass/oci/journal", 0700); !made)
    return tl::unexpected(made.error());
  return std::unique_ptr<LiveDirectories>(
      std::make_unique<DiskLiveDirectories>(std::move(options), std::move(*store), std::move(log)));
}

}  // namespace windlass
