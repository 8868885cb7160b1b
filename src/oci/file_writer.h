// Hashes and makes the small files of a tree that is being unpacked, on a thread of its own and on that of whoever adds
// them: a file costs more to hash and to make than to inflate, so who adds files makes some when too many wait.
#pragma once

#include <ctime>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"
#include "oci/unpack.h"

namespace windlass {

struct NewFile {
  TreeEntry& entry;  // its folder is there, it is not; `content` and `has_cipher_text` are set from the bytes
  std::int64_t mtime_unix = 0;
  std::string bytes;
};

// The time a file gets. Reproducible archives give every file the same second. A tool that goes by size and time, as
// BuildKit does, would not see a file of the same size change; the part below a second, which archives do not hold,
// tells it. `sha256`: hex.
timespec time_of(std::int64_t mtime_unix, const std::string& sha256);

// Why a new entry could not be made, from errno. One that is there although the artifact has none of that name: the
// file system takes two names for one (oci 8), Kind::invalid.
Error creation_error(const std::string& path, int code);

class FileWriter {
 public:
  static constexpr std::size_t kFileBytesMax = 128 << 10;     // larger ones are not worth a copy in memory
  static constexpr std::size_t kPendingBytesMax = 768 << 10;  // then write() waits
  static constexpr int kDirectFiles = 32;                     // so few are not worth a thread

  // `root`: an open folder that outlives the writer.
  explicit FileWriter(int root) : root_(root) {}
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  // Takes the file over, whose entry outlives the next drain(); it is there and its entry is complete after that. The
  // error, if there is one, is that of the first file known to have failed, perhaps an earlier one; no file that waited
  // then is made.
  Status write(NewFile file);
  // Waits until all files are there. The error of the first file that could not be made, again and again.
  Status drain();

 private:
  // By the order in which they were added.
  struct Waiting {
    std::uint64_t number;
    NewFile file;
  };
  Status make(NewFile& file) const;
  void make_first(std::unique_lock<std::mutex>& lock);
  void run(const std::stop_token& stop);
  Status first_error() const { return error_number_ ? Status(tl::unexpected(error_)) : Status(); }

  const int root_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Waiting> pending_;
  std::size_t pending_bytes_ = 0;  // of those that are in work as well
  std::uint64_t added_ = 0;
  std::uint64_t error_number_ = 0;  // of the file with that error; 0: none
  Error error_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace windlass
