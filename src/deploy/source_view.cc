#include "deploy/source_view.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "sys/files.h"

namespace windlass {
namespace {

class View {
 public:
  View(const UnpackedTree& tree, const std::map<std::string, Secret>& plain, const std::filesystem::path& view)
      : tree_(tree), plain_(plain), view_(view) {}

  Status make() {
    for (const auto& entry : tree_.entries)
      if (entry.type == EntryType::link || plain_.contains(entry.path)) add_folders_of(entry.path);
    if (auto made = make_folders(view_, 0700); !made) return made;
    for (const auto& folder : real_)
      if (::mkdir((view_ / folder).c_str(), 0700) != 0 && errno != EEXIST)
        return tl::unexpected(system_error("making folder " + folder, errno));
    for (const auto& entry : tree_.entries)
      if (auto made = make_entry(entry); !made) return made;
    return {};
  }

 private:
  void add_folders_of(const std::string& path) {
    for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1))
      real_.insert(path.substr(0, slash));  // sorted: parents come first
  }

  Status make_entry(const TreeEntry& entry) {
    if (const auto text = plain_.find(entry.path); text != plain_.end()) return write(entry.path, text->second);
    if (entry.type == EntryType::link) return make_link(entry.content, entry.path);
    // The topmost part that holds nothing of our own.
    for (auto slash = entry.path.find('/');; slash = entry.path.find('/', slash + 1)) {
      const auto part = entry.path.substr(0, slash);
      if (!real_.contains(part)) return made_.insert(part).second ? make_link(tree_.root / part, part) : Status();
      if (slash == entry.path.npos) return {};
    }
  }

  Status make_link(const std::filesystem::path& target, const std::string& path) const {
    if (::symlink(target.c_str(), (view_ / path).c_str()) != 0)
      return tl::unexpected(system_error("making link " + path, errno));
    return {};
  }

  Status write(const std::string& path, const Secret& text) const {
    if (auto written = write_file(view_ / path, text.reveal(), 0600); !written) return written;
    struct stat status {};
    if (::lstat((tree_.root / path).c_str(), &status) != 0) return {};
    const timespec times[] = {status.st_mtim, status.st_mtim};
    (void)::utimensat(AT_FDCWD, (view_ / path).c_str(), times, AT_SYMLINK_NOFOLLOW);
    return {};
  }

  const UnpackedTree& tree_;
  const std::map<std::string, Secret>& plain_;
  const std::filesystem::path& view_;
  std::set<std::string> real_;  // folders of the view
  std::set<std::string> made_;  // links to what was unpacked
};

}  // namespace

Status make_source_view(const UnpackedTree& tree, const std::map<std::string, Secret>& plain,
                        const std::filesystem::path& view) {
  return View(tree, plain, view).make();
}

}  // namespace windlass
