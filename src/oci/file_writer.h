// Makes the small files of a tree that is being unpacked, on a thread of its own: to make a file takes the kernel as
// long as it takes us to inflate and hash one, and both go on at once.
#pragma once

#include <ctime>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace windlass {

struct NewFile {
  std::string path;  // relative, its folder is there, it is not
  unsigned mode = 0600;
  timespec mtime{};
  std::string bytes;
};

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

  // Takes the file over; it is there after the next drain(). The error, if there is one, is that of the first file that
  // could not be made, perhaps an earlier one; nothing is made after it.
  Status write(NewFile file);
  // Waits until all files are there. The same error, again and again.
  Status drain();

 private:
  Status make(const NewFile& file) const;
  void run(const std::stop_token& stop);

  const int root_;
  int direct_ = 0;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<NewFile> pending_;
  std::size_t pending_bytes_ = 0;  // of those that are in work as well
  std::optional<Error> error_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace windlass
