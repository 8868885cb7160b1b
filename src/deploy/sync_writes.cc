#include "deploy/sync_writes.h"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/crash_point.h"
#include "deploy/plain_content.h"
#include "oci/entry_name.h"
#include "sys/files.h"

namespace windlass {
namespace {

// Up to so many files are flushed one by one; for more, one flush of the whole file system is quicker.
constexpr std::size_t kSingleFlushesMax = 32;

Result<FileDescriptor> open_source(const std::filesystem::path& folder) {
  FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!opened.valid()) return tl::unexpected(system_error("opening " + folder.string(), errno));
  return opened;
}

Status prepare_writes(LiveFolder& disk, const std::vector<const TreeEntry*>& writes, const UnpackedTree& tree,
                      const Deadline& deadline) {
  const auto source = open_source(tree.root);
  if (!source) return tl::unexpected(source.error());
  const auto plain_source = open_source(tree.plain_root.empty() ? tree.root : tree.plain_root);
  if (!plain_source) return tl::unexpected(plain_source.error());
  const bool flush_each = writes.size() <= kSingleFlushesMax;
  for (const auto* entry : writes) {
    if (deadline.passed()) return fail(Kind::unavailable, "the time for writing the live directory is over");
    const int root = is_plain_content(entry->content) ? plain_source->get() : source->get();
    auto done = entry->type == EntryType::link ? disk.prepare_link(entry->path, entry->content)
                                               : disk.prepare_file(entry->path, root, entry->mode, flush_each);
    if (!done) return done;
  }
  return flush_each ? Status() : disk.flush_all();
}

// The new names, and the end of the old ones, are on disk before the state says so.
Status flush_names(LiveFolder& disk, const SyncPlan& plan) {
  std::set<std::string> folders;
  for (const auto* entries : {&plan.folders, &plan.writes, &plan.late_folders, &plan.late_writes})
    for (const auto* entry : *entries) folders.emplace(parent_of(entry->path));
  for (const auto* paths : {&plan.clear_first, &plan.deletes, &plan.delete_folders})
    for (const auto& path : *paths) folders.emplace(parent_of(path));
  if (folders.size() > kSingleFlushesMax) return disk.flush_all();
  for (const auto& folder : folders)
    if (auto flushed = disk.flush_folder(folder); !flushed) return flushed;
  return {};
}

}  // namespace

Status prepare_sync(LiveFolder& disk, const SyncPlan& plan, const UnpackedTree& tree, const Deadline& deadline) {
  std::vector<std::string> made;
  Status done;
  for (const auto* folder : plan.folders) {
    const auto there = disk.look(folder->path);
    if (!there) done = tl::unexpected(there.error());
    if (!done) break;
    if (!*there) made.push_back(folder->path);
    if (done = disk.make_folder(folder->path, folder->mode); !done) break;
  }
  if (done) done = prepare_writes(disk, plan.writes, tree, deadline);
  if (done) return done;
  for (const auto* entry : plan.writes) disk.drop_prepared(entry->path);
  for (auto folder = made.rbegin(); folder != made.rend(); ++folder) disk.remove_folder_if_empty(*folder);
  return done;
}

Status put_in_place(LiveFolder& disk, const SyncPlan& plan, const std::set<std::string>& same_files,
                    const UnpackedTree& tree, const Deadline& deadline) {
  for (const auto& path : plan.clear_first)
    if (auto removed = disk.remove_file(path); !removed) return removed;
  for (const auto& path : plan.clear_folders_first) {
    const auto there = disk.look(path);
    if (!there) return tl::unexpected(there.error());
    if (*there && !disk.remove_folder_if_empty(path))
      return fail(Kind::conflict, fmt::format("{}: somebody wrote into a folder that a file replaces", path));
  }
  for (const auto* folder : plan.late_folders)
    if (auto made = disk.make_folder(folder->path, folder->mode); !made) return made;
  if (auto written = prepare_writes(disk, plan.late_writes, tree, deadline); !written) return written;
  for (const auto* entries : {&plan.writes, &plan.late_writes})
    for (const auto* entry : *entries) {
      crash_point("sync.half");
      if (same_files.contains(entry->path)) {
        const auto written = disk.overwrite(*entry);
        if (!written) return tl::unexpected(written.error());
        if (*written) continue;
      }
      if (auto placed = disk.put_in_place(entry->path); !placed) return placed;
    }
  crash_point("sync.before_delete");
  for (const auto& path : plan.deletes)
    if (auto removed = disk.remove_file(path); !removed) return removed;
  for (const auto& path : plan.delete_folders) disk.remove_folder_if_empty(path);
  return flush_names(disk, plan);
}

}  // namespace windlass
