#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
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

// Every function gives 0 or an errno. Whatever a name is, what it points to stays.
class TreeRemoval {
 public:
  int remove(int parent, const char* name) {
    if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return 0;
    if (errno != EISDIR && errno != EPERM) return errno;  // POSIX allows EPERM for a folder
    const int unlink_code = errno;
    do {
      has_moved_ = false;
      const auto folder = open_folder(parent, name);
      if (!folder) return errno == ENOTDIR || errno == ELOOP ? unlink_code : errno;
      top_ = ::dirfd(folder.get());
      if (const int code = remove_content(folder.get(), 1)) return code;
    } while (has_moved_);
    return remove_folder(parent, name);
  }

 private:
  int remove_content(DIR* folder, int depth) {
    while (true) {
      errno = 0;
      const dirent* entry = ::readdir(folder);
      if (entry == nullptr) return errno;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (const int code = remove_entry(::dirfd(folder), entry->d_name, depth)) return code;
    }
  }

  int remove_entry(int parent, const char* name, int depth) {
    if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return 0;
    if (errno != EISDIR && errno != EPERM) return errno;
    const int unlink_code = errno;
    if (depth == kDepthMax) return move_to_top(parent, name);
    {
      const auto folder = open_folder(parent, name);
      if (!folder) return errno == ENOTDIR || errno == ELOOP ? unlink_code : errno;
      if (const int code = remove_content(folder.get(), depth + 1)) return code;
    }
    return remove_folder(parent, name);
  }

  static int remove_folder(int parent, const char* name) {
    return ::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
  }

  int move_to_top(int parent, const char* name) {
    const auto free_name = ".windlass-" + to_hex(random_bytes(16));
    if (::renameat(parent, name, top_, free_name.c_str()) != 0) return errno;
    has_moved_ = true;
    return 0;
  }

  int top_ = -1;
  bool has_moved_ = false;
};

}  // namespace

Status remove_tree(const std::filesystem::path& folder) {
  if (const int code = TreeRemoval().remove(AT_FDCWD, folder.c_str()); code != 0 && code != ENOENT)
    return tl::unexpected(system_error("removing " + folder.string(), code));
  return {};
}

}  // namespace windlass
