#include "config/schema.h"

#include <fmt/format.h>

#include <set>

#include "config/deploy_config_fixture.h"
#include "config/deploy_decoding.h"
#include "config/poll_config.h"

namespace windlass {
namespace {

using Keys = std::set<std::string>;

Keys keys_of(const json::object& schema) {
  Keys keys;
  for (const auto& property : schema.at("properties").get_object()) keys.emplace(property.key());
  return keys;
}

class SchemaTest : public DeployConfigFile {};

// The readers and the schema know the same keys, at every depth.
TEST_F(SchemaTest, KnowsTheKeysThatTheReaderKnows) {
  const auto schema = deploy_schema();
  for (const auto& key : keys_of(schema)) {
    if (key == "name" || key == "compose_files") continue;  // may not be empty; other tests read them
    const auto configs = load(fmt::format("name: web\n{}:\n", key));
    ASSERT_TRUE(configs) << key << ": " << configs.error().message;
    EXPECT_EQ(configs->warnings, std::vector<std::string>{}) << key;
  }
  DeployConfig all{.env_files_are_default = false, .rollback = RollbackRule::always()};
  all.destroy.enabled = all.auto_discovery.enabled = true;
  all.reconciliation.enabled = false;
  const auto known = keys_of(schema);
  const auto written = to_json(all);
  for (const auto& member : written) EXPECT_TRUE(known.contains(std::string(member.key()))) << member.key();
  for (const auto* key : {"rollback", "destroy", "auto_discovery", "reconciliation"}) {
    const auto& object = schema.at("properties").at(key).at("oneOf").at(1).get_object();
    for (const auto& member : keys_of(object)) {
      if (member == "on") continue;  // may not be empty
      const auto configs = load(fmt::format("name: web\n{}:\n  {}:\n", key, member));
      ASSERT_TRUE(configs) << key << "." << member << ": " << configs.error().message;
      EXPECT_EQ(configs->warnings, std::vector<std::string>{}) << key << "." << member;
    }
    for (const auto& member : written.at(key).get_object())
      EXPECT_TRUE(keys_of(object).contains(std::string(member.key()))) << key << "." << member.key();
  }
}

TEST_F(SchemaTest, KnowsTheLongestTimeoutThatTheReaderTakes) {
  const auto most = deploy_schema().at("properties").at("timeout").at("maximum").to_number<int>();
  EXPECT_TRUE(load(fmt::format("name: web\ntimeout: {}\n", most)));
  EXPECT_FALSE(load(fmt::format("name: web\ntimeout: {}\n", most + 1)));
}

TEST(PollSchema, KnowsTheKeysThatTheReaderKnows) {
  for (const auto& key : keys_of(poll_schema().at("items").get_object())) {
    if (key == "source" || key == "url") continue;
    PollFaults faults;
    read_poll_configs(
        fmt::format("- source: oci\n  url: r.example/app:1\n  {}:\n", key), "POLL_CONFIG",
        [](std::string_view) { return Status(); }, faults);
    for (const auto& warning : faults.warnings) EXPECT_EQ(warning.find("unknown key"), warning.npos) << warning;
  }
}

}  // namespace
}  // namespace windlass
