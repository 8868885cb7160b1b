#include "app/state_folder.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sys/crypto.h"

namespace windlass {

Result<StateFolder> StateFolder::open(const std::filesystem::path& data_dir) {
  std::error_code error;
  if (!std::filesystem::is_directory(data_dir, error))
    return fail(Kind::not_found,
                fmt::format("DATA_MOUNT_PATH {} is not a folder: make it, or mount one there", data_dir.string()));
  const auto folder = data_dir / ".windlass";
  for (const auto* part : {"oci/blobs", "oci/staging", "oci/journal"})
    if (auto made = make_folders(folder / part, 0700); !made)
      return while_doing(fmt::format("DATA_MOUNT_PATH {}", data_dir.string()), made.error());
  auto lock = FileLock::take(folder / "lock", "data directory");
  if (!lock) return tl::unexpected(lock.error());
  return StateFolder(folder, std::move(*lock));
}

Status StateFolder::clear_staging() const {
  if (auto removed = remove_tree(folder_ / "oci/staging"); !removed) return removed;
  return make_folders(folder_ / "oci/staging", 0700);
}

Result<Secret> StateFolder::hash_key() const {
  const auto file = folder_ / "hash.key";
  constexpr std::size_t bytes = 32;
  auto text = read_file(file, 4096);
  if (text) {
    if (trim(*text).size() == 2 * bytes) return Secret(std::string(trim(*text)));
    return fail(Kind::internal,
                fmt::format("{} is damaged: remove it, and every service is recreated once", file.string()));
  }
  if (text.error().kind != Kind::not_found) return tl::unexpected(text.error());
  Secret key(to_hex(random_bytes(bytes)));
  if (auto written = write_file(file, key.reveal() + "\n", 0600); !written) return tl::unexpected(written.error());
  return key;
}

}  // namespace windlass
