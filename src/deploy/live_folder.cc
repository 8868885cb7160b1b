#include "deploy/live_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "base/text.h"
#include "deploy/plain_content.h"
#include "oci/entry_name.h"
#include "sys/content_hash.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

std::string name_of(const std::string& path) { return std::string(base_of(path)); }

// A name that no artifact is likely to use and that a later try finds again.
std::string prepared_name(const std::string& path) {
  return fmt::format(".windlass.{}.tmp", sha256_hex(path).substr(0, 16));
}

// Not there, or no longer in a folder. Anything else says nothing of what is there: there may be no descriptor left.
bool is_absence(int code) { return code == ENOENT || code == ENOTDIR || code == ELOOP; }

constexpr int kIsSpecial = ENXIO;

// A file or folder, else errno is kIsSpecial. Containers may have put a device there, and some act when they are
// opened: a watchdog restarts the machine. So what is there is held first, without being opened, and judged.
FileDescriptor open_plain(int folder, const std::string& path, int flags) {
  const auto held = open_without_links(folder, path, O_PATH);
  struct stat status {};
  if (!held.valid() || ::fstat(held.get(), &status) != 0) return {};
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    errno = kIsSpecial;
    return {};
  }
  // O_NONBLOCK: else a container's lease on the file, F_SETLEASE, holds us for 45 s each time
  return FileDescriptor(::open(fmt::format("/proc/self/fd/{}", held.get()).c_str(), flags | O_NONBLOCK | O_CLOEXEC));
}

}  // namespace

Result<LiveFolder> LiveFolder::open(const std::filesystem::path& data_dir, const std::string& live_path,
                                    const Secret& content_key) {
  FileDescriptor at(::open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!at.valid()) return tl::unexpected(system_error("opening " + data_dir.string(), errno));
  std::string so_far;
  for (const auto part : split(live_path, '/')) {
    so_far += fmt::format("{}{}", so_far.empty() ? "" : "/", part);
    auto next = open_without_links(at.get(), std::string(part), O_RDONLY | O_DIRECTORY);
    if (!next.valid() && errno == ENOENT) {
      if (::mkdirat(at.get(), std::string(part).c_str(), 0700) != 0 && errno != EEXIST)
        return tl::unexpected(system_error("making folder " + so_far, errno));
      next = open_without_links(at.get(), std::string(part), O_RDONLY | O_DIRECTORY);
      // containers read through it, whoever they run as
      if (next.valid() && (::fchmod(next.get(), 0755) != 0 || ::fsync(at.get()) != 0))
        return tl::unexpected(system_error("making folder " + so_far, errno));
    }
    if (!next.valid() && (errno == ELOOP || errno == ENOTDIR))
      return fail(Kind::conflict, fmt::format("{} is a link or a file, not a folder", so_far));
    if (!next.valid()) return tl::unexpected(system_error("opening " + so_far, errno));
    at = std::move(next);
  }
  return LiveFolder(std::move(at), content_key);
}

Result<FileDescriptor> LiveFolder::parent(const std::string& path) const {
  auto folder = open_without_links(fd_.get(), std::string(parent_of(path)), O_RDONLY | O_DIRECTORY);
  if (!folder.valid()) return tl::unexpected(system_error("opening the folder of " + path, errno));
  return folder;
}

Result<std::optional<DiskEntry>> LiveFolder::look(const std::string& path) const {
  const auto folder = open_without_links(fd_.get(), std::string(parent_of(path)), O_RDONLY | O_DIRECTORY);
  struct stat status {};
  if (!folder.valid() || ::fstatat(folder.get(), name_of(path).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (is_absence(errno)) return std::optional<DiskEntry>();
    return tl::unexpected(system_error("looking at " + path, errno));
  }
  DiskEntry entry{.type = S_ISDIR(status.st_mode)   ? EntryType::folder
                          : S_ISLNK(status.st_mode) ? EntryType::link
                                                    : EntryType::file,
                  .mode = status.st_mode & 0777u,
                  .size_bytes = status.st_size,
                  .mtime_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
  entry.is_special = entry.type == EntryType::file && !S_ISREG(status.st_mode);
  return entry;
}

Result<std::string> LiveFolder::link_target(const std::string& path) const {
  auto folder = parent(path);
  if (!folder) return tl::unexpected(folder.error());
  std::string target(4096, '\0');
  const auto size = ::readlinkat(folder->get(), name_of(path).c_str(), target.data(), target.size());
  if (size < 0) return tl::unexpected(system_error("reading link " + path, errno));
  target.resize(static_cast<std::size_t>(size));
  return target;
}

Result<bool> LiveFolder::holds(const TreeEntry& entry) const {
  const auto file = open_plain(fd_.get(), entry.path, O_RDONLY);
  if (!file.valid() && errno == kIsSpecial) return false;
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0)
    return tl::unexpected(system_error("reading " + entry.path, errno));
  if (!S_ISREG(status.st_mode)) return false;
  ContentHash hash(content_key_);
  // A byte too many is another content: a container must not decide how much there is to read, of a sparse file say.
  auto read = read_pieces(
      file.get(), entry.path, [&](std::string_view piece) { hash.update(piece); }, entry.size_bytes + 1);
  if (!read) return tl::unexpected(read.error());
  const auto content = hash.finish_hex();
  return entry.content == (is_plain_content(entry.content) ? mark_plain_content(content) : content);
}

Result<std::vector<std::string>> LiveFolder::names_in(const std::string& folder) const {
  const auto fd = open_without_links(fd_.get(), folder, O_RDONLY | O_DIRECTORY);
  if (!fd.valid()) return tl::unexpected(system_error("opening " + folder, errno));
  const int own = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);  // closedir() closes it
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(own), ::closedir);
  if (!entries) {
    const auto why = errno;
    if (own >= 0) ::close(own);
    return tl::unexpected(system_error("reading folder " + folder, why));
  }
  std::vector<std::string> names;
  while (const auto* entry = ::readdir(entries.get()))
    if (std::string_view name = entry->d_name; name != "." && name != "..") names.emplace_back(name);
  return names;
}

Status LiveFolder::make_folder(const std::string& path, unsigned mode) {
  auto folder = parent(path);
  if (!folder) return tl::unexpected(folder.error());
  if (::mkdirat(folder->get(), name_of(path).c_str(), 0700) != 0 && errno != EEXIST)
    return tl::unexpected(system_error("making folder " + path, errno));
  return set_mode(path, mode);
}

Status LiveFolder::set_mode(const std::string& path, unsigned mode) {
  const auto entry = open_plain(fd_.get(), path, O_RDONLY);
  if (!entry.valid() || ::fchmod(entry.get(), mode) != 0)
    return tl::unexpected(system_error("setting the mode of " + path, errno));
  return {};
}

Status LiveFolder::prepare_file(const std::string& path, int source_root, unsigned mode, bool flush) {
  const auto source = open_without_links(source_root, path, O_RDONLY);
  struct stat status {};
  if (!source.valid() || ::fstat(source.get(), &status) != 0)
    return tl::unexpected(system_error("reading " + path, errno));
  auto folder = parent(path);
  if (!folder) return tl::unexpected(folder.error());
  const auto name = prepared_name(path);
  ::unlinkat(folder->get(), name.c_str(), 0);  // of a try that was cut short
  const FileDescriptor target(
      ::openat(folder->get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!target.valid()) return tl::unexpected(system_error("writing " + path, errno));
  auto done = copy_bytes(source.get(), target.get(), static_cast<std::uint64_t>(status.st_size));
  const timespec times[] = {status.st_mtim, status.st_mtim};
  if (done && (::fchmod(target.get(), mode) != 0 || ::futimens(target.get(), times) != 0 ||
               (flush && ::fsync(target.get()) != 0)))
    done = tl::unexpected(system_error("writing", errno));
  if (done) return {};
  drop_prepared(path);
  return while_doing(path, done.error());
}

Status LiveFolder::prepare_link(const std::string& path, const std::string& target) {
  auto folder = parent(path);
  if (!folder) return tl::unexpected(folder.error());
  const auto name = prepared_name(path);
  ::unlinkat(folder->get(), name.c_str(), 0);
  if (::symlinkat(target.c_str(), folder->get(), name.c_str()) != 0)
    return tl::unexpected(system_error("writing link " + path, errno));
  return {};
}

Status LiveFolder::put_in_place(const std::string& path) {
  auto folder = parent(path);
  if (!folder) return tl::unexpected(folder.error());
  if (::renameat(folder->get(), prepared_name(path).c_str(), folder->get(), name_of(path).c_str()) != 0)
    return tl::unexpected(system_error("putting in place " + path, errno));
  return {};
}

Result<bool> LiveFolder::overwrite(const TreeEntry& entry) {
  const auto& path = entry.path;
  auto folder = parent(path);
  if (!folder) return tl::unexpected(folder.error());
  const auto prepared = prepared_name(path);
  // Containers may have put something else in the place of either, a file without an end, say.
  const auto from = open_plain(folder->get(), prepared, O_RDONLY);
  const auto to = open_plain(folder->get(), name_of(path), O_WRONLY);
  struct stat wanted {
  }, there{};
  if (!from.valid() || !to.valid() || ::fstat(from.get(), &wanted) != 0 || ::fstat(to.get(), &there) != 0 ||
      !S_ISREG(wanted.st_mode) || !S_ISREG(there.st_mode) || there.st_nlink != 1 ||
      wanted.st_size != static_cast<off_t>(entry.size_bytes))
    return false;
  const auto failed = [&](int code) { return tl::unexpected(system_error("writing " + path, code)); };
  // the blocks first, so that a full disk is noticed while the old content is whole
  if (wanted.st_size > there.st_size && ::fallocate(to.get(), FALLOC_FL_KEEP_SIZE, 0, wanted.st_size) != 0 &&
      errno != EOPNOTSUPP && errno != ENOSYS)
    return failed(errno);
  if (auto copied = copy_bytes(from.get(), to.get(), static_cast<std::uint64_t>(wanted.st_size)); !copied)
    return while_doing("writing " + path, copied.error());
  const timespec times[] = {wanted.st_mtim, wanted.st_mtim};
  if (::ftruncate(to.get(), wanted.st_size) != 0 || ::fchmod(to.get(), wanted.st_mode & 0777u) != 0 ||
      ::futimens(to.get(), times) != 0 || ::fsync(to.get()) != 0)
    return failed(errno);
  ::unlinkat(folder->get(), prepared.c_str(), 0);
  return true;
}

void LiveFolder::drop_prepared(const std::string& path) {
  if (auto folder = parent(path)) ::unlinkat(folder->get(), prepared_name(path).c_str(), 0);
}

Status LiveFolder::flush_all() {
  if (::syncfs(fd_.get()) != 0) return tl::unexpected(system_error("writing to disk", errno));
  return {};
}

Status LiveFolder::flush_folder(const std::string& folder) {
  const auto fd = open_without_links(fd_.get(), folder, O_RDONLY | O_DIRECTORY);
  if (!fd.valid() && is_absence(errno)) return {};
  if (!fd.valid() || ::fsync(fd.get()) != 0) return tl::unexpected(system_error("writing folder " + folder, errno));
  return {};
}

Status LiveFolder::remove_file(const std::string& path) {
  const auto folder = open_without_links(fd_.get(), std::string(parent_of(path)), O_RDONLY | O_DIRECTORY);
  if (folder.valid() && ::unlinkat(folder.get(), name_of(path).c_str(), 0) == 0) return {};
  if (is_absence(errno)) return {};
  return tl::unexpected(system_error("removing " + path, errno));
}

bool LiveFolder::remove_folder_if_empty(const std::string& path) {
  auto folder = parent(path);
  return folder && ::unlinkat(folder->get(), name_of(path).c_str(), AT_REMOVEDIR) == 0;
}

Status LiveFolder::move_away(const std::string& path, const std::filesystem::path& to) {
  auto folder = parent(path);
  if (!folder) return tl::unexpected(folder.error());
  if (::renameat(folder->get(), name_of(path).c_str(), AT_FDCWD, to.c_str()) != 0 && errno != ENOENT)
    return tl::unexpected(system_error("moving away " + path, errno));
  return {};
}

}  // namespace windlass
