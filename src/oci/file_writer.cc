#include "oci/file_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <exception>

#include "base/text.h"
#include "oci/cipher_text.h"
#include "sys/files.h"

namespace windlass {
namespace {

// What one takes besides its content: many empty ones must not pile up either.
constexpr std::size_t kFileCost = 256;

std::size_t cost_of(const NewFile& file) { return file.bytes.size() + kFileCost; }

void hash_file(const NewFile& file, ContentHash& hash) {
  CipherTextScan scan;
  scan.update(file.bytes);
  file.entry.has_cipher_text = scan.found();
  hash.update(file.bytes);
  file.entry.content = hash.finish_hex();
}

}  // namespace

Error creation_error(const std::string& path, int code) {
  if (code != EEXIST) return system_error("creating " + path, code);
  return {Kind::invalid,
          fmt::format("creating {}: the file system takes its name for that of another entry, as those do that ignore "
                      "case",
                      path)};
}

timespec time_of(std::int64_t mtime_unix, const std::string& content) {
  return {.tv_sec = std::clamp<std::int64_t>(mtime_unix, 0, std::time(nullptr)),
          .tv_nsec = static_cast<long>(std::stoull(content.substr(0, 15), nullptr, 16) % 1'000'000'000)};
}

Status FileWriter::write(NewFile file) {
  if (direct_ < kDirectFiles) {
    ++direct_;
    if (error_) return tl::unexpected(*error_);
    auto made = hash_and_make(file, hash_of_caller_);
    if (!made) error_ = made.error();
    return made;
  }
  if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  std::unique_lock lock(mutex_);
  if (pending_bytes_ > kPendingBytesMax / 2) {  // the other thread is behind
    lock.unlock();
    hash_file(file, hash_of_caller_);
    lock.lock();
  }
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
      if (made = hash_and_make(file, hash_of_thread_); !made) break;
    }
    batch.clear();
    lock.lock();
    if (!made) error_ = made.error();
    if (error_) pending_.clear();
    pending_bytes_ = error_ ? 0 : pending_bytes_ - bytes;
    changed_.notify_all();
  }
}

// What it throws, for want of memory, would end the process on our thread.
Status FileWriter::hash_and_make(const NewFile& file, ContentHash& hash) const {
  try {
    if (file.entry.content.empty()) hash_file(file, hash);
    return make(file);
  } catch (const std::exception& error) {
    return fail(Kind::unavailable, error.what());
  }
}

Status FileWriter::make(const NewFile& file) const {
  const auto& path = file.path;
  const auto& entry = file.entry;
  const auto failed = [&](Error error) {
    return while_doing(fmt::format("entry '{}'", printable(path, 256)), std::move(error));
  };
  const auto not_written = [&] { return failed(system_error("writing " + path, errno)); };
  const auto fd = open_without_links(root_, path, O_WRONLY | O_CREAT | O_EXCL, entry.mode);
  if (!fd.valid()) return failed(creation_error(path, errno));
  if (write_all(fd.get(), file.bytes) != 0) return not_written();
  const auto time = time_of(file.mtime_unix, entry.content);
  const timespec times[] = {time, time};
  struct stat made {};
  if (::fstat(fd.get(), &made) != 0) return not_written();
  const bool has_mode = (made.st_mode & 07777u) == entry.mode;  // the process's umask may have taken bits away
  if ((!has_mode && ::fchmod(fd.get(), entry.mode) != 0) || ::futimens(fd.get(), times) != 0) return not_written();
  return {};
}

}  // namespace windlass
