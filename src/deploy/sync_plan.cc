#include "deploy/sync_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace windlass {
namespace {

bool lies_at_or_below(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

class Planner {
 public:
  Planner(const LiveFolder& disk, const ManagedFiles& managed, const std::vector<TreeEntry>& entries, bool force)
      : disk_(disk), managed_(managed), force_(force) {
    for (const auto& entry : entries) wanted_[entry.path] = &entry;
  }

  Result<SyncPlan> plan(const std::vector<std::string>& reserved) {
    for (const auto& [path, entry] : wanted_) {
      for (const auto& other : reserved)
        if (lies_at_or_below(path, other))
          return fail(Kind::conflict, fmt::format("{}: another artifact's live directory lies at {}", path, other));
      auto done = entry->type == EntryType::folder ? plan_folder(*entry) : plan_file(*entry);
      if (!done) return tl::unexpected(done.error());
    }
    plan_deletes();
    return std::move(plan_);
  }

 private:
  const ManagedFile* managed(const std::string& path) const {
    const auto found = managed_.find(path);
    return found == managed_.end() ? nullptr : &found->second;
  }
  bool is_going(const std::string& path) const {
    return std::find(plan_.clear_first.begin(), plan_.clear_first.end(), path) != plan_.clear_first.end();
  }

  Status plan_folder(const TreeEntry& entry) {
    const auto there = disk_.look(entry.path);
    const auto* known = managed(entry.path);
    if (there && there->type != EntryType::folder) {
      if (known == nullptr)
        return fail(Kind::conflict,
                    fmt::format("{}: a file that no release put there stands where a folder comes", entry.path));
      plan_.clear_first.push_back(entry.path);
      plan_.folders.push_back(&entry);
    } else if (!there || (known == nullptr ? false : known->entry.mode != entry.mode)) {
      plan_.folders.push_back(&entry);
    }
    return {};
  }

  Status plan_file(const TreeEntry& entry) {
    const auto there = disk_.look(entry.path);
    const auto* known = managed(entry.path);
    if (!there) {
      plan_.writes.push_back(&entry);
      return {};
    }
    if (there->type == EntryType::folder) return plan_file_over_folder(entry);
    if (there->is_special)
      return fail(Kind::conflict, fmt::format("{}: something that is not a file stands there", entry.path));
    const bool same_source = known != nullptr && known->entry.type == entry.type &&
                             known->entry.content == entry.content && known->entry.mode == entry.mode;
    if (same_source) {
      if (!has_drifted(*known, *there)) return {};
      if (force_)
        plan_.writes.push_back(&entry);
      else
        plan_.drift.push_back(entry.path);
      return {};
    }
    if (!is_as_wanted(entry, *there)) plan_.writes.push_back(&entry);
    return {};
  }

  // A folder may go for a file when all that is in it was put there by a release, or nothing is.
  Status plan_file_over_folder(const TreeEntry& entry) {
    const auto below = entry.path + "/";
    std::vector<std::string> folders = {entry.path};
    for (auto file = managed_.lower_bound(below); file != managed_.end() && file->first.starts_with(below); ++file) {
      if (file->second.entry.type == EntryType::folder)
        folders.push_back(file->first);
      else
        plan_.clear_first.push_back(file->first);
    }
    if (managed(entry.path) == nullptr && !disk_.is_empty_folder(entry.path))
      return fail(
          Kind::conflict,
          fmt::format("{}: a folder with data that no release put there stands where a file comes", entry.path));
    plan_.clear_folders_first.insert(plan_.clear_folders_first.end(), folders.rbegin(), folders.rend());
    plan_.writes.push_back(&entry);
    return {};
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

  // Equal content keeps its inode (S3): also what a sync that was cut short has written already.
  bool is_as_wanted(const TreeEntry& entry, const DiskEntry& there) const {
    if (there.type != entry.type) return false;
    if (entry.type == EntryType::link) {
      const auto target = disk_.link_target(entry.path);
      return target && *target == entry.content;
    }
    if (there.mode != entry.mode || there.size_bytes != static_cast<std::int64_t>(entry.size_bytes)) return false;
    const auto hash = disk_.hash(entry.path);
    return hash && *hash == entry.content;
  }

  void plan_deletes() {
    for (auto file = managed_.rbegin(); file != managed_.rend(); ++file) {  // deepest first
      const auto& path = file->first;
      if (wanted_.contains(path) || is_going(path)) continue;
      const auto there = disk_.look(path);
      if (!there || there->is_special) continue;
      const bool was_folder = file->second.entry.type == EntryType::folder;
      if (was_folder != (there->type == EntryType::folder)) continue;  // somebody else's by now
      (was_folder ? plan_.delete_folders : plan_.deletes).push_back(path);
    }
  }

  const LiveFolder& disk_;
  const ManagedFiles& managed_;
  const bool force_;
  std::map<std::string, const TreeEntry*> wanted_;
  SyncPlan plan_;
};

}  // namespace

Result<SyncPlan> plan_sync(const LiveFolder& disk, const ManagedFiles& managed, const std::vector<TreeEntry>& entries,
                           const std::vector<std::string>& reserved, bool force) {
  return Planner(disk, managed, entries, force).plan(reserved);
}

}  // namespace windlass
