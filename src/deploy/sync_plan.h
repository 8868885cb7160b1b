// What a sync has to do to a live directory, decided before anything is written (oci 10, S2 to S7, S10).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "deploy/live_folder.h"
#include "deploy/managed_files.h"
#include "oci/unpack.h"

namespace windlass {

struct SyncPlan {
  std::vector<const TreeEntry*> folders;  // to be made or to get another mode; parents first
  std::vector<const TreeEntry*> writes;   // files and links to be written
  std::vector<std::string>
      clear_first;  // managed files that stand where a folder comes, or in a folder where a file comes
  std::vector<std::string> clear_folders_first;  // deepest first
  std::vector<std::string> deletes;              // managed files that the release no longer has
  std::vector<std::string> delete_folders;  // managed folders it no longer has, if they are empty then; deepest first
  std::vector<std::string> drift;           // S10

  bool is_empty() const {
    return folders.empty() && writes.empty() && clear_first.empty() && clear_folders_first.empty() && deletes.empty() &&
           delete_folders.empty();
  }
};

// `reserved`: live directories of other sources below this one. Errors name the path: an entry where another live
// directory lies, a file where somebody else's non-empty folder is, a folder where somebody else's file is (S7).
Result<SyncPlan> plan_sync(const LiveFolder& disk, const ManagedFiles& managed, const std::vector<TreeEntry>& entries,
                           const std::vector<std::string>& reserved, bool force);

}  // namespace windlass
