#include "config/notification_settings.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/scalars.h"
#include "config/setting_reader.h"
#include "sys/url.h"

namespace windlass {
namespace {

// "%40" is "@": user and password are written so in a URL, and sent as they are.
std::string percent_decoded(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const auto byte = text[0] == '%' ? from_hex(text.substr(1, 2)) : std::nullopt;
    const bool is_escape = byte && byte->size() == 1;
    plain += is_escape ? byte->front() : text[0];
    text.remove_prefix(is_escape ? 3 : 1);
  }
  return plain;
}

// Cuts "user:password@" out of the URL, which our HTTP client does not take in one.
std::string take_user_info(std::string& url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == url.npos) return "";
  const auto begin = scheme_end + 3;
  const auto at = url.substr(0, url.find_first_of("/?#", begin)).rfind('@');
  if (at == url.npos || at < begin) return "";
  auto user_info = percent_decoded(std::string_view(url).substr(begin, at - begin));
  url.erase(begin, at + 1 - begin);
  if (user_info.find(':') == user_info.npos) user_info += ':';
  return user_info;
}

void read_api_url(SettingReader& read, NotificationSettings& settings) {
  std::string text(trim(read.text("APPRISE_API_URL")));
  if (text.empty()) return;
  settings.api_credentials = Secret(take_user_info(text));
  // libcurl's parser takes the first word of the path for a host that is missing
  const auto url = text.find(":///") == text.npos ? parse_url(text) : fail(Kind::invalid, "no host");
  if (url)
    settings.api_url = url->str();
  else
    read.fault("APPRISE_API_URL: not an http or https URL with a host, such as http://apprise:8000/notify");
}

void read_level(SettingReader& read, NotificationSettings& settings) {
  const auto value = read.text("APPRISE_NOTIFY_LEVEL");
  if (value.empty()) return;
  if (const auto level = parse_notification_level(value))
    settings.level_min = *level;
  else
    read.fault(fmt::format("APPRISE_NOTIFY_LEVEL: {}: invalid level, must be one of info, success, warning, failure",
                           shown(value)));
}

void read_repeat_interval(SettingReader& read, NotificationSettings& settings) {
  const auto value = read.text("APPRISE_NOTIFY_REPEAT_INTERVAL");
  if (value.empty()) return;
  if (const auto span = parse_duration(value))
    settings.repeat_interval = std::chrono::duration_cast<std::chrono::milliseconds>(*span);
  else
    read.fault(
        fmt::format("APPRISE_NOTIFY_REPEAT_INTERVAL: {} is not a duration such as 90s, 30m or 1h30m", shown(value)));
}

}  // namespace

NotificationSettings read_notification_settings(SettingReader& read) {
  NotificationSettings settings;
  read_api_url(read, settings);
  settings.urls = read.secret("APPRISE_NOTIFY_URLS");
  read_level(read, settings);
  read_repeat_interval(read, settings);
  settings.body_template = read.text_or_file("APPRISE_NOTIFY_BODY_TEMPLATE");
  if (read.is_set("APPRISE_API_URL") && settings.urls.empty())
    read.warn("APPRISE_API_URL has no effect without APPRISE_NOTIFY_URLS");
  if (!read.is_set("APPRISE_API_URL") && !settings.urls.empty())
    read.warn("APPRISE_NOTIFY_URLS has no effect without APPRISE_API_URL");
  return settings;
}

}  // namespace windlass
