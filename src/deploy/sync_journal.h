// A sync that is under way, on disk: what a start after a crash needs to complete it (oci 10, S8).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "deploy/live_directory.h"
#include "model/digest.h"
#include "oci/unpack.h"

namespace windlass {

struct PendingSync {
  std::string live_path;
  Digest digest;
  SyncOptions options;
  UnpackedTree tree;
};

class SyncJournal {
 public:
  SyncJournal(std::filesystem::path folder, Log log) : folder_(std::move(folder)), log_(std::move(log)) {}

  // On disk before it returns. Kind::invalid if it would be too large to be read again.
  Status write(const std::string& live_path, const Digest& digest, const SyncOptions& options,
               const UnpackedTree& tree) const;
  Status remove(const std::string& live_path) const;
  // That of a sync which was cut short; nothing if there is none. One that is no journal is logged and set aside, under
  // a name that ends in ".unreadable".
  Result<std::optional<PendingSync>> find(const std::string& live_path) const;
  // All that were not removed and can be read; the others are logged, and set aside if they are no journals.
  Result<std::vector<PendingSync>> pending() const;

 private:
  std::filesystem::path file_of(const std::string& live_path) const;
  Result<std::optional<PendingSync>> read(const std::filesystem::path& file) const;
  void set_aside(const std::filesystem::path& file, const Error& why) const;

  std::filesystem::path folder_;
  Log log_;
};

}  // namespace windlass
