#include "config/reconciliation_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"
#include "config/signal_name.h"
#include "config/switch_keys.h"

namespace windlass {
namespace {

// A restart has the stack's lock so long: jobs of the stack wait for it, and a job's own time runs meanwhile.
constexpr int kRestartTimeoutMax = 3600;

constexpr std::array<std::string_view, 7> kEvents = {"die", "destroy", "update", "stop", "kill", "oom", "unhealthy"};

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

void decode_events(KeyReader& members, ReconciliationRule& rule) {
  if (!members.has("events")) return;
  std::vector<std::string> written;
  members.list("events", written);
  rule.events.clear();
  for (const auto& item : written) {
    auto event = lower(trim(item));
    if (event == "remove" || event == "delete") event = "destroy";
    if (event.empty())
      members.fault("events", "reconciliation.events contains an empty event");
    else if (std::ranges::find(kEvents, event) == kEvents.end())
      members.fault("events", fmt::format("unsupported reconciliation event \"{}\": must be one of {}",
                                          printable(item, 100), fmt::join(kEvents, ", ")));
    else
      rule.events.insert(std::move(event));
  }
}

void decode_number(KeyReader& members, const std::string& key, int& target) {
  members.integer(key, target);
  if (target < 0) members.fault(key, fmt::format("reconciliation.{} must be >= 0, found {}", key, target));
}

}  // namespace

void decode_reconciliation(KeyReader& read, std::string_view file, std::vector<std::string>& faults,
                           std::vector<std::string>& warnings, ReconciliationRule& rule) {
  const auto* mapping = mapping_of(read, "reconciliation", rule.enabled);
  if (mapping == nullptr) return;
  KeyReader members(*mapping, file, faults);
  members.flag("enabled", rule.enabled);
  decode_events(members, rule);
  decode_number(members, "restart_timeout", rule.restart_timeout_seconds);
  if (rule.restart_timeout_seconds > kRestartTimeoutMax)
    members.fault("restart_timeout", fmt::format("reconciliation.restart_timeout must be <= {} seconds, found {}",
                                                 kRestartTimeoutMax, rule.restart_timeout_seconds));
  members.text("restart_signal", rule.restart_signal);
  rule.restart_signal = upper(trim(rule.restart_signal));
  if (!rule.restart_signal.empty() && !is_signal(rule.restart_signal))
    members.fault("restart_signal", fmt::format("reconciliation.restart_signal \"{}\" is not a signal",
                                                printable(rule.restart_signal, 64)));
  decode_number(members, "restart_limit", rule.restart_limit);
  decode_number(members, "restart_window", rule.restart_window_seconds);
  if (rule.restart_limit > 0 && rule.restart_window_seconds == 0)
    members.fault("restart_window",
                  "reconciliation.restart_window must be > 0 when reconciliation.restart_limit is set");
  for (auto& unknown : members.unknown_keys()) warnings.push_back(std::move(unknown));
}

json::object to_json(const ReconciliationRule& rule) {
  return {{"enabled", rule.enabled},
          {"events", json::value_from(rule.events)},
          {"restart_timeout", rule.restart_timeout_seconds},
          {"restart_signal", rule.restart_signal},
          {"restart_limit", rule.restart_limit},
          {"restart_window", rule.restart_window_seconds}};
}

ReconciliationRule reconciliation_of(const json::value& value) {
  ReconciliationRule rule;
  const auto* object = value.if_object();
  if (object == nullptr) return rule;
  if (const auto* enabled = object->if_contains("enabled"); enabled != nullptr && enabled->is_bool())
    rule.enabled = enabled->get_bool();
  if (const auto* events = array_of(*object, "events")) {
    rule.events.clear();
    for (const auto& event : *events)
      if (event.is_string()) rule.events.emplace(event.get_string());
  }
  rule.restart_timeout_seconds = number_of(*object, "restart_timeout", rule.restart_timeout_seconds);
  rule.restart_signal = text_of(*object, "restart_signal");
  rule.restart_limit = number_of(*object, "restart_limit", rule.restart_limit);
  rule.restart_window_seconds = number_of(*object, "restart_window", rule.restart_window_seconds);
  return rule;
}

}  // namespace windlass
