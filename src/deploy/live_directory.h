// The live directory: the folder compose projects run from, brought to a release file by file (oci 10, S1 to S12).
//
// Only what differs is written, each file by rename; only what an earlier release put there is ever deleted; a journal
// on disk lets a sync that was cut short be completed before anything else happens to the directory.
//
// Not here: what the files mean, and when a sync is due (deploy/pipeline.h).
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"
#include "oci/unpack.h"
#include "sys/sqlite.h"

namespace windlass {

struct SyncResult {
  std::vector<std::string> changed;  // paths that were written or deleted, relative, sorted
  std::vector<std::string> drift;    // managed files that somebody edited and that were left alone (S10)
};

// Why a sync did not end well, and how it left the files.
struct SyncFailure {
  Error error;
  bool touched;  // files of two releases may lie side by side; false: all are as they were
};
using SyncOutcome = tl::expected<SyncResult, SyncFailure>;

struct SyncOptions {
  bool force = false;  // files that somebody edited are overwritten (S10)
  // Files that stay the same ones on disk while their content changes: containers that mount one file see no other. A
  // crash leaves such a file half written until the sync is completed.
  std::set<std::string> in_place;
};

// Whose files lie there.
struct LiveTenant {
  std::string source_id;
  std::string ref;
  bool ref_is_digest = false;
  std::string context{};  // the Docker context of the engine whose containers see them, "": the default one
};

// The plain path of a source's files on the engine of a Docker context: that of the default engine is as it always was.
// No tag holds an '@', so no reference has the same.
std::string path_on(const std::string& context, const std::string& plain_path);

class LiveDirectories {
 public:
  struct Options {
    std::filesystem::path data_dir;  // DATA_MOUNT_PATH; journals are in .windlass/oci/journal
    Secret hash_key{};               // of this installation: for the hashes of files
  };
  // Creates its tables in `db` if they are not there. `db` is used by one thread at a time, under an own mutex.
  static Result<std::unique_ptr<LiveDirectories>> open(Options options, std::unique_ptr<Db> db, Log log);
  virtual ~LiveDirectories() = default;

  // The live path, relative to the data directory, of a tenant: on each engine (path_on()) the first reference of a
  // source keeps the plain path (oci 9, P6), further tags get "<path>@<tag>", all references by digest together
  // "<path>@@digest". Recorded. Kind::conflict when another kind of source owns the path.
  virtual Result<std::string> path_for(const LiveTenant& tenant, const std::string& plain_path) = 0;

  // The same for somebody who only looks: nothing is recorded.
  virtual Result<std::string> path_to_be(const LiveTenant& tenant, const std::string& plain_path) = 0;

  // The path is known to be this tenant's: on record from now on. Nothing happens if it is on record already.
  virtual Status claim(const LiveTenant& tenant, const std::string& path) = 0;

  // Completes syncs that were cut short; those whose staging is gone are forgotten with a warning: the next run of that
  // source writes the difference again. Then what doco-cd left beside live directories when it died goes (oci 9).
  // Called once at start.
  virtual Status recover() = 0;

  // After a sync to a tree without entries: removes the folder if nothing is left in it, or with all that is in it; the
  // path may then be anybody's. False: something is left. Folders of other live directories inside stay.
  virtual Result<bool> remove(const std::string& live_path, bool with_data) = 0;

  // The files that lie there in plain text while their release has them encrypted (secrets/Q17).
  virtual Result<std::set<std::string>> decrypted_files(const std::string& live_path) = 0;

  // Brings the directory to `tree` (files are taken from tree.root, those whose content mark_plain_content() has marked
  // from tree.plain_root). `digest` names the release. S2: equal to the last synced digest and nothing drifted: nothing
  // is written. Errors before any write: S7 (names the path). After one that touched files, a sync to any release goes
  // on from what it finds. The caller holds the directory's lock (S9).
  [[nodiscard]] virtual SyncOutcome sync(const std::string& live_path, const UnpackedTree& tree, const Digest& digest,
                                         const SyncOptions& options, const Deadline& deadline) = 0;
};

}  // namespace windlass
