// The trusted root that OCI_TRUSTED_ROOT_FILE names (oci 11.6).
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "sigstore/trusted_root.h"
#include "sys/files.h"

namespace windlass {

class TrustedRootFile {
 public:
  // Without a path there is no root.
  explicit TrustedRootFile(std::filesystem::path path) : path_(std::move(path)) {}

  // As the file is now: it is read again when it has changed. Kind::not_found without a file, Kind::invalid for one
  // that is no trusted root; neither is remembered, and an older root never stands in for one that cannot be read.
  Result<std::shared_ptr<const TrustedRoot>> current();

 private:
  const std::filesystem::path path_;
  std::mutex mutex_;  // guards what follows
  std::optional<FileStamp> stamp_;
  std::shared_ptr<const TrustedRoot> root_;
};

}  // namespace windlass
