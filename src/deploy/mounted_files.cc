#include "deploy/mounted_files.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "deploy/model_paths.h"
#include "deploy/service_inputs.h"
#include "oci/link_rules.h"

namespace windlass {
namespace {

bool is_left_out(std::string_view path) {
  constexpr std::string_view kNames[] = {".git", ".github", ".vscode", ".idea", "node_modules"};
  for (const auto part : split(path, '/'))
    if (std::find(std::begin(kNames), std::end(kNames), part) != std::end(kNames)) return true;
  return false;
}

// Links wait for their turn: one that leads to a folder with the next one in it would take the stack of a thread.
class MountedFiles {
 public:
  MountedFiles(const UnpackedTree& tree, const std::function<bool(const std::string&)>& counts)
      : tree_(tree), counts_(counts), is_done_(tree.entries.size()) {}

  void add(const std::string& path) {
    take(resolved_in(tree_, path));
    while (!links_.empty()) {
      const auto* link = links_.back();
      links_.pop_back();
      take(resolved_in(tree_, link->path));
    }
  }

  std::set<std::string> take_found() { return std::move(found_); }

 private:
  void take(const std::optional<std::string>& path) {
    if (!path || !seen_.insert(*path).second) return;
    if (counts_(*path)) found_.insert(*path);
    const auto name_at = path->empty() ? 0 : path->size() + 1;
    for (const auto& entry : tree_.below(*path)) {
      const auto index = static_cast<std::size_t>(&entry - tree_.entries.data());
      if (is_done_[index] || is_left_out(std::string_view(entry.path).substr(name_at))) continue;
      is_done_[index] = true;
      if (entry.type == EntryType::link)
        links_.push_back(&entry);
      else if (entry.type == EntryType::file && counts_(entry.path))
        found_.insert(entry.path);
    }
  }

  const UnpackedTree& tree_;
  const std::function<bool(const std::string&)>& counts_;
  std::vector<bool> is_done_;  // by entry: folders that are mounted may lie in one another
  std::vector<const TreeEntry*> links_;
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
    for (const auto& item : *used)
      if (const auto* definition = object_of(*definitions, name_used(item))) take(text_of(*definition, "file"));
  }
}

}  // namespace

std::optional<std::string> resolved_in(const UnpackedTree& tree, std::string_view path) {
  static const UnpackLimits limits;
  auto leads_to = LinkFollower([&tree](std::string_view at) { return tree.find(at); }, limits).follow("", path);
  return leads_to ? std::optional(*std::move(leads_to)) : std::nullopt;
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
  return files.take_found();
}

}  // namespace windlass
