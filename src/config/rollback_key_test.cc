#include "config/rollback_key.h"

#include <fmt/format.h>

#include "config/deploy_config_fixture.h"
#include "config/inline_deployments.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

class RollbackKey : public DeployConfigFile {
 protected:
  std::optional<RollbackRule> rule_of(std::string_view value) {
    const auto configs = load(fmt::format("name: web\nrollback: {}\n", value));
    EXPECT_TRUE(configs) << value << ": " << configs.error().message;
    return configs ? configs->stacks.at(0).rollback : std::nullopt;
  }
};

TEST_F(RollbackKey, LeavesItToTheSettingWhenAbsent) {
  EXPECT_EQ(load("name: web\n")->stacks.at(0).rollback, std::nullopt);
  EXPECT_EQ(rule_of("~"), std::nullopt);
}

TEST_F(RollbackKey, IsReadInEveryForm) {
  EXPECT_EQ(rule_of("false"), RollbackRule{});
  EXPECT_EQ(rule_of("true"), RollbackRule::always());
  EXPECT_EQ(rule_of("{}"), RollbackRule::always());
  EXPECT_EQ(rule_of("{enabled: false}"), RollbackRule{});
  EXPECT_EQ(rule_of("{on: [unhealthy, timeout], keep: 9, stable_for: 1m30s}"),
            (RollbackRule{.on_unhealthy = true, .on_timeout = true, .keep = 9, .stable_for = 90s}));
  EXPECT_EQ(rule_of("{on: [failed], stable_for: 0}"), (RollbackRule{.on_failed = true, .stable_for = 0ms}));
}

TEST_F(RollbackKey, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> faults[] = {
      {"{on: ~}", "on: rollback.on names none of unhealthy, failed, timeout: write rollback: false instead"},
      {"{on: []}", "on: rollback.on names none of unhealthy, failed, timeout: write rollback: false instead"},
      {"{on: [sick]}", "on: rollback.on: \"sick\" is none of unhealthy, failed, timeout"},
      {"{keep: 0}", "keep: rollback.keep must be from 1 to 100, found 0"},
      {"{keep: 101}", "keep: rollback.keep must be from 1 to 100, found 101"},
      {"{stable_for: 10}", "stable_for: rollback.stable_for: \"10\" is not a duration from 0s to 1h, such as 10s"},
      {"{stable_for: 2h}", "stable_for: rollback.stable_for: \"2h\" is not a duration from 0s to 1h, such as 10s"},
      {"\"true\"", "rollback: invalid rollback value: expected bool or object"},
      {"[]", "rollback: invalid rollback value: expected bool or object"},
  };
  for (const auto& [value, fault] : faults)
    EXPECT_EQ(fault_of(fmt::format("name: web\nrollback: {}\n", value)),
              fmt::format("invalid deploy configuration: .doco-cd.yaml:2: {}", fault));
}

TEST_F(RollbackKey, SaysOnceWhatIsOfTheWrongType) {
  const std::pair<const char*, const char*> faults[] = {
      {"{on: sick}", "on: expected a list, got text \"sick\""},
      {"{on: {a: 1}}", "on: expected a list, got a mapping"},
      {"{on: [[unhealthy]]}", "on: expected a list of texts, got a list in it"},
      {"{stable_for: [10s]}", "stable_for: expected text, got a list"},
  };
  for (const auto& [value, fault] : faults)
    EXPECT_EQ(fault_of(fmt::format("name: web\nrollback: {}\n", value)),
              fmt::format("invalid deploy configuration: failed to decode yaml: .doco-cd.yaml:2: {}", fault));
}

TEST_F(RollbackKey, NamesUnknownKeys) {
  EXPECT_EQ(load("name: web\nrollback: {stable_fo: 3s}\n")->warnings,
            std::vector<std::string>{".doco-cd.yaml:2: unknown key \"stable_fo\", did you mean \"stable_for\"?"});
}

TEST_F(RollbackKey, SurvivesTheWayThroughTheQueue) {  // inline deployments travel as JSON
  std::vector<std::string> faults, warnings;
  for (const auto* value :
       {"true", "false", "{on: [failed], keep: 2, stable_for: 1500ms}", "{enabled: false, keep: 7}"}) {
    const auto rule = rule_of(value);
    const auto text = fmt::format(R"([{{"name":"web","rollback":{}}}])", json::serialize(to_json(*rule)));
    const auto again = read_inline_deployments(text);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->stacks.at(0).rollback, rule) << value;
  }
}

}  // namespace
}  // namespace windlass
