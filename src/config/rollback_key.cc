#include "config/rollback_key.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/scalars.h"

namespace windlass {
namespace {

constexpr int kKeepMax = 100;  // rows of that many releases are kept (deploy/V1)
constexpr auto kStableMax = std::chrono::hours(1);

void decode_on(KeyReader& read, RollbackRule& rule) {
  const auto* node = read.take("on");
  if (node == nullptr) return;
  std::vector<std::string> names;
  read.list("on", names);
  rule.on_failed = rule.on_unhealthy = rule.on_timeout = false;
  for (const auto& name : names) {
    if (name == "failed")
      rule.on_failed = true;
    else if (name == "unhealthy")
      rule.on_unhealthy = true;
    else if (name == "timeout")
      rule.on_timeout = true;
    else
      read.fault("on", fmt::format("rollback.on: \"{}\" is none of unhealthy, failed, timeout", printable(name, 100)));
  }
  const bool is_list = node->is_null() || node->kind == YamlNode::Kind::sequence;  // else that is a fault already
  if (is_list && node->items.empty())
    read.fault("on", "rollback.on names none of unhealthy, failed, timeout: write rollback: false instead");
}

void decode_stable_for(KeyReader& read, RollbackRule& rule) {
  const auto* node = read.take("stable_for");
  if (node == nullptr || node->is_null()) return;
  std::string text;
  read.text("stable_for", text);
  if (node->kind != YamlNode::Kind::scalar) return;  // which is a fault already
  const auto span = parse_duration(text);
  if (!span || *span < std::chrono::seconds(0) || *span > kStableMax)
    return read.fault(
        "stable_for",
        fmt::format("rollback.stable_for: \"{}\" is not a duration from 0s to 1h, such as 10s", printable(text, 100)));
  rule.stable_for = std::chrono::round<std::chrono::milliseconds>(*span);
}

RollbackRule decode_mapping(const YamlNode& mapping, std::string_view file, std::vector<std::string>& faults,
                            std::vector<std::string>& warnings, RollbackRule rule) {
  KeyReader read(mapping, file, faults);
  bool enabled = true;
  read.flag("enabled", enabled);
  decode_on(read, rule);
  read.integer("keep", rule.keep);
  if (rule.keep < 1 || rule.keep > kKeepMax)
    read.fault("keep", fmt::format("rollback.keep must be from 1 to {}, found {}", kKeepMax, rule.keep));
  decode_stable_for(read, rule);
  for (auto& unknown : read.unknown_keys()) warnings.push_back(std::move(unknown));
  if (!enabled) rule.on_failed = rule.on_unhealthy = rule.on_timeout = false;
  return rule;
}

}  // namespace

std::optional<RollbackRule> decode_rollback(KeyReader& read, std::string_view file, std::vector<std::string>& faults,
                                            std::vector<std::string>& warnings,
                                            const std::optional<RollbackRule>& inherited) {
  const auto* node = read.take("rollback");
  if (node == nullptr || node->is_null()) return std::nullopt;
  if (node->kind == YamlNode::Kind::mapping) {
    const bool has_rule = inherited && inherited->enabled();
    return decode_mapping(*node, file, faults, warnings, has_rule ? *inherited : RollbackRule::always());
  }
  if (const auto flag = yaml_bool(*node); flag && !node->quoted) return *flag ? RollbackRule::always() : RollbackRule{};
  read.fault("rollback", "invalid rollback value: expected bool or object");
  return std::nullopt;
}

json::value to_json(const RollbackRule& rule) {
  if (rule == RollbackRule{}) return false;
  json::object object{
      {"enabled", rule.enabled()}, {"keep", rule.keep}, {"stable_for", fmt::format("{}ms", rule.stable_for.count())}};
  if (!rule.enabled()) return object;
  json::array on;
  if (rule.on_unhealthy) on.emplace_back("unhealthy");
  if (rule.on_failed) on.emplace_back("failed");
  if (rule.on_timeout) on.emplace_back("timeout");
  object["on"] = std::move(on);
  return object;
}

}  // namespace windlass
