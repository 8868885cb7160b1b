#include "app/state_folder.h"

#include <fmt/format.h>

#include <array>
#include <fstream>

#include "base/text.h"
#include "jobs/schema.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRebuildMark = "rebuild-state";
constexpr const char* kRunningMark = "running";         // there while a process is at work
constexpr std::string_view kLogMagic = "\x37\x7f\x06";  // the fourth byte is the byte order (SQLite, WAL format)

// Folders of ours, each a real one: a link would have us read, fill or empty what belongs to somebody else (T23).
Status make_own_folders(const fs::path& data_dir, const fs::path& path) {
  fs::path folder = data_dir;
  for (const auto& part : path) {
    folder /= part;
    std::error_code error;
    const auto type = fs::symlink_status(folder, error).type();
    if (type != fs::file_type::directory && type != fs::file_type::not_found)
      return fail(Kind::conflict, fmt::format("{} is a link or a file, not a folder: remove it", folder.string()));
  }
  return make_folders(folder, 0700);
}

}  // namespace

Status StateFolder::check(const std::filesystem::path& data_dir) {
  std::error_code error;
  if (std::filesystem::is_directory(data_dir, error)) return {};
  return fail(Kind::not_found,
              fmt::format("DATA_MOUNT_PATH {} is not a folder: make it, or mount one there", data_dir.string()));
}

Result<StateFolder> StateFolder::open(const std::filesystem::path& data_dir) {
  if (auto there = check(data_dir); !there) return tl::unexpected(there.error());
  const auto folder = data_dir / ".windlass";
  for (const auto* part : {"oci/blobs", "oci/staging", "oci/journal"})
    if (auto made = make_own_folders(data_dir, fs::path(".windlass") / part); !made)
      return while_doing(fmt::format("DATA_MOUNT_PATH {}", data_dir.string()), made.error());
  auto lock = FileLock::take(folder / "lock", fmt::format("DATA_MOUNT_PATH: data directory {}", data_dir.string()));
  if (!lock) return tl::unexpected(lock.error());
  std::error_code absent;
  const bool ended_well = !std::filesystem::exists(folder / kRunningMark, absent);
  if (auto marked = write_file(folder / kRunningMark, "", 0600); !marked) return tl::unexpected(marked.error());
  return StateFolder(folder, std::move(*lock), ended_well, Mark(folder / kRunningMark));
}

StateFolder::Mark::~Mark() {
  std::error_code ignored;
  if (!file_.empty()) std::filesystem::remove(file_, ignored);
}

// SQLite takes a state file without its log for one that was closed well, and a log without its magic number for none.
std::string StateFolder::lost_log() const {
  std::error_code error;
  if (ended_well_ || !std::filesystem::exists(state_file(), error)) return "";
  std::ifstream log(state_file().string() + "-wal", std::ios::binary);
  if (!log) return "it is gone";
  std::array<char, kLogMagic.size()> magic{};
  log.read(magic.data(), magic.size());
  const bool is_empty = log.gcount() == 0;
  return is_empty || std::string_view(magic.data(), magic.size()) == kLogMagic ? "" : "it holds something else";
}

// The mark is there first: a process that is killed in between goes on at its next start, not with an empty file.
Status StateFolder::set_damaged_aside(const Log& log) const {
  const auto opened = open_state(state_file());
  if (opened) {
    log.warning("state file is whole: there is nothing to rebuild", {{"file", state_file().string()}});
    return {};
  }
  if (opened.error().kind != Kind::internal) return tl::unexpected(opened.error());
  if (auto marked = write_file(folder_ / kRebuildMark, "", 0600); !marked) return marked;
  const auto aside = fmt::format("{}.damaged-{}", state_file().string(), new_uuid_v7());
  for (const auto* suffix : {"-wal", "-shm", ""}) {
    std::error_code error;
    std::filesystem::rename(state_file().string() + suffix, aside + suffix, error);
    if (error && error != std::errc::no_such_file_or_directory)
      return fail(Kind::internal, fmt::format("moving {} aside: {}", state_file().string(), error.message()));
  }
  log.warning("damaged state file is set aside and will be rebuilt from the engine's labels",
              {{"kept_as", aside}, {"error", opened.error().message}});
  return sync_folder(folder_);
}

bool StateFolder::awaits_rebuild() const {
  std::error_code error;
  return std::filesystem::exists(folder_ / kRebuildMark, error);
}

Status StateFolder::end_rebuild() const {
  std::error_code error;
  std::filesystem::remove(folder_ / kRebuildMark, error);
  if (error) return fail(Kind::internal, "removing the mark of a rebuild: " + error.message());
  return sync_folder(folder_);
}

Status StateFolder::clear_staging() const {
  if (auto made = make_folders(folder_ / "oci/staging", 0700); !made) return made;
  Status done;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder_ / "oci/staging", error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    if (auto removed = remove_tree(entry->path()); !removed) done = removed;
  if (error) return tl::unexpected(system_error("reading " + (folder_ / "oci/staging").string(), error.value()));
  return done;
}

Result<Secret> StateFolder::hash_key() const {
  const auto file = folder_ / "hash.key";
  constexpr std::size_t bytes = 32;
  auto text = read_file(file, 4096);
  if (text) {
    if (trim(*text).size() == 2 * bytes) return Secret(std::string(trim(*text)));
    return fail(Kind::internal,
                fmt::format("{} is damaged: remove it, and every file is compared and every service recreated once",
                            file.string()));
  }
  if (text.error().kind != Kind::not_found) return tl::unexpected(text.error());
  Secret key(to_hex(random_bytes(bytes)));
  if (auto written = write_file(file, key.reveal() + "\n", 0600); !written) return tl::unexpected(written.error());
  return key;
}

}  // namespace windlass
