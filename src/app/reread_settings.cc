#include "app/reread_settings.h"

#include <fmt/format.h>

#include <algorithm>

namespace windlass {
namespace {

constexpr std::string_view kMayBecomeEmpty = "WEBHOOK_SECRET_PREVIOUS_FILE";

std::string hash_in(const Settings& settings, const std::string& variable) {
  const auto found = settings.file_hashes.find(variable);
  return found == settings.file_hashes.end() ? "" : found->second;
}

void judge_change(const Settings& now, const Settings& next, std::vector<std::string>& faults) {
  for (const auto& [variable, hash] : next.file_hashes)
    if (hash.empty() && !hash_in(now, variable).empty() && variable != kMayBecomeEmpty)
      faults.push_back(fmt::format(
          "{}: the file is empty and was not before: if that is meant and not half of a change, restart", variable));
  if (next.notifications.is_on() && !now.notifications.is_on())
    faults.emplace_back("APPRISE_NOTIFY_URLS_FILE: notifications are switched on by a restart only");
}

}  // namespace

tl::expected<RereadSettings, SettingsError> read_settings_again(const Environment& environment, const Settings& now,
                                                                const SettingChecks& checks) {
  auto next = read_settings(environment, checks);
  if (!next) return tl::unexpected(std::move(next.error()));
  SettingsError error;
  judge_change(now, *next, error.faults);
  if (!error.faults.empty()) return tl::unexpected(std::move(error));

  RereadSettings result{.settings = *std::move(next), .changed = {}, .warnings = {}};
  for (const auto& [variable, hash] : result.settings.file_hashes)
    if (hash != hash_in(now, variable)) result.changed.push_back(variable);
  std::ranges::copy_if(result.settings.warnings, std::back_inserter(result.warnings), [&](const auto& warning) {
    return std::ranges::find(now.warnings, warning) == now.warnings.end();
  });
  return result;
}

}  // namespace windlass
