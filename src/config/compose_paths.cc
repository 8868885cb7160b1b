#include "config/compose_paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

#include "base/text.h"
#include "config/source_path.h"
#include "config/yaml.h"

namespace windlass {
namespace {

constexpr std::size_t kFilesMax = 256;

std::string folder_of(const std::string& file) {
  const auto slash = file.rfind('/');
  return slash == std::string::npos ? "." : file.substr(0, slash);
}

class ComposePaths {
 public:
  ComposePaths(const SourceFiles& sources, std::string working_dir)
      : sources_(sources), working_dir_(std::move(working_dir)) {}

  void add(const std::string& file, const std::string& base) {
    if (seen_.emplace(file, base).second) to_read_.push_back({file, base});
  }

  Status check() {
    while (!to_read_.empty()) {
      if (seen_.size() > kFilesMax)
        return fail(Kind::denied, fmt::format("policy: more than {} compose files include one another", kFilesMax));
      at_ = to_read_.front();
      to_read_.pop_front();
      if (auto good = check_file(); !good) return good;
    }
    return {};
  }

 private:
  struct File {
    std::string path;
    std::string base;  // what compose counts its paths from, as far as that is known
  };

  Status check_file() {
    const auto text = read_source_file(sources_, at_.path, kYamlBytesMax);
    if (!text) return tl::unexpected(text.error());
    const auto yaml = parse_yaml(*text, at_.path, YamlTags::compose);
    if (!yaml) return tl::unexpected(yaml.error());
    for (const auto* document : yaml->documents) {
      if (const auto* include = document->find("include"))
        if (auto good = check_includes(*include->value); !good) return good;
      const auto* services = document->find("services");
      if (services == nullptr) continue;
      for (const auto& service : services->value->entries)
        if (auto good = check_service(service); !good) return good;
    }
    return {};
  }

  Status check_service(const YamlEntry& service) {
    const auto where = fmt::format("service {}: ", printable(service.key, 256));
    for (const auto* key : {"env_file", "label_file"})
      if (const auto* entry = service.value->find(key))
        if (auto good = check_paths(where + key, *entry->value, false); !good) return good;
    const auto* extends = service.value->find("extends");
    const auto* file = extends == nullptr ? nullptr : extends->value->find("file");
    return file == nullptr ? Status() : check_paths(where + "extends", *file->value, true);
  }

  Status check_includes(const YamlNode& include) {
    for (const auto* item : include.kind == YamlNode::Kind::sequence ? include.items : std::vector{&include}) {
      if (item->kind == YamlNode::Kind::scalar) {
        if (auto good = check_paths("include", *item, true); !good) return good;
        continue;
      }
      std::string base;
      if (const auto* folder = item->find("project_directory")) {
        if (auto good = check_paths("include", *folder->value, false); !good) return good;
        base = clean_source_path(at_.base, folder->value->text).value_or("");
      }
      if (const auto* env_file = item->find("env_file"))
        if (auto good = check_paths("include", *env_file->value, false); !good) return good;
      if (const auto* path = item->find("path"))
        if (auto good = check_paths("include", *path->value, true, base); !good) return good;
    }
    return {};
  }

  // A path, or a list of them, or of objects that have one; those `is_compose` are read in their turn.
  Status check_paths(const std::string& what, const YamlNode& node, bool is_compose, const std::string& base = "") {
    if (node.kind == YamlNode::Kind::sequence) {
      for (const auto* item : node.items)
        if (auto good = check_paths(what, *item, is_compose, base); !good) return good;
      return {};
    }
    if (node.kind == YamlNode::Kind::mapping) {
      const auto* path = node.find("path");
      return path == nullptr ? Status() : check_paths(what, *path->value, is_compose, base);
    }
    return node.is_null() ? Status() : check_path(what, node, is_compose, base);
  }

  Status check_path(const std::string& what, const YamlNode& node, bool is_compose, const std::string& base) {
    for (const auto& from : std::set{working_dir_, at_.base, folder_of(at_.path)}) {
      const auto path = clean_source_path(from, node.text);
      const bool is_literal = !node.text.starts_with('~') && node.text.find('$') == std::string::npos;  // ~: the home
      if (!path || !is_literal)
        return fail(Kind::denied, fmt::format("policy: {} {} leaves the artifact, or may ({}:{})", what,
                                              printable(node.text, 200), at_.path, node.line));
      const auto found = is_compose ? check_source_file(sources_.root, *path) : Status();
      if (is_compose && found) add(*path, base.empty() ? folder_of(*path) : base);
    }
    return {};
  }

  const SourceFiles& sources_;
  const std::string working_dir_;
  std::set<std::pair<std::string, std::string>> seen_;
  std::deque<File> to_read_;
  File at_;
};

}  // namespace

Status check_compose_paths(const SourceFiles& sources, const std::string& working_dir,
                           const std::vector<std::string>& files) {
  ComposePaths paths(sources, working_dir.empty() ? "." : working_dir);
  for (const auto& file : files) paths.add(file, working_dir.empty() ? "." : working_dir);
  return paths.check();
}

}  // namespace windlass
