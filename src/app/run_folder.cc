#include "app/run_folder.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

bool is_in_memory(const fs::path& folder) {
  struct statfs status {};
  return ::statfs(folder.c_str(), &status) == 0 && (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}

// /dev/shm is everybody's: what stands there under our name must be a folder that only we can reach.
Status make_private(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return tl::unexpected(system_error("making folder " + folder.string(), errno));
  struct stat status {};
  if (::lstat(folder.c_str(), &status) != 0) return tl::unexpected(system_error(folder.string(), errno));
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid())
    return fail(Kind::denied, fmt::format("{} is not a folder of this user", folder.string()));
  if (::chmod(folder.c_str(), 0700) != 0) return tl::unexpected(system_error(folder.string(), errno));
  return {};
}

Status open_in(const fs::path& folder) {
  if (auto made = make_private(folder); !made) return made;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (auto removed = remove_tree(entry.path()); !removed) return removed;
  return error ? Status(fail(Kind::internal, fmt::format("{}: {}", folder.string(), error.message()))) : Status();
}

}  // namespace

Result<fs::path> open_run_folder(const fs::path& installation, const fs::path& otherwise, const Log& log) {
  const auto name = "windlass-" + sha256_hex(installation.string()).substr(0, 16);
  std::error_code error;
  if (is_in_memory("/run")) fs::create_directory("/run/windlass", error);
  for (const fs::path place : {"/run/windlass", "/dev/shm"}) {
    if (!is_in_memory(place) || ::access(place.c_str(), W_OK) != 0) continue;
    const auto folder = place / name;
    if (auto opened = open_in(folder); !opened) return tl::unexpected(opened.error());
    return folder;
  }
  log.warning("neither /run nor /dev/shm is in memory: decrypted files lie on disk while they are used",
              {{"folder", otherwise.string()}});
  if (auto opened = open_in(otherwise); !opened) return tl::unexpected(opened.error());
  return otherwise;
}

}  // namespace windlass
