// .doco-cd.yaml: the YAML of strangers, and what a deploy configuration makes of it (config 3 and 4, reliability 8).
#include <algorithm>
#include <set>

#include "base/text.h"
#include "config/deploy_decoding.h"
#include "config/source_path.h"
#include "fuzz/fuzz.h"
#include "sys/json.h"

namespace windlass {
namespace {

constexpr std::string_view kFile = ".doco-cd.yaml";

// A plain walk over every node would take as long as the aliases repeat: the file owns each node once.
void check_nodes(const YamlFile& file) {
  require(file.nodes.size() <= kYamlNodesMax && file.documents.size() <= kYamlDocumentsMax, "the tree has its limits");
  for (const auto& node : file.nodes) {
    require(node.text.find('\0') == node.text.npos && is_valid_utf8(node.text), "a scalar is text");
    require(node.line >= 1 && node.column >= 1, "a node stands somewhere");
    std::set<std::string_view> keys;
    for (const auto& entry : node.entries) require(keys.insert(entry.key).second, "no key twice");
    for (const auto& entry : node.entries) require(entry.value != nullptr, "every key has a value");
    require(std::find(node.items.begin(), node.items.end(), nullptr) == node.items.end(), "every item is there");
  }
}

bool stays_inside(std::string_view base, const std::string& path) {
  const auto clean = clean_source_path(base, path);
  return clean && !clean->starts_with("/") && !clean->starts_with("-") && !("/" + *clean + "/").starts_with("/../");
}

void check_config(const DeployConfig& config) {
  const auto is_name_byte = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  if (config.name.empty())
    require(config.auto_discovery.enabled, "only the folders of a discovery may give the name");
  else
    require(std::all_of(config.name.begin(), config.name.end(), is_name_byte) && config.name[0] != '-' &&
                config.name[0] != '_',
            "the name is a project name");
  require(clean_source_path(".", config.working_dir) == config.working_dir, "the working directory is clean");
  require(!config.compose_files.empty(), "there are compose files");
  for (const auto& file : config.compose_files)
    require(clean_source_path(".", file) == file && stays_inside(config.working_dir, file), "compose files are inside");
  for (const auto& file : config.env_files) require(stays_inside(config.working_dir, file), "env files are inside");
  for (const auto& profile : config.profiles) require(!profile.starts_with("-"), "a profile is no option");
  for (const auto& [name, value] : config.environment)
    require(!name.empty() && name.find('=') == name.npos && value.find('\0') == value.npos, "variables can be passed");
  require(config.timeout_seconds >= 0, "the time-out is a time");
  (void)filter_matches(config, "refs/heads/main");
  const auto text = parse_json(config.text);
  require(text && canonical_json(*text) == config.text, "the canonical text is canonical");
}

}  // namespace

void fuzz(std::string_view input) {
  const auto file = parse_yaml(input, kFile);
  if (!file) {
    require(file.error().kind == Kind::invalid, "bad YAML is invalid");
    require(file.error().message.starts_with(kFile), "the message names the file");
    return require_printable(file.error().message);
  }
  check_nodes(*file);
  for (const auto* document : file->documents) {
    std::vector<std::string> faults, warnings;
    const auto config = decode_deploy_config(*document, kFile, faults, warnings);
    for (const auto& fault : faults) require_printable(fault);
    for (const auto& warning : warnings) require_printable(warning);
    if (faults.empty()) check_config(config);
  }
}

}  // namespace windlass
