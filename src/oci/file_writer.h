// Hashes and makes the small files of a tree that is being unpacked, on a thread of its own: to make a file takes the
// kernel as long as it takes us to inflate one, and both go on at once. Whichever thread is ahead hashes; files are
// made by one alone, as two would wait for each other's folder.
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
#include "oci/unpack.h"
#include "sys/content_hash.h"

namespace windlass {

struct NewFile {
  const std::string& path;  // its folder is there, it is not
  TreeEntry& entry;         // `content` and `has_cipher_text` are set from the bytes; its own path does not count
  std::int64_t mtime_unix = 0;
  std::string bytes;
};

// The time a file gets. Reproducible archives give every file the same second. A tool that goes by size and time, as
// BuildKit does, would not see a file of the same size change; the part below a second, which archives do not hold,
// tells it. `content`: the hash of the file, hex.
timespec time_of(std::int64_t mtime_unix, const std::string& content);

// Why a new entry could not be made, from errno. One that is there although the artifact has none of that name: the
// file system takes two names for one (oci 8), Kind::invalid.
Error creation_error(const std::string& path, int code);

class FileWriter {
 public:
  static constexpr std::size_t kFileBytesMax = 128 << 10;     // larger ones are not worth a copy in memory
  static constexpr std::size_t kPendingBytesMax = 768 << 10;  // then write() waits
  static constexpr int kDirectFiles = 32;                     // so few are not worth a thread

  // `root`: an open folder that outlives the writer. `key`: for the hashes of contents.
  FileWriter(int root, const Secret& key) : root_(root), hash_of_caller_(key), hash_of_thread_(key) {}
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  // Takes the file over, whose path and entry outlive the next drain(); after that it is there and its entry complete.
  // The error, if there is one, is that of the first file that could not be made, perhaps an earlier one; nothing is
  // made after it.
  Status write(NewFile file);
  // Waits until all files are there. The same error, again and again.
  Status drain();

 private:
  Status hash_and_make(const NewFile& file, ContentHash& hash) const;
  Status make(const NewFile& file) const;
  void run(const std::stop_token& stop);

  const int root_;
  ContentHash hash_of_caller_, hash_of_thread_;
  int direct_ = 0;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<NewFile> pending_;
  std::size_t pending_bytes_ = 0;  // of those that are in work as well
  std::optional<Error> error_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace windlass
