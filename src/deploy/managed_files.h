// Which live directory belongs to whom, and which of its files a release put there (oci 9, 10).
#pragma once

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "oci/unpack.h"
#include "sys/sqlite.h"

namespace windlass {

// An entry of a release as it was written: what it was made from, and how it looked on disk then.
struct ManagedFile {
  TreeEntry entry;
  std::int64_t disk_size_bytes = 0;
  std::int64_t disk_mtime_ns = 0;
};

// What releases put into one directory, sorted by path. No map, which takes half as much again: that of a large release
// is in memory beside the release that comes.
class ManagedFiles {
 public:
  ManagedFiles() = default;
  // Of files that are sorted by path, each once.
  explicit ManagedFiles(std::vector<ManagedFile> files) : files_(std::move(files)) {}

  auto begin() const { return files_.begin(); }
  auto end() const { return files_.end(); }
  const ManagedFile* find(std::string_view path) const;  // null: there is none
  std::span<const ManagedFile> below(const std::string& folder) const;

  // Adds files that are sorted by path, each once; one that is there already is replaced.
  void put(std::vector<ManagedFile> files);
  // The path, and what is below it.
  void forget(const std::string& path);

 private:
  std::vector<ManagedFile>::const_iterator first_from(std::string_view path) const;

  std::vector<ManagedFile> files_;
};

// One to be recorded whose entry is somewhere already: in the tree that was written, or among those of before.
struct ManagedFileRef {
  ManagedFileRef(const ManagedFile& file) : ManagedFileRef(file.entry, file.disk_size_bytes, file.disk_mtime_ns) {}
  ManagedFileRef(const TreeEntry& entry, std::int64_t disk_size_bytes, std::int64_t disk_mtime_ns)
      : entry(entry), disk_size_bytes(disk_size_bytes), disk_mtime_ns(disk_mtime_ns) {}
  ManagedFileRef(ManagedFile&&) = delete;  // it would be gone
  ManagedFileRef(TreeEntry&&, std::int64_t, std::int64_t) = delete;

  const TreeEntry& entry;
  std::int64_t disk_size_bytes;
  std::int64_t disk_mtime_ns;
};

class ManagedFileStore {
 public:
  static Result<std::unique_ptr<ManagedFileStore>> open(std::unique_ptr<Db> db);

  // The path that was given to a source and ref ("<ref>@@context-<name>" on another engine); nothing if none was.
  Result<std::optional<std::string>> path_of(const std::string& source_id, const std::string& ref);
  // The source that owns a path.
  Result<std::optional<std::string>> owner_of(const std::string& path);
  Status give(const std::string& path, const std::string& source_id, const std::string& ref);
  // Nobody's any more, with what it held.
  Status give_back(const std::string& path);
  // All that were given to somebody, sorted.
  Result<std::vector<std::string>> paths();
  // The live directory above `path` whose release put something there, or below it; nothing if there is none.
  Result<std::optional<std::string>> holder_of(const std::string& path);
  // Live directories that lie below this one, relative to it.
  Result<std::vector<std::string>> nested_in(const std::string& path);

  // The digest a directory was last synced to, "" if it never was.
  Result<std::string> digest_of(const std::string& path);
  Result<ManagedFiles> files_of(const std::string& path);
  Status set_files(const std::string& path, const std::string& digest, const std::vector<ManagedFileRef>& files);

 private:
  explicit ManagedFileStore(std::unique_ptr<Db> db) : db_(std::move(db)) {}

  std::mutex mutex_;  // guards db_
  std::unique_ptr<Db> db_;
};

}  // namespace windlass
