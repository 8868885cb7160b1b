#include "deploy/sync_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "oci/entry_name.h"

namespace windlass {
namespace {

bool lies_at_or_below(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

// Equal content keeps its inode (S3): also what a sync that was cut short has written already.
bool is_as_wanted(const LiveFolder& disk, const TreeEntry& entry, const DiskEntry& there) {
  if (there.is_special || there.type != entry.type) return false;
  if (entry.type == EntryType::link) {
    const auto target = disk.link_target(entry.path);
    return target && *target == entry.content;
  }
  if (there.mode != entry.mode) return false;
  if (entry.type == EntryType::folder) return true;
  if (there.size_bytes != static_cast<std::int64_t>(entry.size_bytes)) return false;
  return disk.holds(entry).value_or(false);
}

class Planner {
 public:
  Planner(const LiveFolder& disk, const ManagedFiles& managed, const UnpackedTree& tree, bool force)
      : disk_(disk), managed_(managed), tree_(tree), force_(force) {}

  Result<SyncPlan> plan(const std::vector<std::string>& reserved) {
    for (const auto& entry : tree_.entries) {
      for (const auto& other : reserved)
        if (lies_at_or_below(entry.path, other))
          return fail(Kind::conflict,
                      fmt::format("{}: another artifact's live directory lies at {}", entry.path, other));
      auto done = entry.type == EntryType::folder ? plan_folder(entry) : plan_file(entry);
      if (!done) return tl::unexpected(done.error());
    }
    if (auto done = plan_deletes(); !done) return tl::unexpected(done.error());
    return std::move(plan_);
  }

 private:
  void clear(const std::string& path) {
    plan_.clear_first.push_back(path);
    going_.insert(path);
  }
  bool is_in_late_folder(const TreeEntry& entry) const { return late_.contains(std::string(parent_of(entry.path))); }
  void write(const TreeEntry& entry) {
    (is_in_late_folder(entry) ? plan_.late_writes : plan_.writes).push_back(&entry);
  }

  Status plan_folder(const TreeEntry& entry) {
    const auto looked = disk_.look(entry.path);
    if (!looked) return tl::unexpected(looked.error());
    const auto& there = *looked;
    const auto* known = managed_.find(entry.path);
    if (there && there->type != EntryType::folder) {
      if (known == nullptr || known->entry.type == EntryType::folder || there->is_special)
        return fail(
            Kind::conflict,
            fmt::format("{}: a file or link that no release put there stands where a folder comes", entry.path));
      clear(entry.path);
    }
    if (is_in_late_folder(entry) || going_.contains(entry.path)) {
      late_.insert(entry.path);
      plan_.late_folders.push_back(&entry);
    } else if (!there || (known != nullptr && known->entry.mode != entry.mode)) {
      plan_.folders.push_back(&entry);
    }
    return {};
  }

  Status plan_file(const TreeEntry& entry) {
    const auto looked = disk_.look(entry.path);
    if (!looked) return tl::unexpected(looked.error());
    const auto& there = *looked;
    const auto* known = managed_.find(entry.path);
    if (!there) {
      write(entry);
      return {};
    }
    if (there->type == EntryType::folder) return plan_file_over_folder(entry);
    if (there->is_special)
      return fail(Kind::conflict, fmt::format("{}: something that is not a file stands there", entry.path));
    const bool same_source = known != nullptr && known->entry.type == entry.type &&
                             known->entry.content == entry.content && known->entry.mode == entry.mode;
    if (same_source) {
      if (!has_drifted(*known, *there)) return {};
      // What is of another kind is no edit: a link in place of a file would be followed by whoever mounts it (F28).
      if (force_ || there->type != entry.type)
        write(entry);
      else
        plan_.drift.insert(entry.path);
      return {};
    }
    if (!is_as_wanted(disk_, entry, *there)) write(entry);
    return {};
  }

  // A folder may go for a file when all that is in it was put there by a release, or nothing is.
  Status plan_file_over_folder(const TreeEntry& entry) {
    std::vector<std::string> folders = {entry.path};
    for (const auto& file : managed_.below(entry.path)) {
      if (file.entry.type == EntryType::folder)
        folders.push_back(file.entry.path);
      else
        clear(file.entry.path);
    }
    const auto is_ours = holds_only_managed(entry.path);
    if (!is_ours) return tl::unexpected(is_ours.error());
    if (!*is_ours)
      return fail(
          Kind::conflict,
          fmt::format("{}: a folder with data that no release put there stands where a file comes", entry.path));
    plan_.clear_folders_first.insert(plan_.clear_folders_first.end(), folders.rbegin(), folders.rend());
    write(entry);
    return {};
  }

  Result<bool> holds_only_managed(const std::string& folder) const {
    const auto names = disk_.names_in(folder);
    if (!names) return tl::unexpected(names.error());
    for (const auto& name : *names) {
      const auto path = folder + "/" + name;
      const auto* known = managed_.find(path);
      const auto there = disk_.look(path);
      if (!there) return tl::unexpected(there.error());
      if (known == nullptr || !*there) return false;
      const bool is_folder = (*there)->type == EntryType::folder;
      if (is_folder != (known->entry.type == EntryType::folder)) return false;
      if (!is_folder) continue;
      if (auto below = holds_only_managed(path); !below || !*below) return below;
    }
    return true;
  }

  bool has_drifted(const ManagedFile& known, const DiskEntry& there) const {
    if (there.type != known.entry.type) return true;
    if (there.type == EntryType::link) {
      const auto target = disk_.link_target(known.entry.path);
      return !target || *target != known.entry.content;
    }
    return there.mode != known.entry.mode || there.size_bytes != known.disk_size_bytes ||
           there.mtime_ns != known.disk_mtime_ns;
  }

  Status plan_deletes() {
    for (const auto& file : std::views::reverse(managed_)) {  // deepest first
      const auto& path = file.entry.path;
      if (tree_.find(path) != nullptr || going_.contains(path)) continue;
      const auto there = disk_.look(path);
      if (!there) return tl::unexpected(there.error());
      if (!*there || (*there)->is_special) continue;
      const bool was_folder = file.entry.type == EntryType::folder;
      if (was_folder != ((*there)->type == EntryType::folder)) continue;  // somebody else's by now
      (was_folder ? plan_.delete_folders : plan_.deletes).push_back(path);
    }
    return {};
  }

  const LiveFolder& disk_;
  const ManagedFiles& managed_;
  const UnpackedTree& tree_;
  const bool force_;
  std::set<std::string> going_;  // the paths of clear_first
  std::set<std::string> late_;   // the paths of late_folders
  SyncPlan plan_;
};

}  // namespace

Status adopt_written(LiveFolder& disk, const std::vector<TreeEntry>& entries, ManagedFiles& managed) {
  std::vector<ManagedFile> written;
  for (const auto& entry : entries) {
    disk.drop_prepared(entry.path);
    const auto looked = disk.look(entry.path);
    if (!looked) return tl::unexpected(looked.error());
    if (const auto& there = *looked; there && is_as_wanted(disk, entry, *there))
      written.push_back({.entry = entry, .disk_size_bytes = there->size_bytes, .disk_mtime_ns = there->mtime_ns});
  }
  managed.put(std::move(written));
  return {};
}

Status disown_half_written(const LiveFolder& disk, const std::set<std::string>& paths, ManagedFiles& managed) {
  std::vector<ManagedFile> disowned;
  for (const auto& path : paths) {
    const auto* known = managed.find(path);
    if (known == nullptr || known->entry.type != EntryType::file) continue;
    const auto there = disk.look(path);
    if (!there) return tl::unexpected(there.error());
    if (!*there || is_as_wanted(disk, known->entry, **there)) continue;
    disowned.push_back(*known);
    disowned.back().entry.content.clear();
  }
  managed.put(std::move(disowned));
  return {};
}

std::vector<std::string> foreign_entries(const LiveFolder& disk, const ManagedFiles& managed, std::size_t count_max) {
  std::vector<std::string> folders{""}, found;
  for (const auto& file : managed)
    if (file.entry.type == EntryType::folder) folders.push_back(file.entry.path);
  for (const auto& folder : folders) {
    const auto names = disk.names_in(folder);
    if (!names) continue;
    for (const auto& name : *names) {
      auto path = folder.empty() ? name : folder + "/" + name;
      if (managed.find(path) == nullptr && found.size() < count_max) found.push_back(std::move(path));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<SyncPlan> plan_sync(const LiveFolder& disk, const ManagedFiles& managed, const UnpackedTree& tree,
                           const std::vector<std::string>& reserved, bool force) {
  return Planner(disk, managed, tree, force).plan(reserved);
}

}  // namespace windlass
