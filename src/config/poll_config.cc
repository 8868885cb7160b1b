#include "config/poll_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/deploy_config.h"
#include "config/inline_deployments.h"
#include "config/key_reader.h"
#include "config/poll_interval.h"
#include "model/target.h"

namespace windlass {
namespace {

constexpr std::chrono::seconds kIntervalMin{10};

std::string shown(std::string_view value) { return printable(value, 200); }

void check_source(KeyReader& read) {
  std::string source = "git";
  read.text("source", source);
  source = lower(trim(source));
  if (source == "git" || source.empty())
    read.fault("source", "git, the default, is not built yet in this version of windlass: write source: oci");
  else if (source != "oci")
    read.fault("source", fmt::format("invalid source type \"{}\": must be \"git\" or \"oci\"", shown(source)));
}

void decode_url(KeyReader& read, const ArtifactCheck& is_artifact, PollConfig& config) {
  read.text("url", config.url);
  config.url = trim(config.url);
  if (config.url.empty()) return read.fault("url", "key not found: url");
  if (const auto good = is_artifact(config.url); !good)
    read.fault("url", fmt::format("invalid OCI artifact reference: {}", good.error().message));
}

void decode_interval(KeyReader& read, PollOrigin origin, PollConfig& config, std::vector<std::string>& warnings) {
  const auto* value = read.take("interval");
  if (value == nullptr) return;
  if (value->is_null()) {
    warnings.push_back(fmt::format("{}: is empty, {}s is used", read.place("interval"), config.interval.count()));
    return;
  }
  const auto interval = parse_poll_interval(*value);
  if (!interval) return read.undecodable("interval", interval.error().message);
  config.interval = *interval;
  if (origin == PollOrigin::settings && config.interval.count() != 0 && config.interval < kIntervalMin)
    read.fault("interval", fmt::format("poll interval too low: must be at least {}s", kIntervalMin.count()));
}

void decode_target(KeyReader& read, PollConfig& config) {
  read.text("target", config.target);
  config.target = trim(config.target);
  if (!is_target(config.target)) read.fault("target", fmt::format("invalid target \"{}\"", shown(config.target)));
}

void decode_deployments(KeyReader& read, std::string_view place, PollConfig& config, std::vector<std::string>& faults,
                        std::vector<std::string>& warnings) {
  const auto* list = read.take("deployments");
  if (list == nullptr || list->is_null()) return;
  if (list->kind != YamlNode::Kind::sequence) return read.wrong_type("deployments", "a list", *list);
  config.deployments = decode_inline_deployments(*list, place, faults, warnings);
}

// Keys that mean something for Git only; their types are checked all the same.
void pass_over_git_keys(KeyReader& read) {
  std::string reference;  // an artifact's is in its url
  read.text("reference", reference);
  bool watch = true;
  read.flag("watch", watch);
}

void sort_in(std::vector<std::string> found, PollFaults& faults) {
  for (auto& fault : found) {
    auto& list = fault.starts_with(kUndecodable) ? faults.undecodable : faults.invalid;
    list.push_back(std::move(fault));
  }
}

}  // namespace

PollConfig decode_poll_config(const YamlNode& entry, std::string_view place, PollOrigin origin,
                              const ArtifactCheck& is_artifact, PollFaults& faults) {
  PollConfig config;
  std::vector<std::string> found;
  KeyReader read(entry, place, found);
  if (entry.kind != YamlNode::Kind::mapping) {
    read.undecodable("", "expected a mapping of poll keys");
  } else {
    check_source(read);
    decode_url(read, is_artifact, config);
    decode_interval(read, origin, config, faults.warnings);
    decode_target(read, config);
    read.flag("run_once", config.run_once);
    decode_deployments(read, place, config, found, faults.warnings);
    pass_over_git_keys(read);
    for (auto& unknown : read.unknown_keys()) faults.warnings.push_back(std::move(unknown));
  }
  if (origin == PollOrigin::request) config.run_once = true, config.interval = std::chrono::seconds(0);
  sort_in(std::move(found), faults);
  return config;
}

std::vector<PollConfig> read_poll_configs(std::string_view text, std::string_view variable,
                                          const ArtifactCheck& is_artifact, PollFaults& faults) {
  const auto refuse = [&](std::string_view why) {
    faults.undecodable.push_back(fmt::format("{}{}", kUndecodable, why));
    return std::vector<PollConfig>();
  };
  const auto file = parse_yaml(text, variable);
  if (!file) return refuse(file.error().message);
  if (file->documents.empty()) return {};
  const auto& list = *file->documents.front();
  if (file->documents.size() > 1) return refuse(fmt::format("{}: more than one YAML document", variable));
  if (list.kind != YamlNode::Kind::sequence)
    return refuse(fmt::format("{}:{}: expected a list of poll configurations", variable, list.line));

  std::vector<PollConfig> configs;
  for (const auto* entry : list.items) {
    auto config = decode_poll_config(*entry, variable, PollOrigin::settings, is_artifact, faults);
    if (std::ranges::find(configs, config) != configs.end())
      faults.warnings.push_back(fmt::format("{}:{}: the same entry stands there twice", variable, entry->line));
    configs.push_back(std::move(config));
  }
  return configs;
}

}  // namespace windlass
