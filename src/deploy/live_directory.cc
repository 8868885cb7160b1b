#include "deploy/live_directory.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/crash_point.h"
#include "deploy/live_folder.h"
#include "deploy/managed_files.h"
#include "deploy/sync_journal.h"
#include "deploy/sync_plan.h"
#include "sys/files.h"

namespace windlass {
namespace {

// Up to so many files are flushed one by one; for more, one flush of the whole file system is quicker.
constexpr std::size_t kSingleFlushesMax = 32;

class DiskLiveDirectories final : public LiveDirectories {
 public:
  DiskLiveDirectories(Options options, std::unique_ptr<ManagedFileStore> store, Log log)
      : options_(std::move(options)),
        journal_(options_.data_dir / ".windlass/oci/journal"),
        store_(std::move(store)),
        log_(std::move(log)) {}

  Result<std::string> path_for(const std::string& source_id, const std::string& plain_path, const std::string& ref,
                               bool ref_is_digest) override;
  Status recover() override;
  Result<SyncResult> sync(const std::string& live_path, const UnpackedTree& tree, const Digest& digest, bool force,
                          const Deadline& deadline) override;

 private:
  Status apply(LiveFolder& disk, const SyncPlan& plan, const UnpackedTree& tree, const Deadline& deadline);
  Status write_files(LiveFolder& disk, const SyncPlan& plan, const UnpackedTree& tree, const Deadline& deadline);
  Status record(const LiveFolder& disk, const std::string& live_path, const UnpackedTree& tree, const Digest& digest,
                const SyncPlan& plan, const ManagedFiles& before);

  Options options_;
  SyncJournal journal_;
  std::unique_ptr<ManagedFileStore> store_;
  Log log_;
};

// oci 9: running bind mounts point at the plain path, so its first owner keeps it.
Result<std::string> DiskLiveDirectories::path_for(const std::string& source_id, const std::string& plain_path,
                                                  const std::string& ref, bool ref_is_digest) {
  const std::string key = ref_is_digest ? "@" : ref;
  auto given = store_->path_of(source_id, key);
  if (!given) return tl::unexpected(given.error());
  if (*given) return **given;
  auto owner = store_->owner_of(plain_path);
  if (!owner) return tl::unexpected(owner.error());
  const auto path = *owner ? fmt::format("{}@{}", plain_path, key) : plain_path;
  if (auto kept = store_->give(path, source_id, key); !kept) return tl::unexpected(kept.error());
  return path;
}

Result<SyncResult> DiskLiveDirectories::sync(const std::string& live_path, const UnpackedTree& tree,
                                             const Digest& digest, bool force, const Deadline& deadline) {
  auto before = store_->files_of(live_path);
  if (!before) return tl::unexpected(before.error());
  auto last_digest = store_->digest_of(live_path);
  if (!last_digest) return tl::unexpected(last_digest.error());
  auto reserved = store_->nested_in(live_path);
  if (!reserved) return tl::unexpected(reserved.error());
  auto disk = LiveFolder::open(options_.data_dir, live_path);
  if (!disk) return tl::unexpected(disk.error());
  auto plan = plan_sync(*disk, *before, tree.entries, *reserved, force);
  if (!plan) return tl::unexpected(plan.error());

  SyncResult result{.changed = {}, .drift = plan->drift};
  if (plan->is_empty() && *last_digest == digest.str()) return result;  // S2
  if (auto journaled = journal_.write(live_path, digest, force, tree); !journaled)
    return tl::unexpected(journaled.error());
  crash_point("sync.journal_written");
  if (auto applied = apply(*disk, *plan, tree, deadline); !applied) {
    (void)journal_.remove(live_path);  // the next run works the difference out again
    return tl::unexpected(applied.error());
  }
  if (auto recorded = record(*disk, live_path, tree, digest, *plan, *before); !recorded)
    return tl::unexpected(recorded.error());
  crash_point("sync.after");
  if (auto removed = journal_.remove(live_path); !removed) return tl::unexpected(removed.error());

  for (const auto* entry : plan->writes) result.changed.push_back(entry->path);
  result.changed.insert(result.changed.end(), plan->deletes.begin(), plan->deletes.end());
  std::sort(result.changed.begin(), result.changed.end());
  return result;
}

// S5: folders, files, deletions, folders that are empty now.
Status DiskLiveDirectories::apply(LiveFolder& disk, const SyncPlan& plan, const UnpackedTree& tree,
                                  const Deadline& deadline) {
  for (const auto& path : plan.clear_first)
    if (auto removed = disk.remove_file(path); !removed) return removed;
  for (const auto& path : plan.clear_folders_first)
    if (disk.look(path) && !disk.remove_folder_if_empty(path))
      return fail(Kind::conflict,
                  fmt::format("{}: a folder with data that no release put there stands where a file comes", path));
  for (const auto* folder : plan.folders)
    if (auto made = disk.make_folder(folder->path, folder->mode); !made) return made;
  if (auto written = write_files(disk, plan, tree, deadline); !written) return written;
  crash_point("sync.before_delete");
  for (const auto& path : plan.deletes)
    if (auto removed = disk.remove_file(path); !removed) return removed;
  for (const auto& path : plan.delete_folders) disk.remove_folder_if_empty(path);
  return {};
}

// S4: everything is written beside its place and on disk before the first name changes, so that a full disk is noticed
// while the live files are still as they were (S12).
Status DiskLiveDirectories::write_files(LiveFolder& disk, const SyncPlan& plan, const UnpackedTree& tree,
                                        const Deadline& deadline) {
  const FileDescriptor source(::open(tree.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!source.valid()) return tl::unexpected(system_error("opening " + tree.root.string(), errno));
  const bool flush_each = plan.writes.size() <= kSingleFlushesMax;
  Status done;
  for (const auto* entry : plan.writes) {
    if (deadline.passed()) done = fail(Kind::unavailable, "the time for writing the live directory is over");
    if (done)
      done = entry->type == EntryType::link ? disk.prepare_link(entry->path, entry->content)
                                            : disk.prepare_file(entry->path, source.get(), entry->mode, flush_each);
    if (!done) break;
  }
  if (done && !flush_each) done = disk.flush_all();
  if (!done) {
    for (const auto* entry : plan.writes) disk.drop_prepared(entry->path);
    return done;
  }
  for (const auto* entry : plan.writes) {
    crash_point("sync.half");
    if (auto placed = disk.put_in_place(entry->path); !placed) return placed;
  }
  return {};
}

Status DiskLiveDirectories::record(const LiveFolder& disk, const std::string& live_path, const UnpackedTree& tree,
                                   const Digest& digest, const SyncPlan& plan, const ManagedFiles& before) {
  ManagedFiles files;
  for (const auto& entry : tree.entries) {
    // What drifted keeps its old record, so that it is still seen as edited the next time.
    if (std::find(plan.drift.begin(), plan.drift.end(), entry.path) != plan.drift.end()) {
      files[entry.path] = before.at(entry.path);
      continue;
    }
    const auto there = disk.look(entry.path);
    files[entry.path] = {
        .entry = entry, .disk_size_bytes = there ? there->size_bytes : 0, .disk_mtime_ns = there ? there->mtime_ns : 0};
  }
  return store_->set_files(live_path, digest.str(), files);
}

Status DiskLiveDirectories::recover() {
  auto pending = journal_.pending();
  if (!pending) return tl::unexpected(pending.error());
  for (const auto& sync : *pending) {
    const auto log = log_.with({{"live_directory", sync.live_path}, {"digest", sync.digest.str()}});
    std::error_code error;
    if (!std::filesystem::is_directory(sync.tree.root, error)) {
      log.warning("a sync was cut short and its files are gone: the next run writes the difference");
      if (auto disk = LiveFolder::open(options_.data_dir, sync.live_path))
        for (const auto& entry : sync.tree.entries) disk->drop_prepared(entry.path);
      if (auto removed = journal_.remove(sync.live_path); !removed) return removed;
      continue;
    }
    auto done = this->sync(sync.live_path, sync.tree, sync.digest, sync.force, Deadline::in(std::chrono::minutes(10)));
    if (!done) {
      log.error("a sync that was cut short could not be completed", {{"error", done.error().message}});
      continue;
    }
    if (auto removed = journal_.remove(sync.live_path); !removed) return removed;
    log.info("a sync that was cut short is complete", {{"changed_files", done->changed.size()}});
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<LiveDirectories>> LiveDirectories::open(Options options, std::unique_ptr<Db> db, Log log) {
  auto store = ManagedFileStore::open(std::move(db));
  if (!store) return tl::unexpected(store.error());
  if (auto made = make_folders(options.data_dir / ".windlass/oci/journal", 0700); !made)
    return tl::unexpected(made.error());
  return std::unique_ptr<LiveDirectories>(
      std::make_unique<DiskLiveDirectories>(std::move(options), std::move(*store), std::move(log)));
}

}  // namespace windlass
