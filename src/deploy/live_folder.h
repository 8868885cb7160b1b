// One live directory on disk: every step is relative to its handle and follows no link, whatever containers or people
// put there (reliability/P16, F28).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "oci/unpack.h"
#include "sys/files.h"

namespace windlass {

// What is at a path now.
struct DiskEntry {
  EntryType type = EntryType::file;
  bool is_special = false;  // a device, pipe or socket
  unsigned mode = 0;
  std::int64_t size_bytes = 0;
  std::int64_t mtime_ns = 0;
};

class LiveFolder {
 public:
  // Below `data_dir`, made if absent with mode 0755. Kind::conflict when a part of the path is a link or a file.
  // `content_key`: of this installation, for the hashes of contents; only holds() needs it.
  static Result<LiveFolder> open(const std::filesystem::path& data_dir, const std::string& live_path,
                                 const Secret& content_key = Secret());

  // Nothing if there is nothing, which is also what stands below a link.
  Result<std::optional<DiskEntry>> look(const std::string& path) const;
  Result<std::string> link_target(const std::string& path) const;
  // Does the regular file at the entry's path hold what the entry says (TreeEntry::content)?
  Result<bool> holds(const TreeEntry& entry) const;
  Result<std::vector<std::string>> names_in(const std::string& folder) const;

  Status make_folder(const std::string& path, unsigned mode);
  Status set_mode(const std::string& path, unsigned mode);
  // Writes beside its place under a name of ours; put_in_place() makes it visible by rename (oci 10, S4).
  Status prepare_file(const std::string& path, int source_root, unsigned mode, bool flush);
  Status prepare_link(const std::string& path, const std::string& target);
  Status put_in_place(const std::string& path);
  // The same through the file that is there, which keeps its inode; is flushed. False if that is no regular file, has
  // other names, or cannot be opened, or what was prepared is not the entry's size: it is then still to be put in
  // place. After an error, so is it; the file may hold half of either content.
  Result<bool> overwrite(const TreeEntry& entry);
  void drop_prepared(const std::string& path);
  Status flush_all();                              // everything written so far is on disk
  Status flush_folder(const std::string& folder);  // its entries are on disk; not there is fine

  Status remove_file(const std::string& path);
  // True if it was there and empty and is gone now.
  bool remove_folder_if_empty(const std::string& path);
  // Moves the entry, folders with all they hold, to a path outside that is free; not there is fine.
  Status move_away(const std::string& path, const std::filesystem::path& to);

 private:
  LiveFolder(FileDescriptor fd, const Secret& content_key) : fd_(std::move(fd)), content_key_(content_key) {}
  Result<FileDescriptor> parent(const std::string& path) const;

  FileDescriptor fd_;
  Secret content_key_;
};

}  // namespace windlass
