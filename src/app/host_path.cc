#include "app/host_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "sys/files.h"

namespace windlass {
namespace {

bool is_container_id(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

}  // namespace

std::string own_container_id(std::string_view mountinfo) {
  for (const auto line : split(mountinfo, '\n')) {
    const auto fields = split(line, ' ');  // proc_pid_mountinfo(5): field 4 is the root, field 5 the mount point
    if (fields.size() < 5 || fields[4] != "/etc/hostname") continue;
    for (const auto part : split(fields[3], '/'))
      if (is_container_id(part)) return std::string(part);
  }
  return "";
}

Result<std::string> host_path_of(const std::string& mount_path, const std::string& configured,
                                 std::string_view mountinfo, Engine& engine, const Deadline& deadline) {
  if (!configured.empty()) return configured;
  const auto id = own_container_id(mountinfo);
  if (id.empty()) return mount_path;
  auto self = engine.inspect(id, deadline);
  if (!self) return while_doing("finding the host side of DATA_MOUNT_PATH (DATA_HOST_PATH would tell)", self.error());
  const auto mount = std::find_if(self->mounts.begin(), self->mounts.end(),
                                  [&](const auto& candidate) { return candidate.destination == mount_path; });
  if (mount == self->mounts.end())
    return fail(
        Kind::not_found,
        fmt::format("DATA_MOUNT_PATH {} is not a mount of this container ({}): mount a host folder there, or set "
                    "DATA_HOST_PATH",
                    mount_path, id.substr(0, 12)));
  if (!mount->writable)
    return fail(Kind::invalid, fmt::format("the mount at DATA_MOUNT_PATH {} is read-only", mount_path));
  return mount->source;
}

Status link_host_path(const std::string& host_path, const std::string& mount_path) {
  if (host_path == mount_path) return {};
  std::error_code error;
  if (std::filesystem::equivalent(host_path, mount_path, error)) return {};
  if (std::filesystem::symlink_status(host_path, error).type() != std::filesystem::file_type::not_found)
    return fail(Kind::conflict, fmt::format("{} exists in here and is not the data folder {}", host_path, mount_path));
  if (auto made = make_folders(std::filesystem::path(host_path).parent_path(), 0755); !made) return made;
  std::filesystem::create_directory_symlink(mount_path, host_path, error);
  if (error) return fail(Kind::internal, fmt::format("linking {} to {}: {}", host_path, mount_path, error.message()));
  return {};
}

}  // namespace windlass
