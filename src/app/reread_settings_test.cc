#include "app/reread_settings.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

class RereadSettingsTest : public ::testing::Test {
 protected:
  RereadSettingsTest() : folder_(fs::temp_directory_path() / ("windlass-reread-" + new_uuid_v7())) {
    fs::create_directories(folder_);
  }
  ~RereadSettingsTest() override { fs::remove_all(folder_); }

  // NAME_FILE names a file with this content.
  void write(const std::string& name, const std::string& content) {
    const auto file = folder_ / name;
    ASSERT_TRUE(write_file(file, content, 0600));
    environment_[name + "_FILE"] = file;
  }
  void start() { now_ = read_settings(environment_).value(); }
  tl::expected<RereadSettings, SettingsError> again() { return read_settings_again(environment_, now_, {}); }
  Lines faults() {
    const auto read = again();
    return read ? Lines{} : read.error().faults;
  }
  std::string path(const std::string& name) const { return folder_ / name; }

  Environment environment_;
  Settings now_;

 private:
  fs::path folder_;
};

TEST_F(RereadSettingsTest, NameWhatHasChangedAndNothingElse) {
  write("WEBHOOK_SECRET", "a secret of sixteen bytes or more");
  write("API_SECRET", "another one of sixteen bytes or more");
  write("POLL_CONFIG", "- {source: oci, url: r.example/app:1}\n");
  start();
  EXPECT_EQ(again()->changed, Lines{});
  write("WEBHOOK_SECRET", "the next one, which has as many bytes");
  write("API_SECRET", "another one of sixteen bytes or more\n");  // as it was: white space is cut off
  write("POLL_CONFIG", "- {source: oci, url: r.example/app:2}\n");
  const auto read = again();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->changed, (Lines{"POLL_CONFIG_FILE", "WEBHOOK_SECRET_FILE"}));
  EXPECT_EQ(read->settings.webhook_secret.reveal(), "the next one, which has as many bytes");
  EXPECT_EQ(read->settings.polls.at(0).url, "r.example/app:2");
}

TEST_F(RereadSettingsTest, KnowFilesThatEntriesName) {
  const auto entry = [&](const std::string& secret) {
    ASSERT_TRUE(write_file(path("token"), secret, 0600));
    write("REGISTRY_WEBHOOKS",
          "- {format: distribution, secret_file: " + path("token") + ", allow: ['r.example/**']}\n");
  };
  entry("Bearer one");
  start();
  EXPECT_EQ(again()->changed, Lines{});
  entry("Bearer two");
  EXPECT_EQ(again()->changed, Lines{"REGISTRY_WEBHOOKS entries"});
}

TEST_F(RereadSettingsTest, HaveTheFaultsOfAStart) {
  write("WEBHOOK_SECRET", "a secret of sixteen bytes or more");
  write("OCI_TRUST_POLICY", "enabled: false\n");
  start();
  write("OCI_TRUST_POLICY", "enabled: yes please\n");
  fs::remove(path("WEBHOOK_SECRET"));
  const auto told = faults();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_TRUE(told[0].starts_with("WEBHOOK_SECRET_FILE: reading ")) << told[0];
  EXPECT_NE(told[1].find("OCI_TRUST_POLICY:1: enabled: "), std::string::npos) << told[1];
}

// An empty trust policy lets everything in, an empty poll list stops everything: nobody means that by a file that is
// being written.
TEST_F(RereadSettingsTest, TakeAFileThatHasBecomeEmptyForHalfWritten) {
  const std::pair<std::string, std::string> rows[] = {
      {"WEBHOOK_SECRET", "secret"},
      {"API_SECRET", "secret"},
      {"OCI_TRUST_POLICY", "enabled: false"},
      {"POLL_CONFIG", "- {source: oci, url: r.example/app:1}"},
      {"REGISTRY_WEBHOOKS", "- {format: distribution, secret: Bearer one, allow: ['r.example/**']}"},
      {"APPRISE_NOTIFY_URLS", "json://a"},
      {"APPRISE_NOTIFY_BODY_TEMPLATE", "{{.Title}}"},
  };
  for (const auto& [name, content] : rows) {
    SCOPED_TRACE(name);
    environment_.clear();
    write(name, content);
    start();
    write(name, " \n");
    EXPECT_EQ(faults(), Lines{name + "_FILE: the file is empty and was not before: if that is meant and not half of a "
                                     "change, restart"});
    start();
    EXPECT_EQ(faults(), Lines{}) << "it was empty at the start";
  }
}

TEST_F(RereadSettingsTest, LetTheSecretBeforeComeToItsEnd) {
  write("WEBHOOK_SECRET", "a secret of sixteen bytes or more");
  write("WEBHOOK_SECRET_PREVIOUS", "the one before");
  start();
  write("WEBHOOK_SECRET_PREVIOUS", "");
  const auto read = again();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->changed, Lines{"WEBHOOK_SECRET_PREVIOUS_FILE"});
  EXPECT_TRUE(read->settings.webhook_secret_previous.empty());
  ASSERT_EQ(read->warnings.size(), 1u);
  EXPECT_NE(read->warnings[0].find("is empty"), std::string::npos) << read->warnings[0];
}

TEST_F(RereadSettingsTest, LeaveItToTheStartToBeginTelling) {
  environment_["APPRISE_API_URL"] = "http://apprise:8000/notify";
  write("APPRISE_NOTIFY_URLS", "");
  start();
  write("APPRISE_NOTIFY_URLS", "json://a");
  EXPECT_EQ(faults(), Lines{"APPRISE_NOTIFY_URLS_FILE: notifications are switched on by a restart only"});
}

}  // namespace
}  // namespace windlass
