#include "config/deploy_config.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"
#include "config/auto_discovery.h"
#include "config/deploy_decoding.h"
#include "config/source_path.h"
#include "config/yaml.h"
#include "model/target.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> invalid(std::string_view fault) {
  return fail(Kind::invalid, fmt::format("invalid deploy configuration: {}", fault));
}

struct FoundFile {
  std::string path;     // relative to the root
  std::string name;     // of the file
  std::string warning;  // about the one that is ignored
};

Result<FoundFile> find_config_file(const fs::path& root, const std::string& target, const std::string& base_dir) {
  const std::string stem = target.empty() ? ".doco-cd" : ".doco-cd." + target;
  const std::string yaml = stem + ".yaml", yml = stem + ".yml";
  const auto base = fs::path(base_dir).relative_path().lexically_normal();
  const bool has_base = !base.empty() && base != ".";
  const auto exists = [&](const fs::path& path) {
    std::error_code ignored;
    return fs::symlink_status(root / path, ignored).type() != fs::file_type::not_found;
  };
  for (const auto& folder : has_base ? std::vector<fs::path>{base, ""} : std::vector<fs::path>{""}) {
    for (const auto& name : {yaml, yml}) {
      if (!exists(folder / name)) continue;
      std::error_code ignored;
      if (!fs::is_regular_file(fs::symlink_status(root / folder / name, ignored)))
        return fail(Kind::invalid,
                    fmt::format("invalid OCI artifact layout: {} is not a regular file", (folder / name).string()));
      FoundFile found{.path = folder / name, .name = name};
      if (name == yaml && exists(folder / yml)) found.warning = fmt::format("{} is ignored: {} is used", yml, yaml);
      return found;
    }
  }
  // The texts of config 3 and oci 7 together: tools look for either.
  return fail(
      Kind::invalid,
      fmt::format("configuration file not found in repository: {}.y(a)ml (invalid OCI artifact layout: expected {} "
                  "or {} at artifact root{})",
                  stem, yml, yaml, has_base ? " or in " + base.string() : ""));
}

}  // namespace

bool filter_matches(const DeployConfig& config, const std::string& ref) {
  if (config.webhook_filter.empty()) return true;
  const re2::RE2 filter(config.webhook_filter, re2::RE2::Quiet);
  return filter.ok() && re2::RE2::PartialMatch(ref, filter);
}

Result<DeployConfigs> load_deploy_configs(const SourceFiles& files, const std::string& target,
                                          const DeployConfigOptions& options) {
  if (!is_target(target)) return fail(Kind::invalid, fmt::format("invalid target \"{}\"", printable(target, 200)));
  auto found = find_config_file(files.root, target, options.base_dir);
  if (!found) return tl::unexpected(found.error());
  const auto text = read_source_file(files, found->path, kYamlBytesMax);
  if (!text) return while_doing("invalid deploy configuration", text.error());
  const auto file = parse_yaml(*text, found->name);
  if (!file) return invalid("failed to decode yaml: " + file.error().message);
  if (file->documents.empty()) return invalid("no yaml documents found in file " + found->name);

  DeployConfigs configs{.file = found->name};
  std::vector<std::string> faults, unknown;
  for (const auto* document : file->documents)
    configs.stacks.push_back(decode_deploy_config(*document, found->name, faults, unknown));
  if (faults.empty()) discover_stacks(files, configs, faults, unknown);
  if (options.strict) faults.insert(faults.end(), unknown.begin(), unknown.end());
  if (!faults.empty()) return invalid(join(faults, "; "));
  if (!found->warning.empty()) configs.warnings.push_back(found->warning);
  if (!options.strict) configs.warnings.insert(configs.warnings.end(), unknown.begin(), unknown.end());
  return configs;
}

}  // namespace windlass
