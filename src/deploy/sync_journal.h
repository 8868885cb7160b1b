// A sync that is under way, on disk: what a start after a crash needs to complete it (oci 10, S8).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/digest.h"
#include "oci/unpack.h"

namespace windlass {

struct PendingSync {
  std::string live_path;
  Digest digest;
  bool force = false;
  UnpackedTree tree;
};

class SyncJournal {
 public:
  explicit SyncJournal(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // On disk before it returns.
  Status write(const std::string& live_path, const Digest& digest, bool force, const UnpackedTree& tree) const;
  Status remove(const std::string& live_path) const;
  // That of a sync which was cut short; nothing if there is none or it cannot be read as one.
  Result<std::optional<PendingSync>> find(const std::string& live_path) const;
  // All that were not removed; files that are no journals are left out.
  Result<std::vector<PendingSync>> pending() const;

 private:
  std::filesystem::path file_of(const std::string& live_path) const;
  std::filesystem::path folder_;
};

}  // namespace windlass
