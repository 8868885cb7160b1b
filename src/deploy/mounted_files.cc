#include "deploy/mounted_files.h"

#include <algorithm>
#include <deque>
#include <vector>

#include "base/text.h"
#include "deploy/model_paths.h"

namespace windlass {
namespace {

constexpr int kLinksMax = 40;  // as the kernel follows in one path

bool is_left_out(std::string_view path) {
  constexpr std::string_view kNames[] = {".git", ".github", ".vscode", ".idea", "node_modules"};
  for (const auto part : split(path, '/'))
    if (std::find(std::begin(kNames), std::end(kNames), part) != std::end(kNames)) return true;
  return false;
}

class MountedFiles {
 public:
  MountedFiles(const UnpackedTree& tree, const std::function<bool(const std::string&)>& counts)
      : tree_(tree), counts_(counts) {}

  void add(const std::string& path) {
    const auto resolved = resolved_in(tree_, path);
    if (!resolved || !seen_.insert(*resolved).second) return;
    if (counts_(*resolved)) found_.insert(*resolved);
    add_below(*resolved);
  }

  std::set<std::string> take() { return std::move(found_); }

 private:
  void add_below(const std::string& folder) {
    const auto prefix = folder.empty() ? "" : folder + "/";
    const auto by_path = [](const TreeEntry& entry, const std::string& path) { return entry.path < path; };
    for (auto entry = std::lower_bound(tree_.entries.begin(), tree_.entries.end(), prefix, by_path);
         entry != tree_.entries.end() && entry->path.starts_with(prefix); ++entry) {
      if (is_left_out(std::string_view(entry->path).substr(prefix.size()))) continue;
      if (entry->type == EntryType::link)
        add(entry->path);
      else if (entry->type == EntryType::file && counts_(entry->path))
        found_.insert(entry->path);
    }
  }

  const UnpackedTree& tree_;
  const std::function<bool(const std::string&)>& counts_;
  std::set<std::string> seen_, found_;
};

void for_each_source(const json::object& model, const json::object& service,
                     const std::function<void(std::string_view)>& take) {
  if (const auto* volumes = array_of(service, "volumes"))
    for (const auto& item : *volumes)
      if (const auto* volume = item.if_object(); volume != nullptr && text_of(*volume, "type") == "bind")
        take(text_of(*volume, "source"));
  for (const auto* section : {"configs", "secrets"}) {
    const auto* used = array_of(service, section);
    const auto* definitions = object_of(model, section);
    if (used == nullptr || definitions == nullptr) continue;
    for (const auto& item : *used) {
      const auto name = item.is_object()   ? text_of(item.get_object(), "source")
                        : item.is_string() ? std::string_view(item.get_string())
                                           : std::string_view();
      if (const auto* definition = object_of(*definitions, name)) take(text_of(*definition, "file"));
    }
  }
}

}  // namespace

std::optional<std::string> resolved_in(const UnpackedTree& tree, std::string path) {
  std::vector<std::string> done;
  std::deque<std::string> parts;
  const auto put_first = [&](std::string_view text) {
    const auto names = split(text, '/');
    for (auto name = names.rbegin(); name != names.rend(); ++name) parts.emplace_front(*name);
  };
  put_first(path);
  for (int links = 0; !parts.empty();) {
    const auto part = std::move(parts.front());
    parts.pop_front();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (done.empty()) return std::nullopt;
      done.pop_back();
      continue;
    }
    done.push_back(part);
    const auto* entry = tree.find(join(done, "/"));
    if (entry == nullptr || entry->type != EntryType::link) continue;
    if (++links > kLinksMax || entry->content.starts_with('/')) return std::nullopt;
    done.pop_back();
    put_first(entry->content);
  }
  return join(done, "/");
}

std::set<std::string> mounted_files(const json::object& model, const std::string& live_root, const UnpackedTree& tree,
                                    const std::function<bool(const std::string& path)>& counts) {
  MountedFiles files(tree, counts);
  const auto* services = object_of(model, "services");
  if (services == nullptr) return {};
  for (const auto& member : *services)
    if (const auto* service = member.value().if_object())
      for_each_source(model, *service, [&](std::string_view source) {
        if (const auto below = path_below(live_root, source)) files.add(*below);
      });
  return files.take();
}

}  // namespace windlass
