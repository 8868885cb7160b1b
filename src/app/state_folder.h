// The folder `.windlass` below the data folder: state of record, content store, staging (design 5). Mode 0700.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"
#include "sys/files.h"

namespace windlass {

class StateFolder {
 public:
  // Kind::not_found when the data folder is not there. Touches nothing.
  static Status check(const std::filesystem::path& data_dir);
  // Makes the folder and takes its lock. Errors: that of check(), Kind::denied when it cannot be written,
  // Kind::conflict "DATA_MOUNT_PATH: data directory … is in use by pid …" (reliability/F26).
  static Result<StateFolder> open(const std::filesystem::path& data_dir);

  std::filesystem::path state_file() const { return folder_ / "state.db"; }
  // driver/handover.h. By the data folder for the helper, which may not take the lock.
  std::filesystem::path handover() const { return handover_below(folder_.parent_path()); }
  static std::filesystem::path handover_below(const std::filesystem::path& data_dir) {
    return data_dir / ".windlass/handover";
  }
  std::filesystem::path blobs() const { return folder_ / "oci/blobs"; }
  // Where decrypted files lie while they are used on a machine without tmpfs.
  std::filesystem::path plain_text() const { return folder_ / "run"; }
  // Why the last of what the state file took may be lost, "" if nothing says so: the process before did not end well,
  // and the write-ahead log that it must have left is gone or is none (reliability/F25). Before the file is opened.
  std::string lost_log() const;

  // `serve --rebuild-state`: a damaged state file is moved aside, to be rebuilt once the engine answers. Nothing
  // happens to one that is whole. Kind::conflict when a newer windlass wrote it.
  Status set_damaged_aside(const Log& log) const;
  // Set aside and not rebuilt yet, by this process or an earlier one.
  bool awaits_rebuild() const;
  Status end_rebuild() const;
  // Removes what the last process left unpacked (reliability/F6). After syncs that were cut short are complete. An
  // error names one thing that could not be removed; everything else is gone.
  Status clear_staging() const;
  // The key of this installation for hashes of what may be secret; made on first use (deploy/N9).
  Result<Secret> hash_key() const;

 private:
  // A file that is there while a process is at work: what was killed leaves it.
  class Mark {
   public:
    explicit Mark(std::filesystem::path file) : file_(std::move(file)) {}
    Mark(Mark&& other) noexcept : file_(std::exchange(other.file_, {})) {}
    Mark& operator=(Mark&&) = delete;
    ~Mark();

   private:
    std::filesystem::path file_;
  };

  StateFolder(std::filesystem::path folder, FileLock lock, bool ended_well, Mark mark)
      : folder_(std::move(folder)), lock_(std::move(lock)), ended_well_(ended_well), mark_(std::move(mark)) {}

  std::filesystem::path folder_;
  FileLock lock_;    // held as long as the process lives
  bool ended_well_;  // the process before
  Mark mark_;
};

}  // namespace windlass
