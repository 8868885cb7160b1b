// The folder `.windlass` below the data folder: state of record, content store, staging (design 5). Mode 0700.
#pragma once

#include <filesystem>

#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"
#include "sys/files.h"

namespace windlass {

class StateFolder {
 public:
  // Makes the folder and takes its lock. Errors: Kind::not_found when the
  // data folder is not there, Kind::denied when it cannot be written, Kind::conflict "data directory is in use by pid
  // …" (reliability/F26).
  static Result<StateFolder> open(const std::filesystem::path& data_dir);

  std::filesystem::path state_file() const { return folder_ / "state.db"; }
  std::filesystem::path blobs() const { return folder_ / "oci/blobs"; }
  // `serve --rebuild-state`: a damaged state file is moved aside, to be rebuilt once the engine answers. Nothing
  // happens to one that is whole. Kind::conflict when a newer windlass wrote it.
  Status set_damaged_aside(const Log& log) const;
  // Set aside and not rebuilt yet, by this process or an earlier one.
  bool awaits_rebuild() const;
  Status end_rebuild() const;
  // Removes what the last process left unpacked (reliability/F6). After syncs that were cut short are complete.
  Status clear_staging() const;
  // The key of this installation for hashes of what may be secret; made on first use (deploy/N9).
  Result<Secret> hash_key() const;

 private:
  StateFolder(std::filesystem::path folder, FileLock lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}

  std::filesystem::path folder_;
  FileLock lock_;  // held as long as the process lives
};

}  // namespace windlass
