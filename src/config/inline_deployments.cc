#include "config/inline_deployments.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/auto_discovery.h"
#include "config/deploy_decoding.h"
#include "config/yaml_from_json.h"
#include "sys/json.h"

namespace windlass {
namespace {

constexpr std::string_view kName = "inline deployments";

std::vector<DeployConfig> decode_list(const YamlNode& list, std::string_view file, std::vector<std::string>& faults,
                                      std::vector<std::string>& warnings) {
  std::vector<DeployConfig> stacks;
  for (const auto* item : list.items)
    stacks.push_back(decode_deploy_config(*item, file, faults, warnings, ConfigPlace::inline_deployment));
  find_duplicate_names(stacks, faults);
  return stacks;
}

}  // namespace

std::string decode_inline_deployments(const YamlNode& list, std::string_view file, std::vector<std::string>& faults,
                                      std::vector<std::string>& warnings) {
  json::array array;
  for (const auto& stack : decode_list(list, file, faults, warnings)) array.push_back(to_json(stack));
  return array.empty() ? "" : canonical_json(array);
}

Result<DeployConfigs> read_inline_deployments(std::string_view text) {
  const auto value = parse_json(text);
  if (!value) return while_doing(kName, value.error());
  const auto file = yaml_from_json(*value, JsonKeys::as_written);
  std::vector<std::string> faults, warnings;
  DeployConfigs configs{.file = std::string(kName)};
  configs.stacks = decode_list(*file.documents.front(), kName, faults, warnings);
  faults.insert(faults.end(), warnings.begin(), warnings.end());  // we wrote it: no key of it is unknown
  for (auto& stack : configs.stacks) stack.is_inline = true;
  if (configs.stacks.empty()) faults.emplace_back("no deployments found");
  if (!faults.empty()) return fail(Kind::invalid, fmt::format("invalid {}: {}", kName, join(faults, "; ")));
  return configs;
}

Result<DeployConfigs> load_inline_deployments(std::string_view text, const SourceFiles& files) {
  auto configs = read_inline_deployments(text);
  if (!configs) return configs;
  std::vector<std::string> faults;
  discover_stacks(files, *configs, faults, configs->warnings);
  if (!faults.empty()) return fail(Kind::invalid, fmt::format("invalid deploy configuration: {}", join(faults, "; ")));
  return configs;
}

}  // namespace windlass
