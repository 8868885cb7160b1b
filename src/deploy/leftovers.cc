#include "deploy/leftovers.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "deploy/live_folder.h"
#include "oci/entry_name.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

constexpr std::string_view kPrefix = ".oci-extract-";
constexpr auto kLife = std::chrono::hours(1);  // a younger one may still be at work

bool is_leftover(std::string_view name, const std::optional<DiskEntry>& entry) {
  const auto latest = std::chrono::system_clock::now() - kLife;
  return name.starts_with(kPrefix) && entry && entry->type == EntryType::folder &&
         std::chrono::nanoseconds(entry->mtime_ns) < latest.time_since_epoch();
}

// The folders that live directories lie in, but for those in which containers may write.
std::set<std::string> folders_above(const std::vector<std::string>& live_paths) {
  const auto belongs_to_one = [&](const std::string& folder) {
    return std::any_of(live_paths.begin(), live_paths.end(),
                       [&](const auto& path) { return folder == path || folder.starts_with(path + "/"); });
  };
  std::set<std::string> folders;
  for (const auto& path : live_paths) folders.emplace(parent_of(path));
  std::erase_if(folders, belongs_to_one);
  return folders;
}

Status clean(const std::filesystem::path& data_dir, const std::string& folder, const Log& log) {
  std::error_code absent;
  if (!std::filesystem::is_directory(data_dir / folder, absent)) return {};  // open() would make it
  auto disk = LiveFolder::open(data_dir, folder);
  if (!disk) return tl::unexpected(disk.error());
  const auto names = disk->names_in("");
  if (!names) return tl::unexpected(names.error());
  for (const auto& name : *names) {
    const auto entry = disk->look(name);
    if (!entry || !is_leftover(name, *entry)) continue;
    const auto path = folder + "/" + name;
    const auto away = data_dir / ".windlass/oci/staging" / fmt::format("left-{}", sha256_hex(path));
    if (auto moved = disk->move_away(name, away); !moved) return moved;
    if (auto removed = remove_tree(away); !removed) return removed;
    log.info("removed what doco-cd left", {{"folder", path}});
  }
  return {};
}

}  // namespace

void remove_leftovers(const std::filesystem::path& data_dir, const std::vector<std::string>& live_paths,
                      const Log& log) {
  for (const auto& folder : folders_above(live_paths))
    if (auto cleaned = clean(data_dir, folder, log); !cleaned)
      log.warning("what doco-cd left could not be removed", {{"error", cleaned.error().message}});
}

}  // namespace windlass
