#include "deploy/remote_files.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/text.h"
#include "deploy/model_paths.h"
#include "deploy/mounted_files.h"
#include "deploy/not_interpolated.h"
#include "deploy/service_inputs.h"

namespace windlass {
namespace {

// One variable of a child process holds 128 KiB, all of them together 2 MiB.
constexpr std::uint64_t kFileBytesMax = 100 << 10;
constexpr std::uint64_t kFilesBytesMax = 1 << 20;

constexpr std::pair<FileContent::Of, const char*> kSections[] = {{FileContent::Of::config, "configs"},
                                                                 {FileContent::Of::secret, "secrets"}};

std::string_view word_of(FileContent::Of of) { return of == FileContent::Of::config ? "config" : "secret"; }

class Contents {
 public:
  Contents(const json::object& model, const std::string& live_root, const UnpackedTree& tree, const SourceFiles& files)
      : model_(model), live_root_(live_root), tree_(tree), files_(files) {}

  Result<std::vector<FileContent>> collect() {
    if (const auto* services = object_of(model_, "services"))
      for (const auto& service : *services)
        if (const auto* members = service.value().if_object()) look_at(service.key(), *members);
    for (const auto& [of, section] : kSections)
      for (const auto& name : used_[of]) add(of, section, name);
    if (faults_.empty()) return std::move(contents_);
    return fail(
        Kind::invalid,
        fmt::format("its engine is on another machine, which does not see {} (remote_paths: true, if it has the "
                    "data folder at the same path)",
                    join(faults_, "; ")));
  }

 private:
  void look_at(std::string_view service, const json::object& members) {
    if (const auto* volumes = array_of(members, "volumes"))
      for (const auto& item : *volumes) {
        const auto* volume = item.if_object();
        if (volume == nullptr || text_of(*volume, "type") != "bind") continue;
        if (const auto below = path_below(live_root_, text_of(*volume, "source")))
          faults_.push_back(fmt::format("service {}: bind mount of {}", printable(service, 256), shown(*below)));
      }
    for (const auto& [of, section] : kSections)
      if (const auto* list = array_of(members, section))
        for (const auto& item : *list) used_[of].insert(name_used(item));
  }

  void add(FileContent::Of of, const char* section, const std::string& name) {
    const auto* definitions = object_of(model_, section);
    const auto* definition = definitions == nullptr ? nullptr : object_of(*definitions, name);
    const auto below = definition == nullptr ? std::nullopt : path_below(live_root_, text_of(*definition, "file"));
    if (!below) return;
    const auto refuse = [&](std::string_view why) {
      faults_.push_back(fmt::format("{} {}: file {} ({})", word_of(of), printable(name, 256), shown(*below), why));
    };
    const auto path = resolved_in(tree_, *below);
    const auto* entry = path ? tree_.find(*path) : nullptr;
    if (entry == nullptr || entry->type != EntryType::file) return refuse("which the artifact does not have");
    auto text = read_source_file(files_, *path, kFileBytesMax);
    if (!text) return refuse(text.error().message);
    sum_bytes_ += text->size();
    if (sum_bytes_ > kFilesBytesMax) return refuse(fmt::format("more than {} bytes in all", kFilesBytesMax));
    if (text->find('\0') != text->npos || !is_valid_utf8(*text)) return refuse("it is no text");
    contents_.push_back({of, name, Secret(*std::move(text))});
  }

  static std::string shown(const std::string& path) { return printable(path.empty() ? "." : path, 512); }

  const json::object& model_;
  const std::string& live_root_;
  const UnpackedTree& tree_;
  const SourceFiles& files_;
  std::map<FileContent::Of, std::set<std::string>> used_;
  std::uint64_t sum_bytes_ = 0;
  std::vector<FileContent> contents_;
  std::vector<std::string> faults_;
};

}  // namespace

Result<std::vector<FileContent>> contents_to_send(const json::object& model, const std::string& live_root,
                                                  const UnpackedTree& tree, const SourceFiles& files) {
  return Contents(model, live_root, tree, files).collect();
}

void put_contents(const std::vector<FileContent>& contents, ResolvedStack& stack) {
  for (std::size_t index = 0; index < contents.size(); ++index) {
    const auto& [of, name, content] = contents[index];
    auto& section = stack.model[of == FileContent::Of::config ? "configs" : "secrets"];
    auto& definition = section.get_object()[name].get_object();
    definition.erase("file");
    if (of == FileContent::Of::config) {
      definition["content"] = not_interpolated(content.reveal());
      continue;
    }
    const auto variable = fmt::format("WINDLASS_FILE_{}", index);
    definition["environment"] = variable;
    stack.environment[variable] = content.reveal();
  }
}

}  // namespace windlass
