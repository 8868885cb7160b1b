// Files and folders: whole reads with a limit, writes that are either old or new, opens that stay beneath a folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace windlass {

// A file descriptor with an owner.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~FileDescriptor() { reset(); }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

// "no space left on device" and the like, as the kernel names errno `code`; the kind fits it: not_found, denied,
// unavailable (disk full, too many open files), else internal.
Error system_error(std::string_view doing, int code);

// The whole file; Kind::invalid when it is larger than `bytes_max`.
Result<std::string> read_file(const std::filesystem::path& file, std::uint64_t bytes_max);

// What tells that a file was changed or replaced.
struct FileStamp {
  std::uint64_t inode = 0;
  std::int64_t size_bytes = 0, seconds = 0, nanoseconds = 0;
  bool operator==(const FileStamp&) const = default;
};
// Nothing when there is no such file.
std::optional<FileStamp> stamp_of(const std::filesystem::path& file);

// Temporary file beside it, fsync, rename, fsync of the folder: readers see the old or the new content.
Status write_file(const std::filesystem::path& file, std::string_view content, unsigned mode = 0600);

// The same with content that is not in memory whole: `next` gives piece after piece, and an empty one at the end. Its
// error ends the writing and is returned; the old content stays.
Status write_pieces(const std::filesystem::path& file, const std::function<Result<std::string_view>()>& next,
                    unsigned mode = 0600);

// openat2() beneath the open folder `root`, through no link at any step; "" is the folder itself. Where openat2() is
// not to be had, the same one part at a time. errno tells why when the result is not valid.
FileDescriptor open_without_links(int root, const std::string& path, std::uint64_t flags, unsigned mode = 0);

// Opens `path` (relative) beneath the folder `root`; a component or the last part that is a link which leaves the root
// is an error (openat2 RESOLVE_BENEATH). Read only.
Result<FileDescriptor> open_beneath(const std::filesystem::path& root, std::string_view path);
// The whole file of open_beneath(); regular files only.
Result<std::string> read_file_beneath(const std::filesystem::path& root, std::string_view path,
                                      std::uint64_t bytes_max);

// The folder and its parents, each made with `mode`.
Status make_folders(const std::filesystem::path& folder, unsigned mode = 0700);

// Writes all of `bytes` where `fd` stands. 0, or errno.
[[nodiscard]] int write_all(int fd, std::string_view bytes);

// Flushes a folder's entries to disk.
Status sync_folder(const std::filesystem::path& folder);

// Hands over what `fd` holds from where it stands to its end, piece by piece, and no more than `bytes_max` of it.
// `name`: for the message of an error.
Status read_pieces(int fd, std::string_view name, const std::function<void(std::string_view)>& take,
                   std::uint64_t bytes_max = std::numeric_limits<std::uint64_t>::max());

// Copies the next `bytes` of one file to another, in the kernel where it can.
Status copy_bytes(int from, int to, std::uint64_t bytes);

// Removes a tree, however deep, without following links; not there is fine. An error names the first entry that could
// not be removed; everything else is gone.
Status remove_tree(const std::filesystem::path& folder);

// An exclusive lock on a file, held as long as the object lives. Kind::conflict with the holder's pid, which the file
// keeps, when another process has it: "<what> is in use by pid 12".
class FileLock {
 public:
  static Result<FileLock> take(const std::filesystem::path& file, std::string_view what);

 private:
  explicit FileLock(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

}  // namespace windlass
