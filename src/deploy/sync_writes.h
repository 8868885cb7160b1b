// How a plan for a live directory is carried out: in two halves, so that what can fail fails before anything live
// changes.
#pragma once

#include <set>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "deploy/live_folder.h"
#include "deploy/sync_plan.h"
#include "oci/unpack.h"

namespace windlass {

// S4: everything is written beside its place and on disk before the first name changes, so that a full disk is noticed
// while the live files are still as they were (S12). On an error what was made is gone again.
Status prepare_sync(LiveFolder& disk, const SyncPlan& plan, const UnpackedTree& tree, const Deadline& deadline);

// S5: files, deletions, folders that are empty now; before them what stands in the way of another kind of entry. Files
// in `same_files` keep their inode where they can. After an error the directory is mixed. Kind::conflict: somebody
// wrote where a file is to stand.
Status put_in_place(LiveFolder& disk, const SyncPlan& plan, const std::set<std::string>& same_files,
                    const UnpackedTree& tree, const Deadline& deadline);

}  // namespace windlass
