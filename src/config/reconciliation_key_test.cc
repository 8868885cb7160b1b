#include "config/reconciliation_key.h"

#include <gtest/gtest.h>

#include "config/deploy_config_fixture.h"

namespace windlass {
namespace {

using Lines = std::vector<std::string>;

class ReconciliationKey : public DeployConfigFile {
 protected:
  ReconciliationRule rule_of(const std::string& value) {
    const auto configs = load("name: web\nreconciliation: " + value + "\n");
    EXPECT_TRUE(configs) << value << ": " << configs.error().message;
    if (configs) warnings = configs->warnings;
    return configs ? configs->stacks.at(0).reconciliation : ReconciliationRule();
  }
  Lines warnings;  // of the last one
};

TEST_F(ReconciliationKey, IsOnByDefault) {  // config 9
  EXPECT_EQ(load("name: web\n")->stacks.at(0).reconciliation, ReconciliationRule{});
  for (const auto* value : {"", "{}", "true"}) EXPECT_EQ(rule_of(value), ReconciliationRule{}) << value;
  EXPECT_TRUE(ReconciliationRule{}.answers("unhealthy"));
  EXPECT_FALSE(ReconciliationRule{}.answers("die"));
  for (const auto* value : {"false", "{enabled: false}", "{events: []}"})
    EXPECT_FALSE(rule_of(value).answers("unhealthy")) << value;
}

TEST_F(ReconciliationKey, IsReadMemberByMember) {
  const auto rule = rule_of(
      "{events: [' Die', Remove, delete, die, oom], restart_timeout: 0, restart_signal: ' sigint ', restart_limit: 0, "
      "restart_window: 0, other: 1}");
  EXPECT_EQ(warnings, Lines{".doco-cd.yaml:2: unknown key \"other\""});
  EXPECT_EQ(rule, (ReconciliationRule{.events = {"die", "destroy", "oom"},
                                      .restart_timeout_seconds = 0,
                                      .restart_signal = "SIGINT",
                                      .restart_limit = 0,
                                      .restart_window_seconds = 0}));
}

TEST_F(ReconciliationKey, TakesSignalsByNameAndNumber) {
  const std::pair<const char*, const char*> rows[] = {
      {"SIGINT", "SIGINT"}, {"hup", "HUP"}, {"'15'", "15"}, {"RTMIN+3", "RTMIN+3"}, {"''", ""}};
  for (const auto& [written, read] : rows)
    EXPECT_EQ(rule_of(std::string("{restart_signal: ") + written + "}").restart_signal, read);
}

TEST_F(ReconciliationKey, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> rows[] = {
      {"1", "invalid reconciliation value: expected bool or object"},
      {"'true'", "invalid reconciliation value: expected bool or object"},
      {"[die]", "invalid reconciliation value: expected bool or object"},
      {"{events: [die, '']}", "reconciliation.events contains an empty event"},
      {"{events: [exec_start]}",
       "unsupported reconciliation event \"exec_start\": must be one of die, destroy, update, stop, kill, oom, "
       "unhealthy"},
      {"{restart_timeout: -1}", "reconciliation.restart_timeout must be >= 0, found -1"},
      {"{restart_timeout: 3601}", "reconciliation.restart_timeout must be <= 3600 seconds, found 3601"},
      {"{restart_signal: nosuch}", "reconciliation.restart_signal \"NOSUCH\" is not a signal"},
      {"{restart_signal: '0'}", "reconciliation.restart_signal \"0\" is not a signal"},
      {"{restart_signal: 'HUP&t=0'}", "reconciliation.restart_signal \"HUP&T=0\" is not a signal"},
      {"{restart_limit: -1}", "reconciliation.restart_limit must be >= 0, found -1"},
      {"{restart_window: -1}", "reconciliation.restart_window must be >= 0, found -1"},
      {"{restart_window: 0}", "reconciliation.restart_window must be > 0 when reconciliation.restart_limit is set"},
  };
  for (const auto& [value, fault] : rows) {
    const auto said = fault_of(std::string("name: web\nreconciliation: ") + value + "\n");
    EXPECT_TRUE(said.ends_with(fault)) << said;
  }
}

TEST_F(ReconciliationKey, ComesBackFromTheStateFile) {
  const ReconciliationRule rule{.enabled = false,
                                .events = {"die", "oom"},
                                .restart_timeout_seconds = 1,
                                .restart_signal = "SIGINT",
                                .restart_limit = 2,
                                .restart_window_seconds = 3};
  EXPECT_EQ(reconciliation_of(to_json(rule)), rule);
  EXPECT_EQ(reconciliation_of(json::object{}), ReconciliationRule{});
}

}  // namespace
}  // namespace windlass
