// Whom to tell of deployments, and of which: the APPRISE_* settings (config 2, api 6.1).
#pragma once

#include <chrono>
#include <string>

#include "base/secret.h"
#include "model/notification_level.h"

namespace windlass {

class SettingReader;

struct NotificationSettings {
  std::string api_url;     // http or https, without user info
  Secret api_credentials;  // "user:password" of that URL, as it has to be sent; empty: none
  Secret urls;             // comma separated, passed through to Apprise
  NotificationLevel level_min = NotificationLevel::success;
  std::chrono::milliseconds repeat_interval = std::chrono::hours(1);  // 0 or less: every failure is told
  std::string body_template;                                          // as given; empty: the built-in body

  bool is_on() const { return !api_url.empty() && !urls.empty(); }  // A1
};

// Faults name the variable and the rule; URLs are not shown, they hold tokens.
NotificationSettings read_notification_settings(SettingReader& read);

}  // namespace windlass
