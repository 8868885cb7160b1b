#include "oci/file_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>

#include "base/text.h"
#include "oci/cipher_text.h"
#include "sys/crypto.h"
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

timespec time_of(std::int64_t mtime_unix, const std::string& sha256) {
  return {.tv_sec = std::clamp<std::int64_t>(mtime_unix, 0, std::time(nullptr)),
          .tv_nsec = static_cast<long>(std::stoull(sha256.substr(0, 15), nullptr, 16) % 1'000'000'000)};
}

Status FileWriter::write(NewFile file) {
  std::unique_lock lock(mutex_);
  if (error_number_) return first_error();
  pending_bytes_ += cost_of(file);
  pending_.push_back({++added_, std::move(file)});
  if (added_ <= kDirectFiles) {
    make_first(lock);
    return first_error();
  }
  if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  if (pending_.size() == 1) changed_.notify_all();
  while (pending_bytes_ > kPendingBytesMax && !pending_.empty()) make_first(lock);
  return first_error();
}

Status FileWriter::drain() {
  std::unique_lock lock(mutex_);
  while (!pending_.empty()) make_first(lock);
  changed_.wait(lock, [&] { return pending_bytes_ == 0; });
  return first_error();
}

void FileWriter::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return !pending_.empty(); }) && !stop.stop_requested()) make_first(lock);
}

// Unlocked while it works: both threads do.
void FileWriter::make_first(std::unique_lock<std::mutex>& lock) {
  auto [number, file] = std::move(pending_.front());
  pending_.pop_front();
  lock.unlock();
  const auto cost = cost_of(file);
  Status made;
  try {
    made = make(file);
  } catch (const std::exception& error) {  // out of memory
    made = fail(Kind::unavailable, error.what());
  }
  lock.lock();
  pending_bytes_ -= cost;
  if (!made && (error_number_ == 0 || number < error_number_)) {
    error_number_ = number;
    error_ = made.error();
  }
  if (error_number_) {
    for (const auto& waiting : pending_) pending_bytes_ -= cost_of(waiting.file);
    pending_.clear();
  }
  if (pending_bytes_ == 0) changed_.notify_all();
}

Status FileWriter::make(NewFile& file) const {
  auto& entry = file.entry;
  const auto failed = [&](Error error) {
    return while_doing(fmt::format("entry '{}'", printable(entry.path, 256)), std::move(error));
  };
  const auto not_written = [&] { return failed(system_error("writing " + entry.path, errno)); };
  CipherTextScan scan;
  scan.update(file.bytes);
  entry.has_cipher_text = scan.found();
  entry.content = sha256_hex(file.bytes);
  const auto fd = open_without_links(root_, entry.path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!fd.valid()) return failed(creation_error(entry.path, errno));
  for (std::size_t done = 0; done < file.bytes.size();) {
    const auto written = ::write(fd.get(), file.bytes.data() + done, file.bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return not_written();
    done += static_cast<std::size_t>(written);
  }
  const auto time = time_of(file.mtime_unix, entry.content);
  const timespec times[] = {time, time};
  if (::fchmod(fd.get(), entry.mode) != 0 || ::futimens(fd.get(), times) != 0) return not_written();
  return {};
}

}  // namespace windlass
