#include "oci/file_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/files.h"

namespace windlass {
namespace {

// What one takes besides its content: many empty ones must not pile up either.
constexpr std::size_t kFileCost = 256;

std::size_t cost_of(const NewFile& file) { return file.bytes.size() + kFileCost; }

}  // namespace

Error creation_error(const std::string& path, int code) {
  if (code != EEXIST) return system_error("creating " + path, code);
  return {Kind::invalid,
          fmt::format("creating {}: the file system takes its name for that of another entry, as those do that ignore "
                      "case",
                      path)};
}

Status FileWriter::write(NewFile file) {
  if (direct_ < kDirectFiles) {
    ++direct_;
    if (error_) return tl::unexpected(*error_);
    auto made = make(file);
    if (!made) error_ = made.error();
    return made;
  }
  if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return error_ || pending_bytes_ < kPendingBytesMax; });
  if (error_) return tl::unexpected(*error_);
  pending_bytes_ += cost_of(file);
  pending_.push_back(std::move(file));
  const bool was_empty = pending_.size() == 1;
  lock.unlock();
  if (was_empty) changed_.notify_all();
  return {};
}

Status FileWriter::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return error_ || pending_bytes_ == 0; });
  return error_ ? Status(tl::unexpected(*error_)) : Status();
}

void FileWriter::run(const std::stop_token& stop) {
  std::vector<NewFile> batch;
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return !pending_.empty(); })) {
    batch.swap(pending_);
    lock.unlock();
    std::size_t bytes = 0;
    Status made;
    for (const auto& file : batch) {
      bytes += cost_of(file);
      if (made = make(file); !made) break;
    }
    batch.clear();
    lock.lock();
    if (!made) error_ = made.error();
    if (error_) pending_.clear();
    pending_bytes_ = error_ ? 0 : pending_bytes_ - bytes;
    changed_.notify_all();
  }
}

Status FileWriter::make(const NewFile& file) const {
  const auto entry = fmt::format("entry '{}'", printable(file.path, 256));
  const auto failed = [&](std::string_view doing) {
    const auto code = errno;
    return while_doing(entry, system_error(fmt::format("{} {}", doing, file.path), code));
  };
  const auto fd = open_without_links(root_, file.path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!fd.valid()) return while_doing(entry, creation_error(file.path, errno));
  for (std::size_t done = 0; done < file.bytes.size();) {
    const auto written = ::write(fd.get(), file.bytes.data() + done, file.bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("writing");
    done += static_cast<std::size_t>(written);
  }
  const timespec times[] = {file.mtime, file.mtime};
  if (::fchmod(fd.get(), file.mode) != 0 || ::futimens(fd.get(), times) != 0) return failed("writing");
  return {};
}

}  // namespace windlass
