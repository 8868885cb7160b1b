// Which compose files of a stack count (config 4, compose_files).
#include <fmt/format.h>

#include "base/text.h"
#include "config/deploy_config.h"
#include "config/source_path.h"
#include "config/yaml.h"

namespace windlass {

Result<std::vector<std::string>> find_compose_files(const std::filesystem::path& root, const DeployConfig& config) {
  const auto invalid = [](const std::string& fault) {
    return fail(Kind::invalid, "invalid deploy configuration: " + fault);
  };
  std::vector<std::string> found;
  for (const auto& file : config.compose_files) {
    const auto path = clean_source_path(config.working_dir, file);
    if (!path) return invalid("invalid file path: " + printable(file, 200));
    const auto checked = check_source_file(root, *path);
    if (checked)
      found.push_back(*path);
    else if (checked.error().kind != Kind::not_found)
      return invalid("invalid file path: " + checked.error().message);
    else if (!config.compose_files_are_default)
      return invalid("could not find compose file: " + *path);
  }
  if (found.empty())
    return invalid(fmt::format("no compose files found in {}: looked for {}", config.working_dir,
                               join(config.compose_files, ", ")));
  return found;
}

Status check_compose_file(const SourceFiles& files, const std::string& path) {
  const auto text = read_source_file(files, path, kYamlBytesMax);
  if (!text) return tl::unexpected(text.error());
  const auto yaml = parse_yaml(*text, path, YamlTags::compose);
  if (!yaml) return tl::unexpected(yaml.error());
  if (yaml->documents.empty()) return fail(Kind::invalid, path + ": is empty");
  for (const auto* document : yaml->documents)
    if (document->kind != YamlNode::Kind::mapping)
      return fail(Kind::invalid, fmt::format("{}:{}: a compose file must be a mapping", path, document->line));
  return {};
}

}  // namespace windlass
