#include "oci/packing_list.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/text.h"
#include "oci/entry_name.h"
#include "oci/link_rules.h"
#include "sys/files.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFaultsMax = 20;  // more of them would hide the first
constexpr std::string_view kWhiteout = ".wh.";

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

class Lister {
 public:
  Lister(FileDescriptor root, const UnpackLimits& limits) : root_(std::move(root)), limits_(limits) {}

  Result<PackingList> list() {
    walk("");
    std::sort(list_.entries.begin(), list_.entries.end(),
              [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
    check_links();
    if (list_.bytes > limits_.bytes_max)
      fault("", {Kind::invalid, fmt::format("files of {} bytes together, limit {}", list_.bytes, limits_.bytes_max)});
    if (list_.entries.size() > limits_.entries_max)
      fault("", {Kind::invalid, fmt::format("more than {} entries", limits_.entries_max)});
    if (list_.entries.empty() && faults_.empty()) fault("", {Kind::invalid, "holds nothing"});
    if (!faults_.empty()) return fail(kind_, join(faults_, "\n"));
    return std::move(list_);
  }

 private:
  bool is_full() const { return faults_.size() >= kFaultsMax || list_.entries.size() > limits_.entries_max; }

  void fault(const std::string& path, const Error& error) {
    if (faults_.empty()) kind_ = error.kind;
    if (faults_.size() < kFaultsMax)
      faults_.push_back(fmt::format("{}: {}", path.empty() ? "the folder" : printable(path, 256), error.message));
  }

  void walk(const std::string& path) {
    auto fd = open_without_links(root_.get(), path, O_RDONLY | O_DIRECTORY);
    if (!fd.valid()) return fault(path, system_error("opening", errno));
    const std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(::dup(fd.get())));
    if (!folder) return fault(path, system_error("reading", errno));
    std::vector<std::string> folders;
    while (!is_full()) {
      errno = 0;
      const auto* found = ::readdir(folder.get());
      if (found == nullptr) break;
      const std::string name = found->d_name;
      if (name == "." || name == "..") continue;
      const auto full = path.empty() ? name : path + "/" + name;
      if (add(fd.get(), name, full)) folders.push_back(full);
    }
    if (errno != 0) fault(path, system_error("reading", errno));
    for (const auto& each : folders)
      if (!is_full()) walk(each);
  }

  // True for a folder to go into.
  bool add(int folder, const std::string& name, const std::string& path) {
    if (name == ".git") {
      list_.notes.push_back(printable(path) + " is left out");
      return false;
    }
    auto clean = clean_entry_name(path, limits_);
    if (clean && name.starts_with(kWhiteout))
      clean = fail(Kind::invalid, "a name that begins with .wh. says in a layer what is to be deleted");
    struct stat status {};
    if (clean && ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      clean = tl::unexpected(system_error("reading", errno));
    auto entry = clean ? entry_of(folder, name, path, status) : tl::unexpected(clean.error());
    if (!entry) {
      fault(path, entry.error());
      return false;
    }
    list_.bytes += entry->size_bytes;
    list_.entries.push_back(std::move(*entry));
    return S_ISDIR(status.st_mode);
  }

  Result<TreeEntry> entry_of(int folder, const std::string& name, const std::string& path, const struct stat& status) {
    const auto size = static_cast<std::uint64_t>(status.st_size);
    switch (status.st_mode & S_IFMT) {
      case S_IFDIR:
        return TreeEntry{.path = path, .type = EntryType::folder, .mode = 0755};
      case S_IFLNK:
        return link_entry(folder, name, path);
      case S_IFREG:
        if (size > limits_.file_bytes_max)
          return fail(Kind::invalid, fmt::format("file of {} bytes, limit {}", size, limits_.file_bytes_max));
        return TreeEntry{.path = path,
                         .type = EntryType::file,
                         .mode = (status.st_mode & S_IXUSR) != 0 ? 0755u : 0644u,
                         .size_bytes = size};
      case S_IFIFO:
        return fail(Kind::invalid, "pipes are not allowed");
      case S_IFSOCK:
        return fail(Kind::invalid, "sockets are not allowed");
      default:
        return fail(Kind::invalid, "devices are not allowed");
    }
  }

  Result<TreeEntry> link_entry(int folder, const std::string& name, const std::string& path) const {
    std::string target(limits_.path_bytes_max + 1, '\0');
    const auto bytes = ::readlinkat(folder, name.c_str(), target.data(), target.size());
    if (bytes < 0) return tl::unexpected(system_error("reading the link", errno));
    target.resize(static_cast<std::size_t>(bytes));
    if (auto good = check_link_text(target, limits_); !good) return tl::unexpected(good.error());
    return TreeEntry{.path = path, .type = EntryType::link, .content = std::move(target)};
  }

  void check_links() {
    const auto look_up = [this](std::string_view path) -> const TreeEntry* {
      const auto& all = list_.entries;
      const auto found = std::lower_bound(all.begin(), all.end(), path,
                                          [](const TreeEntry& entry, auto wanted) { return entry.path < wanted; });
      return found != all.end() && found->path == path ? &*found : nullptr;
    };
    LinkFollower links(look_up, limits_);
    for (const auto& entry : list_.entries)
      if (entry.type == EntryType::link)
        if (auto good = links.follow(parent_of(entry.path), entry.content); !good) fault(entry.path, good.error());
  }

  FileDescriptor root_;
  const UnpackLimits& limits_;
  PackingList list_;
  std::vector<std::string> faults_;
  Kind kind_ = Kind::invalid;
};

}  // namespace

Result<PackingList> list_folder(const fs::path& folder, const UnpackLimits& limits) {
  FileDescriptor root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return tl::unexpected(system_error("opening " + folder.string(), errno));
  return Lister(std::move(root), limits).list();
}

}  // namespace windlass
