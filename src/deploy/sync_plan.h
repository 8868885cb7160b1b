// What a sync has to do to a live directory, decided before anything is written (oci 10, S2 to S7, S10).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "deploy/live_folder.h"
#include "deploy/managed_files.h"
#include "oci/unpack.h"

namespace windlass {

// Its entries are those of the tree that it was made for.
struct SyncPlan {
  std::vector<const TreeEntry*> folders;  // to be made or to get another mode; parents first
  std::vector<const TreeEntry*> writes;   // files and links to be written
  std::vector<std::string> clear_first;   // managed files where a folder comes, or in a folder where a file comes
  std::vector<std::string> clear_folders_first;  // deepest first
  std::vector<const TreeEntry*> late_folders;    // that can only be made when clear_first is gone; parents first
  std::vector<const TreeEntry*> late_writes;     // what is in them
  std::vector<std::string> deletes;              // managed files that the release no longer has
  std::vector<std::string> delete_folders;  // managed folders it no longer has, if they are empty then; deepest first
  std::set<std::string> drift;              // S10

  bool is_empty() const {
    return folders.empty() && writes.empty() && clear_first.empty() && clear_folders_first.empty() &&
           late_folders.empty() && late_writes.empty() && deletes.empty() && delete_folders.empty();
  }
};

// What a sync of `entries` that was cut short left on disk: what it had written counts as managed from now on, what it
// had only prepared is dropped (S8).
Status adopt_written(LiveFolder& disk, const std::vector<TreeEntry>& entries, ManagedFiles& managed);

// Of files that were being written in place nobody knows what they hold: it is no edit by hand.
Status disown_half_written(const LiveFolder& disk, const std::set<std::string>& paths, ManagedFiles& managed);

// What no release put there, at most `count_max` paths: the top of each tree only. What cannot be read is left out.
std::vector<std::string> foreign_entries(const LiveFolder& disk, const ManagedFiles& managed, std::size_t count_max);

// `reserved`: live directories of other sources below this one, whose files `managed` does not name. Errors name the
// path: an entry where another live directory lies, a file where a folder with somebody else's data is, a folder where
// somebody else's file or link is (S7).
Result<SyncPlan> plan_sync(const LiveFolder& disk, const ManagedFiles& managed, const UnpackedTree& tree,
                           const std::vector<std::string>& reserved, bool force);

}  // namespace windlass
