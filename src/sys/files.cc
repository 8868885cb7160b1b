#include "sys/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

Kind kind_of(int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return Kind::not_found;
    case EACCES:
    case EPERM:
      return Kind::denied;
    case ENOSPC:
    case EDQUOT:
    case EROFS:  // a remount away from working again
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
      return Kind::unavailable;
    default:
      return Kind::internal;
  }
}

// open(2) that a signal does not disturb. O_NONBLOCK: a FIFO in the place of a file must not hold us for ever.
FileDescriptor open_for_reading(int folder, const char* path, int flags) {
  int fd;
  do fd = ::openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
  while (fd < 0 && errno == EINTR);
  return FileDescriptor(fd);
}

Result<std::string> read_all(int fd, const std::string& name, std::uint64_t bytes_max) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return tl::unexpected(system_error("reading " + name, errno));
  const auto too_large = [&] {
    return fail(Kind::invalid, fmt::format("{} is larger than {} bytes", name, bytes_max));
  };
  if (S_ISREG(status.st_mode) && static_cast<std::uint64_t>(status.st_size) > bytes_max) return too_large();

  std::string content;
  content.reserve(static_cast<std::size_t>(status.st_size));
  char buffer[16384];
  while (true) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected(system_error("reading " + name, errno));
    if (got == 0) return content;
    if (content.size() + static_cast<std::size_t>(got) > bytes_max) return too_large();
    content.append(buffer, static_cast<std::size_t>(got));
  }
}

// Gone at the end, unless it has got its name.
struct TemporaryFile {
  explicit TemporaryFile(fs::path at) : path(std::move(at)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!path.empty()) ::unlink(path.c_str());
  }
  fs::path path;
};

// Kernels before 5.6 do not know openat2(), and older sandboxes forbid it, Docker 20.10's among them.
bool is_refused_openat2(int code) { return code == ENOSYS || code == EPERM; }

// What openat2() does, one part at a time, and through no link at all.
FileDescriptor open_part_by_part(int root, std::string_view path, int flags, unsigned mode = 0) {
  std::vector<std::string> parts;
  for (const auto part : split(path, '/'))
    if (!part.empty() && part != ".") parts.emplace_back(part);
  if (path.starts_with('/') || std::find(parts.begin(), parts.end(), "..") != parts.end()) {
    errno = EXDEV;
    return {};
  }
  if (parts.empty()) parts.emplace_back(".");
  FileDescriptor opened;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool is_last = i + 1 == parts.size();
    const int how = O_CLOEXEC | O_NOFOLLOW | (is_last ? flags : O_RDONLY | O_DIRECTORY);
    int fd;
    do fd = ::openat(i == 0 ? root : opened.get(), parts[i].c_str(), how, mode);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) return {};
    opened = FileDescriptor(fd);
  }
  return opened;
}

// Bytes copied, 0 at the end of `from`, -1 with errno.
ssize_t copy_piece(int from, int to, std::string& buffer, std::uint64_t bytes) {
  buffer.resize(64 << 10);
  const ssize_t got = ::read(from, buffer.data(), std::min<std::uint64_t>(buffer.size(), bytes));
  for (ssize_t done = 0; done < got;) {
    const ssize_t wrote = ::write(to, buffer.data() + done, static_cast<std::size_t>(got - done));
    if (wrote < 0 && errno != EINTR) return -1;
    if (wrote > 0) done += wrote;
  }
  return got;
}

}  // namespace

void FileDescriptor::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Error system_error(std::string_view doing, int code) {
  char buffer[256];
  std::string name = ::strerror_r(code, buffer, sizeof buffer);
  if (!name.empty()) name[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[0])));
  return {kind_of(code), fmt::format("{}: {}", doing, name)};
}

Result<std::string> read_file(const fs::path& file, std::uint64_t bytes_max) {
  const FileDescriptor fd = open_for_reading(AT_FDCWD, file.c_str(), 0);
  if (!fd.valid()) return tl::unexpected(system_error("reading " + file.string(), errno));
  return read_all(fd.get(), file.string(), bytes_max);
}

std::optional<FileStamp> stamp_of(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  return FileStamp{status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

Status write_file(const fs::path& file, std::string_view content, unsigned mode) {
  const auto next = [&]() -> Result<std::string_view> { return std::exchange(content, std::string_view()); };
  return write_pieces(file, next, mode);
}

Status write_pieces(const fs::path& file, const std::function<Result<std::string_view>()>& next, unsigned mode) {
  // Its own short name: the file's may be 255 bytes long already.
  const fs::path beside = file.parent_path() / (".windlass-" + to_hex(random_bytes(8)) + ".tmp");
  const FileDescriptor fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) return tl::unexpected(system_error("writing " + file.string(), errno));
  TemporaryFile temporary(beside);
  std::uint64_t bytes = 0;
  const auto failed = [&](int code) {
    return tl::unexpected(system_error(fmt::format("writing {} ({} bytes)", file.string(), bytes), code));
  };
  for (;;) {
    const auto piece = next();
    if (!piece) return tl::unexpected(piece.error());
    if (piece->empty()) break;
    bytes += piece->size();
    if (const int code = write_all(fd.get(), *piece); code != 0) return failed(code);
  }
  // open() lets the umask take bits of the mode away
  if (::fchmod(fd.get(), mode) != 0 || ::fsync(fd.get()) != 0 || ::rename(beside.c_str(), file.c_str()) != 0)
    return failed(errno);
  temporary.path.clear();
  return sync_folder(file.has_parent_path() ? file.parent_path() : ".");
}

FileDescriptor open_without_links(int root, const std::string& path, std::uint64_t flags, unsigned mode) {
  open_how how{};
  how.flags = flags | O_CLOEXEC | O_NOFOLLOW;
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  FileDescriptor fd(
      static_cast<int>(::syscall(SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof how)));
  if (!fd.valid() && is_refused_openat2(errno)) return open_part_by_part(root, path, static_cast<int>(flags), mode);
  return fd;
}

Result<FileDescriptor> open_beneath(const fs::path& root, std::string_view path) {
  const std::string name = (root / path).string();
  const FileDescriptor folder = open_for_reading(AT_FDCWD, root.c_str(), O_DIRECTORY);
  if (!folder.valid()) return tl::unexpected(system_error("opening " + root.string(), errno));

  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const std::string relative(path);
  FileDescriptor fd;
  for (int attempt = 0; attempt < 32 && !fd.valid(); ++attempt) {
    fd = FileDescriptor(static_cast<int>(::syscall(SYS_openat2, folder.get(), relative.c_str(), &how, sizeof how)));
    if (!fd.valid() && errno != EAGAIN && errno != EINTR) break;  // EAGAIN: something was renamed meanwhile
  }
  if (!fd.valid() && is_refused_openat2(errno)) fd = open_part_by_part(folder.get(), path, O_RDONLY | O_NONBLOCK);
  if (fd.valid()) return fd;
  if (errno == EXDEV) return fail(Kind::invalid, fmt::format("{} leads out of {}", name, root.string()));
  if (errno == ELOOP) return fail(Kind::invalid, fmt::format("{} is a link that cannot be followed", name));
  return tl::unexpected(system_error("opening " + name, errno));
}

Result<std::string> read_file_beneath(const fs::path& root, std::string_view path, std::uint64_t bytes_max) {
  auto fd = open_beneath(root, path);
  if (!fd) return tl::unexpected(fd.error());
  const std::string name = (root / path).string();
  struct stat status {};
  if (::fstat(fd->get(), &status) != 0) return tl::unexpected(system_error("reading " + name, errno));
  if (!S_ISREG(status.st_mode)) return fail(Kind::invalid, name + " is not a regular file");
  return read_all(fd->get(), name, bytes_max);
}

Status make_folders(const fs::path& folder, unsigned mode) {
  fs::path made;
  for (const auto& part : folder) {
    made /= part;
    if (::mkdir(made.c_str(), mode) == 0) {
      if (::chmod(made.c_str(), mode) != 0) return tl::unexpected(system_error("making " + made.string(), errno));
      continue;
    }
    const int code = errno;  // EROFS and EACCES come before EEXIST for some parents that are there
    struct stat status {};
    if (::stat(made.c_str(), &status) != 0) return tl::unexpected(system_error("making " + made.string(), code));
    if (!S_ISDIR(status.st_mode)) return fail(Kind::conflict, made.string() + " is not a folder");
  }
  return {};
}

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

Status sync_folder(const fs::path& folder) {
  const FileDescriptor fd = open_for_reading(AT_FDCWD, folder.c_str(), O_DIRECTORY);
  if (!fd.valid() || ::fsync(fd.get()) != 0) return tl::unexpected(system_error("flushing " + folder.string(), errno));
  return {};
}

Status read_pieces(int fd, std::string_view name, const std::function<void(std::string_view)>& take,
                   std::uint64_t bytes_max) {
  constexpr std::size_t bytes = 64 << 10;
  const auto buffer = std::make_unique_for_overwrite<char[]>(bytes);  // most files are small: do not fill it first
  for (auto left = bytes_max; left > 0;) {
    const ssize_t got = ::read(fd, buffer.get(), std::min<std::uint64_t>(bytes, left));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected(system_error(fmt::format("reading {}", name), errno));
    if (got == 0) return {};
    take({buffer.get(), static_cast<std::size_t>(got)});
    left -= static_cast<std::uint64_t>(got);
  }
  return {};
}

Status copy_bytes(int from, int to, std::uint64_t bytes) {
  bool in_kernel = true;
  std::string buffer;
  for (auto left = bytes; left > 0;) {
    auto copied =
        in_kernel ? ::copy_file_range(from, nullptr, to, nullptr, left, 0) : copy_piece(from, to, buffer, left);
    if (copied < 0 && errno == EINTR) continue;
    // file systems that cannot, or not between each other, and kernels before 5.3
    if (copied < 0 && in_kernel && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)) {
      in_kernel = false;
      continue;
    }
    if (copied < 0) return tl::unexpected(system_error("copying", errno));
    if (copied == 0)
      return fail(Kind::internal, fmt::format("copying: ends after {} of {} bytes", bytes - left, bytes));
    left -= static_cast<std::uint64_t>(copied);
  }
  return {};
}

Result<FileLock> FileLock::take(const fs::path& file, std::string_view what) {
  FileDescriptor fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return tl::unexpected(system_error("locking " + file.string(), errno));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    const int code = errno;
    if (code != EWOULDBLOCK) return tl::unexpected(system_error("locking " + file.string(), code));
    auto holder = read_all(fd.get(), file.string(), 64);
    const std::string pid = holder ? std::string(trim(*holder)) : "";
    return fail(Kind::conflict, fmt::format("{} is in use by pid {}", what, pid.empty() ? "?" : pid));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), pid.data(), pid.size(), 0) < 0)
    return tl::unexpected(system_error("locking " + file.string(), errno));
  return FileLock(std::move(fd));
}

}  // namespace windlass
