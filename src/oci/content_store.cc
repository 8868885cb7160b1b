#include "oci/content_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "base/crash_point.h"
#include "base/text.h"
#include "oci/blob_hash.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

constexpr std::time_t kTouchSeconds = 300;  // uses within five minutes count as one: no inode write for each

constexpr auto kSweepInterval = std::chrono::hours(7 * 24);

enum class Content { whole, torn, unreadable };

// Are at `path` the bytes that the digest asks for? Unreadable says nothing against them: there may be no descriptor
// left, or the disk may answer the next time.
Content look_into(const fs::path& path, const Digest& digest) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return Content::unreadable;
  BlobHash hash(digest);
  if (!read_pieces(file.get(), path.string(), [&](std::string_view piece) { hash.update(piece); }))
    return Content::unreadable;
  return hash.matches() ? Content::whole : Content::torn;
}

// A file that grows under a temporary name, which no other download of the same blob has, and is gone again unless it
// got its real one.
class PartialBlob {
 public:
  static Result<std::unique_ptr<PartialBlob>> create(const fs::path& folder, const Digest& digest,
                                                     std::uint64_t size_bytes) {
    auto blob = std::make_unique<PartialBlob>(folder / to_hex(random_bytes(16)), digest, size_bytes);
    blob->file_ = FileDescriptor(::open(blob->path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!blob->file_.valid()) return tl::unexpected(blob->disk_error());
    // a disk that is too small says so before the download
    if (size_bytes > 0 && ::fallocate(blob->file_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size_bytes)) != 0 &&
        errno != EOPNOTSUPP && errno != ENOSYS)
      return tl::unexpected(blob->disk_error());
    return blob;
  }
  PartialBlob(fs::path path, const Digest& digest, std::uint64_t size_bytes)
      : path_(std::move(path)), digest_(digest), size_bytes_(size_bytes), hash_(digest) {}
  ~PartialBlob() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  Status write(std::string_view bytes) {
    if (bytes.size() > size_bytes_ - written_) {
      is_hopeless_ = true;
      return fail(Kind::invalid,
                  fmt::format("blob {} is larger than the {} bytes its descriptor says", digest_.str(), size_bytes_));
    }
    hash_.update(bytes);
    written_ += bytes.size();
    crash_point("fetch.half_blob");
    if (write_all(file_.get(), bytes) == 0) return {};
    is_hopeless_ = true;
    return tl::unexpected(disk_error());
  }

  Status finish(const fs::path& name) {
    if (written_ != size_bytes_)
      return fail(Kind::invalid,
                  fmt::format("blob {} has {} bytes, its descriptor says {}", digest_.str(), written_, size_bytes_));
    if (!hash_.matches()) return fail(Kind::invalid, "blob digest mismatch: expected " + digest_.str());
    if (::rename(path_.c_str(), name.c_str()) != 0) return tl::unexpected(disk_error());
    path_.clear();
    crash_point("fetch.blob_stored");
    return {};
  }

  std::uint64_t written() const { return written_; }
  bool is_hopeless() const { return is_hopeless_; }  // asking the registry again does not help

 private:
  Error disk_error() const {
    return system_error(fmt::format("writing {} ({} bytes)", path_.string(), size_bytes_), errno);
  }

  fs::path path_;
  Digest digest_;
  std::uint64_t size_bytes_, written_ = 0;
  BlobHash hash_;
  FileDescriptor file_;
  bool is_hopeless_ = false;
};

class FolderStore final : public ContentStore {
 public:
  explicit FolderStore(Options options) : options_(std::move(options)) {}

  Status prepare() {
    for (const auto* name : {"sha256", "sha512"})
      if (auto made = make_folders(options_.folder / name); !made) return made;
    if (auto removed = remove_tree(partials()); !removed) return removed;  // of the last life
    return make_folders(partials());
  }

  fs::path find(const Digest& digest, std::optional<std::uint64_t> size_bytes) override {
    auto path = path_of(digest);
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
    if (size_bytes && static_cast<std::uint64_t>(status.st_size) != *size_bytes) return {};
    if (!is_verified(digest)) {
      const auto content = look_into(path, digest);
      if (content == Content::unreadable) return {};
      const std::lock_guard lock(mutex_);
      if (content == Content::whole) {
        verified_.insert(digest);
      } else if (!verified_.contains(digest)) {  // else a download has replaced it meanwhile
        ::unlink(path.c_str());
        return {};
      }
    }
    // With the lock: shrink() either sees this use or has removed the blob before it. What was used within
    // kTouchSeconds it does not remove at all, as `in_use` is longer.
    const std::lock_guard lock(mutex_);
    const bool is_new_use = std::time(nullptr) - status.st_mtim.tv_sec > kTouchSeconds;
    if (is_new_use && ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) != 0 && errno == ENOENT) return {};
    return path;
  }

  Result<fs::path> get(const Wanted& wanted, const Download& download, const Deadline& deadline) override {
    for (;;) {
      if (auto path = find(wanted.digest, wanted.size_bytes); !path.empty()) return path;
      auto [flight, is_ours] = join(wanted);
      if (is_ours) {
        auto result = fetch_or_say_why_not(wanted.digest, wanted.size_bytes, download);
        land(wanted, *flight, result, deadline.passed());
        return result;
      }
      if (auto result = wait_for(*flight, deadline)) return *result;
    }
  }

  Result<fs::path> put(const Digest& digest, std::uint64_t size_bytes, std::string_view bytes) override {
    if (auto path = find(digest, size_bytes); !path.empty()) return path;
    return fetch_or_say_why_not(digest, size_bytes, [&](std::uint64_t, const auto& write) { return write(bytes); });
  }

  Status shrink(const std::function<bool(const Digest&)>& keep) override {
    struct Blob {
      Digest digest;
      std::uint64_t size_bytes;
      fs::file_time_type used;
    };
    const bool has_grown = has_grown_.exchange(false);
    if (!has_grown && std::chrono::steady_clock::now() < next_sweep()) return {};
    std::vector<Blob> blobs;
    std::uint64_t total = 0;
    const auto not_done = [this](std::string_view what, int code) {
      has_grown_ = true;
      return tl::unexpected(system_error(what, code));
    };
    for (const auto* algorithm : {"sha256", "sha512"}) {
      std::error_code error;
      fs::directory_iterator entry(options_.folder / algorithm, error);
      for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        auto digest = Digest::parse(fmt::format("{}:{}", algorithm, entry->path().filename().string()));
        if (!digest) continue;
        std::error_code gone;
        const Blob blob{*digest, entry->file_size(gone), entry->last_write_time(gone)};
        if (gone) continue;
        total += blob.size_bytes;
        blobs.push_back(blob);
      }
      if (error && error != std::errc::no_such_file_or_directory)
        return not_done("reading " + (options_.folder / algorithm).string(), error.value());
    }
    std::sort(blobs.begin(), blobs.end(), [](const auto& a, const auto& b) { return a.used < b.used; });
    const auto in_use_since = fs::file_time_type::clock::now() - options_.in_use;
    const auto unused_since = fs::file_time_type::clock::now() - options_.unused_max;
    for (const auto& blob : blobs) {
      if (blob.used > in_use_since || (total <= options_.bytes_max && blob.used > unused_since)) break;
      if (keep(blob.digest)) continue;
      const auto path = path_of(blob.digest);
      const std::lock_guard lock(mutex_);
      std::error_code gone;
      const auto used = fs::last_write_time(path, gone);
      if (!gone && used != blob.used) continue;  // a job has got it since it was listed
      verified_.erase(blob.digest);
      if (::unlink(path.c_str()) != 0 && errno != ENOENT) return not_done("removing " + path.string(), errno);
      total -= blob.size_bytes;
    }
    sweep_again(std::chrono::steady_clock::now() + kSweepInterval);
    if (total > options_.bytes_max) has_grown_ = true;  // what is kept or in use now may go the next time
    return {};
  }

 private:
  // A download that others may wait for.
  struct Flight {
    std::condition_variable_any landed;
    std::optional<Result<fs::path>> result;
    bool gave_up = false;  // only because its own caller had no time left
  };

  fs::path partials() const { return options_.folder / "partial"; }
  fs::path path_of(const Digest& digest) const { return options_.folder / digest.algorithm() / digest.hex(); }

  std::chrono::steady_clock::time_point next_sweep() {
    const std::lock_guard lock(mutex_);
    return next_sweep_;
  }
  void sweep_again(std::chrono::steady_clock::time_point when) {
    const std::lock_guard lock(mutex_);
    next_sweep_ = when;
  }

  bool is_verified(const Digest& digest) {
    const std::lock_guard lock(mutex_);
    return verified_.contains(digest);
  }

  std::pair<std::shared_ptr<Flight>, bool> join(const Wanted& wanted) {
    const std::lock_guard lock(mutex_);
    auto& flight = flights_[wanted];
    if (flight) return {flight, false};
    flight = std::make_shared<Flight>();
    return {flight, true};
  }

  void land(const Wanted& wanted, Flight& flight, const Result<fs::path>& result, bool gave_up) {
    const std::lock_guard lock(mutex_);
    flight.result = result;
    flight.gave_up = gave_up && !result;
    flights_.erase(wanted);
    flight.landed.notify_all();
  }

  // Nothing: the download must be begun anew.
  std::optional<Result<fs::path>> wait_for(Flight& flight, const Deadline& deadline) {
    std::unique_lock lock(mutex_);
    if (!flight.landed.wait_for(lock, deadline.stop, deadline.left(), [&] { return flight.result.has_value(); }))
      return fail(Kind::unavailable, "gave up waiting for another download of the same blob");
    if (flight.gave_up) return std::nullopt;
    return flight.result;
  }

  // Whatever happens, those who wait for this download hear of it.
  Result<fs::path> fetch_or_say_why_not(const Digest& digest, std::uint64_t size_bytes, const Download& download) {
    try {
      return fetch(digest, size_bytes, download);
    } catch (const std::exception& error) {  // out of memory
      return fail(Kind::unavailable, fmt::format("fetching blob {}: {}", digest.str(), error.what()));
    }
  }

  Result<fs::path> fetch(const Digest& digest, std::uint64_t size_bytes, const Download& download) {
    auto partial = PartialBlob::create(partials(), digest, size_bytes);
    if (!partial) return tl::unexpected(partial.error());
    auto& blob = **partial;
    for (int resumes = 0;; ++resumes) {
      const auto offset = blob.written();
      auto done = download(offset, [&](std::string_view bytes) { return blob.write(bytes); });
      if (done) break;
      const bool was_cut = done.error().kind == Kind::unavailable && blob.written() > offset && !blob.is_hopeless();
      if (!was_cut) return tl::unexpected(done.error());
      if (resumes == options_.resumes_max)
        return while_doing(fmt::format("cut {} times", resumes + 1), std::move(done.error()));
    }
    const auto path = path_of(digest);
    const std::lock_guard lock(mutex_);  // in one step: find() may have another file of that name in hand
    if (auto finished = blob.finish(path); !finished) return tl::unexpected(finished.error());
    verified_.insert(digest);
    has_grown_ = true;
    return path;
  }

  Options options_;
  std::atomic<bool> has_grown_ = true;  // since shrink() found it small enough
  std::mutex mutex_;                    // of what follows
  std::map<Wanted, std::shared_ptr<Flight>> flights_;
  std::set<Digest> verified_;  // hashed by this process
  std::chrono::steady_clock::time_point next_sweep_;
};

}  // namespace

Result<std::unique_ptr<ContentStore>> ContentStore::open(Options options) {
  auto store = std::make_unique<FolderStore>(std::move(options));
  if (auto prepared = store->prepare(); !prepared) return while_doing("opening the content store", prepared.error());
  return store;
}

}  // namespace windlass
