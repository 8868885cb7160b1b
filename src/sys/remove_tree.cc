#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

// So many folders are open at once. What lies deeper is moved to the top and has its turn there: others may have made
// trees as deep as they like, and descriptors and path lengths are bounded.
constexpr int kDepthMax = 32;

using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;

Folder open_folder(int parent, const char* name) {
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  Folder folder(fd < 0 ? nullptr : ::fdopendir(fd), ::closedir);
  if (fd >= 0 && !folder) {
    const int code = errno;
    ::close(fd);
    errno = code;
  }
  return folder;
}

// Whatever a name is, what it points to stays. What cannot be removed keeps nothing else from going.
class TreeRemoval {
 public:
  explicit TreeRemoval(const std::filesystem::path& folder) : path_(folder.string()) {}

  Status run() {
    const std::string name = path_;
    do {
      has_moved_ = false;
      remove(AT_FDCWD, name.c_str(), 0);
    } while (has_moved_);
    return done_;
  }

 private:
  // `depth` of the entry: folders that are open above it.
  void remove(int parent, const char* name, int depth) {
    if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return;
    const int unlink_code = errno;
    if (unlink_code != EISDIR && unlink_code != EPERM) return failed(unlink_code);  // POSIX allows EPERM for a folder
    if (depth == kDepthMax) return move_to_top(parent, name);
    if (const auto folder = open_folder(parent, name)) {
      if (depth == 0) top_ = ::dirfd(folder.get());
      remove_content(folder.get(), depth + 1);
    } else if (errno != ENOENT) {
      return failed(errno == ENOTDIR || errno == ELOOP ? unlink_code : errno);
    }
    if (depth == 0 && has_moved_) return;  // has its next turn
    if (::unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT) failed(errno);
  }

  void remove_content(DIR* folder, int depth) {
    while (true) {
      errno = 0;
      const dirent* entry = ::readdir(folder);
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      const auto length = path_.size();
      path_.append("/").append(name);
      remove(::dirfd(folder), entry->d_name, depth);
      path_.resize(length);
    }
    if (errno != 0) failed(errno);
  }

  void move_to_top(int parent, const char* name) {
    const auto free_name = ".windlass-" + to_hex(random_bytes(16));
    if (::renameat(parent, name, top_, free_name.c_str()) != 0) return failed(errno);
    has_moved_ = true;
  }

  // The first one is told: those above it cannot go because of it.
  void failed(int code) {
    if (done_) done_ = tl::unexpected(system_error("removing " + path_, code));
  }

  std::string path_;  // of the entry in hand
  Status done_;
  int top_ = -1;
  bool has_moved_ = false;
};

}  // namespace

Status remove_tree(const std::filesystem::path& folder) { return TreeRemoval(folder).run(); }

}  // namespace windlass
