#include "config/deploy_decoding.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "config/context_key.h"
#include "config/external_secrets_key.h"
#include "config/idle_keys.h"
#include "config/key_reader.h"
#include "config/reconciliation_key.h"
#include "config/rollback_key.h"
#include "config/source_path.h"
#include "config/switch_keys.h"

namespace windlass {
namespace {

constexpr std::string_view kLayout = "doco.v1";
constexpr std::size_t kNameBytesMax = 128;  // it becomes part of container, network and volume names
constexpr std::string_view kNameRule = "a compose project name is [a-z0-9][a-z0-9_-]*";

bool is_project_name(std::string_view name) {
  const auto is_letter_or_digit = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= kNameBytesMax && is_letter_or_digit(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_letter_or_digit(c) || c == '_' || c == '-'; });
}

// compose's own rule, [a-zA-Z0-9][a-zA-Z0-9_.-]+, or "*" for all of them; one letter does no harm.
bool is_profile(std::string_view profile) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.' || c == '-'; };
  return profile == "*" || (!profile.empty() && std::isalnum(static_cast<unsigned char>(profile[0])) &&
                            std::all_of(profile.begin(), profile.end(), fits));
}

std::string shown(std::string_view value) { return printable(value, 100); }

void decode_name(KeyReader& read, DeployConfig& config) {
  read.text("name", config.name);
  const auto* node = read.take("name");
  if (config.name.empty()) {
    if (config.auto_discovery.enabled) return;  // the folders have names
    if (node == nullptr || node->kind == YamlNode::Kind::scalar)
      read.fault("name", fmt::format("key not found: name ({})", kNameRule));
  } else if (!is_project_name(config.name)) {
    read.fault("name", fmt::format("\"{}\" is not a valid name: {}", shown(config.name), kNameRule));
  }
}

void decode_version(KeyReader& read, std::string_view file, DeployConfig& config) {
  std::string source = "git";
  read.text("source", source);
  source = lower(trim(source));
  if (source != "git" && source != "oci" && !source.empty())
    read.fault("source", fmt::format("invalid source type \"{}\": must be \"git\" or \"oci\"", shown(source)));
  read.text("version", config.version);
  config.version = trim(config.version);
  if (config.version.empty()) config.version = kLayout;
  if (config.version != kLayout)
    read.fault("version", fmt::format("unsupported oci version \"{}\": expected layout={} in {}", shown(config.version),
                                      kLayout, file));
}

void decode_working_dir(KeyReader& read, DeployConfig& config) {
  std::string written = config.working_dir;
  read.text("working_dir", written);
  std::string_view relative = written;
  while (relative.starts_with('/')) relative.remove_prefix(1);
  const auto clean = clean_source_path(".", relative.empty() ? "." : relative);
  if (clean)
    config.working_dir = *clean;
  else
    read.fault("working_dir", "invalid file path: " + shown(written));
}

void decode_compose_files(KeyReader& read, DeployConfig& config) {
  read.list("compose_files", config.compose_files);
  if (config.compose_files.empty()) read.fault("compose_files", "key not found: compose_files");
  for (auto& file : config.compose_files) {
    const auto clean = clean_source_path(".", file);
    if (clean && *clean != ".")
      file = *clean;
    else
      read.fault("compose_files", "invalid file path: " + shown(file));
  }
  config.compose_files_are_default = config.compose_files == default_compose_files();
}

void decode_environment(KeyReader& read, DeployConfig& config) {
  auto inherited = std::move(config.environment);
  config.environment.clear();
  read.map("environment", config.environment);
  config.environment.merge(inherited);  // keeps what the document says itself
  for (const auto& [name, value] : config.environment)
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != name.npos)
      read.fault("environment", fmt::format("\"{}\" is not the name of a variable", shown(name)));

  if (read.has("env_files")) config.env_files_are_default = false;
  read.list("env_files", config.env_files);
  for (const auto& file : config.env_files) {
    if (file.starts_with("remote:"))
      read.fault("env_files", fmt::format("\"{}\": remote: is not supported for OCI sources", shown(file)));
    else if (!clean_source_path(config.working_dir, file))
      read.fault("env_files", "invalid file path: " + shown(file));
  }
}

void decode_profiles(KeyReader& read, DeployConfig& config) {
  read.list("profiles", config.profiles);
  for (const auto& profile : config.profiles)
    if (!is_profile(profile))
      read.fault("profiles", fmt::format("\"{}\" is not the name of a profile", shown(profile)));
}

// Arguments of a nested file come on top, name by name (config 8).
void decode_build(KeyReader& read, std::string_view file, const TrustNotes& notes, BuildRule& build) {
  const auto* node = read.take("build");
  if (node == nullptr || node->is_null()) return;
  if (node->kind != YamlNode::Kind::mapping) return read.wrong_type("build", "a mapping", *node);
  KeyReader members(*node, file, notes.faults);
  members.flag("force_image_pull", build.force_image_pull);
  members.flag("no_cache", build.no_cache);
  members.flag("quiet", build.quiet);
  auto inherited = std::move(build.args);
  build.args.clear();
  members.map("args", build.args);
  build.args.merge(inherited);
  for (auto& unknown : members.unknown_keys()) notes.warnings.push_back(std::move(unknown));
}

void decode_webhook_filter(KeyReader& read, DeployConfig& config) {
  read.text("webhook_filter", config.webhook_filter);
  const re2::RE2 filter(config.webhook_filter, re2::RE2::Quiet);
  if (!filter.ok()) read.fault("webhook_filter", "invalid webhook_filter: " + shown(filter.error()));
}

void decode_trust(KeyReader& read, std::string_view file, ConfigPlace place, const TrustNotes& notes,
                  DeployConfig& config) {
  const auto* node = read.take("oci");
  if (node == nullptr || node->is_null()) return;
  if (place == ConfigPlace::inline_deployment)
    config.trust = decode_trust_override(*node, file, notes);
  else if (!node->entries.empty())
    notes.warnings.push_back(fmt::format(
        "{}:{}: oci: has no effect in an artifact: only OCI_TRUST_POLICY and inline deployments say what is "
        "trusted",
        file, node->line));
}

void decode_timeout(KeyReader& read, DeployConfig& config) {
  read.integer("timeout", config.timeout_seconds);
  if (config.timeout_seconds < 0) read.fault("timeout", fmt::format("must be >= 0, found {}", config.timeout_seconds));
  if (config.timeout_seconds > kTimeoutSecondsMax)
    read.fault("timeout",
               fmt::format("must be <= {} seconds (one day), found {}", kTimeoutSecondsMax, config.timeout_seconds));
}

// All keys that a nested file may hold as well, but the name.
void decode_keys(KeyReader& read, std::string_view file, ConfigPlace place, const TrustNotes& notes,
                 DeployConfig& config) {
  decode_version(read, file, config);
  decode_working_dir(read, config);
  decode_context(read, config);
  decode_compose_files(read, config);
  decode_environment(read, config);
  decode_external_secrets(read, file, notes.faults, notes.warnings, config.external_secrets);
  decode_profiles(read, config);
  read.flag("remove_orphans", config.remove_orphans);
  read.flag("force_recreate", config.force_recreate);
  read.flag("force_image_pull", config.force_image_pull);
  read.flag("prune_images", config.prune_images);
  read.flag("adopt", config.adopt);
  decode_build(read, file, notes, config.build);
  decode_timeout(read, config);
  decode_webhook_filter(read, config);
  decode_destroy(read, file, notes.faults, notes.warnings, config.destroy);
  if (auto rule = decode_rollback(read, file, notes.faults, notes.warnings, config.rollback)) config.rollback = *rule;
  decode_trust(read, file, place, notes, config);
  decode_reconciliation(read, file, notes.faults, notes.warnings, config.reconciliation);
  check_idle_keys(read, file, notes.faults, notes.warnings);
  for (auto& unknown : read.unknown_keys()) notes.warnings.push_back(std::move(unknown));
}

json::object to_json(const BuildRule& build) {
  return {{"force_image_pull", build.force_image_pull},
          {"no_cache", build.no_cache},
          {"quiet", build.quiet},
          {"args", json::value_from(build.args)}};
}

}  // namespace

json::object to_json(const DeployConfig& config) {
  json::object object{{"name", config.name},
                      {"version", config.version},
                      {"reference", config.reference},
                      {"working_dir", config.working_dir},
                      {"compose_files", json::value_from(config.compose_files)},
                      {"environment", json::value_from(config.environment)},
                      {"profiles", json::value_from(config.profiles)},
                      {"remove_orphans", config.remove_orphans},
                      {"force_recreate", config.force_recreate},
                      {"force_image_pull", config.force_image_pull},
                      {"timeout", config.timeout_seconds},
                      {"webhook_filter", config.webhook_filter}};
  if (!config.context.empty()) object["context"] = config.context;
  if (config.remote_paths) object["remote_paths"] = true;
  if (!config.prune_images) object["prune_images"] = false;
  if (config.adopt) object["adopt"] = true;
  if (config.build != BuildRule{}) object["build"] = to_json(config.build);
  if (config.destroy != Destroy{}) object["destroy"] = to_json(config.destroy);
  if (config.reconciliation != ReconciliationRule{}) object["reconciliation"] = to_json(config.reconciliation);
  if (config.auto_discovery != AutoDiscovery{}) object["auto_discovery"] = to_json(config.auto_discovery);
  if (!config.external_secrets.empty()) object["external_secrets"] = to_json(config.external_secrets);
  if (!config.env_files_are_default) object["env_files"] = json::value_from(config.env_files);
  if (config.rollback) object["rollback"] = to_json(*config.rollback);
  if (!config.trust.empty()) object["oci"] = to_json(config.trust);
  return object;
}

void find_duplicate_names(const std::vector<DeployConfig>& stacks, std::vector<std::string>& faults) {
  std::set<StackId> ids;
  const auto has_name = [](const DeployConfig& stack) {
    return !stack.name.empty() && (stack.is_discovered || !stack.auto_discovery.enabled);
  };
  for (const auto& stack : stacks)
    if (has_name(stack) && !ids.insert(stack.id()).second)
      faults.push_back(fmt::format("duplicate project/stack name found in configuration file: {}",
                                   printable(stack.id().str(), 200)));
}

const std::vector<std::string>& default_compose_files() {
  static const std::vector<std::string> files = {"compose.yaml", "compose.yml", "docker-compose.yml",
                                                 "docker-compose.yaml"};
  return files;
}

DeployConfig decode_deploy_config(const YamlNode& document, std::string_view file, std::vector<std::string>& faults,
                                  std::vector<std::string>& warnings, ConfigPlace place) {
  DeployConfig config{.compose_files = default_compose_files()};
  KeyReader read(document, file, faults);
  if (document.kind != YamlNode::Kind::mapping) {
    read.undecodable("", "expected a mapping of deploy keys");
    return config;
  }
  decode_auto_discovery(read, file, faults, warnings, config.auto_discovery);
  read.text("reference", config.reference);
  decode_name(read, config);
  decode_keys(read, file, place, {faults, warnings}, config);
  finish(config);
  return config;
}

void decode_nested_config(const YamlNode& document, std::string_view file, DeployConfig& config,
                          std::vector<std::string>& faults, std::vector<std::string>& warnings) {
  KeyReader read(document, file, faults);
  if (document.kind != YamlNode::Kind::mapping) return read.undecodable("", "expected a mapping of deploy keys");
  for (const auto* key : {"auto_discovery", "reference", "repository_url", "git_depth"})
    if (const auto* node = read.take(key); node != nullptr && !node->is_null())
      warnings.push_back(fmt::format("{}: has no effect in a nested file", read.place(key)));
  read.text("name", config.name);
  decode_keys(read, file, ConfigPlace::artifact, {faults, warnings}, config);
}

void check_stack(const DeployConfig& config, const std::string& folder, std::vector<std::string>& faults) {
  if (config.name.empty())
    faults.push_back(fmt::format("auto_discovery: {} holds a compose file and needs the key name", folder));
  else if (!is_project_name(config.name))
    faults.push_back(
        fmt::format("auto_discovery: {}: \"{}\" is not a valid name: {}; a .doco-cd.yaml in the folder may "
                    "give another",
                    folder, shown(config.name), kNameRule));
}

void finish(DeployConfig& config) { config.text = canonical_json(to_json(config)); }

}  // namespace windlass
