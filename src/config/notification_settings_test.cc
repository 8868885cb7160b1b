#include "config/notification_settings.h"

#include <gtest/gtest.h>

#include "config/settings.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using Faults = std::vector<std::string>;

const Environment kOn = {{"APPRISE_API_URL", "http://apprise:8000/notify"},
                         {"APPRISE_NOTIFY_URLS", "json://a,json://b"}};

NotificationSettings read_with(Environment more) {
  more.insert(kOn.begin(), kOn.end());
  const auto settings = read_settings(more);
  EXPECT_TRUE(settings) << settings.error().faults.front();
  return settings ? settings->notifications : NotificationSettings();
}

Faults faults_with(Environment more) {
  more.insert(kOn.begin(), kOn.end());
  const auto settings = read_settings(more);
  return settings ? Faults() : settings.error().faults;
}

TEST(NotificationSettings, AreOffUnlessBothUrlsAreThere) {  // api/A1
  EXPECT_FALSE(read_settings({})->notifications.is_on());
  EXPECT_TRUE(read_with({}).is_on());
  for (const auto& [name, value] : kOn) {
    const auto settings = read_settings({{name, value}});
    ASSERT_TRUE(settings);
    EXPECT_FALSE(settings->notifications.is_on());
    const std::string other = name == "APPRISE_API_URL" ? "APPRISE_NOTIFY_URLS" : "APPRISE_API_URL";
    EXPECT_EQ(settings->warnings, Faults{name + " has no effect without " + other});
  }
}

TEST(NotificationSettings, HaveTheDefaultsOfThePage) {  // config 2
  const auto settings = read_with({});
  EXPECT_EQ(settings.api_url, "http://apprise:8000/notify");
  EXPECT_EQ(settings.urls.reveal(), "json://a,json://b");
  EXPECT_TRUE(settings.api_credentials.empty());
  EXPECT_EQ(settings.level_min, NotificationLevel::success);
  EXPECT_EQ(settings.repeat_interval, 1h);
}

TEST(NotificationSettings, TakeLevelAndInterval) {  // api/A2
  EXPECT_EQ(read_with({{"APPRISE_NOTIFY_LEVEL", "info"}}).level_min, NotificationLevel::info);
  EXPECT_EQ(read_with({{"APPRISE_NOTIFY_LEVEL", "failure"}}).level_min, NotificationLevel::failure);
  EXPECT_EQ(read_with({{"APPRISE_NOTIFY_REPEAT_INTERVAL", "90m"}}).repeat_interval, 90min);
  EXPECT_EQ(read_with({{"APPRISE_NOTIFY_REPEAT_INTERVAL", "0"}}).repeat_interval, 0s);
  EXPECT_EQ(read_with({{"APPRISE_NOTIFY_REPEAT_INTERVAL", "-1s"}}).repeat_interval, -1s);
}

TEST(NotificationSettings, TakeATemplate) {
  EXPECT_EQ(read_with({{"APPRISE_NOTIFY_BODY_TEMPLATE", "{{.Message}} "}}).body_template, "{{.Message}} ");
}

TEST(NotificationSettings, SayWhatIsWrong) {
  EXPECT_EQ(faults_with({{"APPRISE_NOTIFY_LEVEL", "Warning"}}),
            Faults{"APPRISE_NOTIFY_LEVEL: \"Warning\": invalid level, must be one of info, success, warning, failure"});
  EXPECT_EQ(faults_with({{"APPRISE_NOTIFY_REPEAT_INTERVAL", "1 hour"}}),
            Faults{"APPRISE_NOTIFY_REPEAT_INTERVAL: \"1 hour\" is not a duration such as 90s, 30m or 1h30m"});
  for (const auto* url : {"apprise", "ftp://apprise/", "http://", "/notify", "http://u:p@/x"})
    EXPECT_EQ(faults_with({{"APPRISE_API_URL", url}}),
              Faults{"APPRISE_API_URL: not an http or https URL with a host, such as http://apprise:8000/notify"})
        << url;
}

TEST(NotificationSettings, KeepUserAndPasswordOutOfTheUrl) {
  const auto settings = read_with({{"APPRISE_API_URL", "https://ops:p%40ss@apprise.example/notify/key?x=@"}});
  EXPECT_EQ(settings.api_url, "https://apprise.example/notify/key?x=@");
  EXPECT_EQ(settings.api_credentials.reveal(), "ops:p@ss");
  EXPECT_EQ(read_with({{"APPRISE_API_URL", "http://ops@apprise"}}).api_credentials.reveal(), "ops:");
}

}  // namespace
}  // namespace windlass
