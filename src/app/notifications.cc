#include "app/notifications.h"

#include <utility>

namespace windlass {
namespace {

constexpr std::string_view kStep = "failed to configure notifications";

}  // namespace

Result<Notifier::Recipient> recipient_of(const NotificationSettings& settings) {
  Notifier::Recipient recipient{
      .apprise = {.api_url = settings.api_url, .credentials = settings.api_credentials, .urls = settings.urls}};
  if (settings.body_template.empty()) return recipient;
  auto parsed = BodyTemplate::parse(settings.body_template);
  if (!parsed) return while_doing(kStep, while_doing("APPRISE_NOTIFY_BODY_TEMPLATE", parsed.error()).value());
  recipient.body = *std::move(parsed);
  return recipient;
}

Result<std::unique_ptr<Notifier>> open_notifier(const NotificationSettings& settings, const NotifierParts& parts) {
  auto db = Db::open(parts.state.state_file());
  if (!db) return tl::unexpected(db.error());
  if (!settings.is_on()) {
    auto forgotten = ToldRuns::forget(**db);
    if (!forgotten) return tl::unexpected(forgotten.error());
    return std::unique_ptr<Notifier>();
  }
  auto recipient = recipient_of(settings);
  if (!recipient) return tl::unexpected(recipient.error());
  auto notifier = Notifier::open({.recipient = *std::move(recipient),
                                  .level_min = settings.level_min,
                                  .repeat_interval = settings.repeat_interval,
                                  .observer = &parts.observer},
                                 *std::move(db), parts.transport, parts.clock, parts.log);
  if (!notifier) return while_doing(kStep, notifier.error());
  const auto failed = parts.queue.runs({.status = RunStatus::failed, .limit = ToldRuns::kLookedAtMax});
  if (!failed) return tl::unexpected(failed.error());
  if (auto caught_up = (*notifier)->catch_up(*failed); !caught_up) return tl::unexpected(caught_up.error());
  return notifier;
}

}  // namespace windlass
