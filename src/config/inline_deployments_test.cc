#include "config/inline_deployments.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "config/deploy_config_fixture.h"
#include "config/yaml_from_json.h"

namespace windlass {
namespace {

using Lines = std::vector<std::string>;

struct Decoded {
  std::string text;
  Lines faults, warnings;
};

Decoded decode(std::string_view yaml) {
  const auto file = parse_yaml(yaml, "test");
  EXPECT_TRUE(file) << file.error().message;
  Decoded result;
  result.text = decode_inline_deployments(*file->documents.at(0), "test", result.faults, result.warnings);
  EXPECT_EQ(result.faults, Lines{});
  return result;
}

DeployConfig only_stack(const std::string& text) {
  const auto configs = read_inline_deployments(text);
  EXPECT_TRUE(configs) << configs.error().message;
  return configs ? configs->stacks.at(0) : DeployConfig{};
}

// config 14 #1: doco-cd applies the defaults a second time
constexpr const char* kEveryKey = R"(
- name: app
  version: doco.v1
  reference: refs/heads/other
  working_dir: sub/dir
  compose_files: [one.yaml, two.yaml]
  environment: {A: "1.10", B: True, C: , D: "quote \" and \\ and\nline", E: ümlaut}
  env_files: []
  profiles: [web, "*"]
  remove_orphans: false
  force_recreate: true
  force_image_pull: yes
  timeout: 0
  webhook_filter: ^v[0-9]+$
  context: edge
  remote_paths: true
  prune_images: false
  adopt: true
  build: {force_image_pull: true, no_cache: true, quiet: true, args: {V: ""}}
  destroy: {enabled: true, remove_volumes: false, remove_images: false, remove_dir: false, remove_data: true}
  reconciliation: {enabled: false, events: [], restart_timeout: 0, restart_limit: 0, restart_window: 0}
  rollback: false
)";

TEST(InlineDeployments, KeepWhatIsWrittenOut) {
  const auto stack = only_stack(decode(kEveryKey).text);
  EXPECT_EQ(stack.name, "app");
  EXPECT_EQ(stack.reference, "refs/heads/other");
  EXPECT_EQ(stack.working_dir, "sub/dir");
  EXPECT_EQ(stack.compose_files, (Lines{"one.yaml", "two.yaml"}));
  EXPECT_FALSE(stack.compose_files_are_default);
  EXPECT_EQ(stack.environment,
            (std::map<std::string, std::string>{
                {"A", "1.10"}, {"B", "True"}, {"C", ""}, {"D", "quote \" and \\ and\nline"}, {"E", "ümlaut"}}));
  EXPECT_EQ(stack.env_files, Lines{});
  EXPECT_FALSE(stack.env_files_are_default);
  EXPECT_EQ(stack.profiles, (Lines{"web", "*"}));
  EXPECT_FALSE(stack.remove_orphans);
  EXPECT_TRUE(stack.force_recreate);
  EXPECT_TRUE(stack.force_image_pull);
  EXPECT_EQ(stack.timeout_seconds, 0);
  EXPECT_EQ(stack.webhook_filter, "^v[0-9]+$");
  EXPECT_EQ(stack.id().str(), "edge/app");
  EXPECT_TRUE(stack.remote_paths);
  EXPECT_FALSE(stack.prune_images);
  EXPECT_TRUE(stack.adopt);
  EXPECT_EQ(stack.build, (BuildRule{.force_image_pull = true, .no_cache = true, .quiet = true, .args = {{"V", ""}}}));
  EXPECT_EQ(
      stack.destroy,
      (Destroy{
          .enabled = true, .remove_volumes = false, .remove_images = false, .remove_dir = false, .remove_data = true}));
  EXPECT_EQ(stack.reconciliation, (ReconciliationRule{.enabled = false,
                                                      .events = {},
                                                      .restart_timeout_seconds = 0,
                                                      .restart_signal = {},
                                                      .restart_limit = 0,
                                                      .restart_window_seconds = 0}));
  EXPECT_EQ(stack.rollback, RollbackRule{});
}

// config 14 #1: one field at a time
TEST(InlineDeployments, KeepEachFieldThatSwitchesADefaultOff) {
  const std::pair<const char*, bool (*)(const DeployConfig&)> rows[] = {
      {"destroy: {enabled: true, remove_volumes: false}", [](auto& c) { return c.destroy.remove_volumes; }},
      {"destroy: {enabled: true, remove_images: false}", [](auto& c) { return c.destroy.remove_images; }},
      {"destroy: {enabled: true, remove_dir: false}", [](auto& c) { return c.destroy.remove_dir; }},
      {"remove_orphans: false", [](auto& c) { return c.remove_orphans; }},
      {"prune_images: false", [](auto& c) { return c.prune_images; }},
      {"reconciliation: false", [](auto& c) { return c.reconciliation.enabled; }},
      {"reconciliation: {enabled: false}", [](auto& c) { return c.reconciliation.enabled; }},
      {"reconciliation: {restart_limit: 0}", [](auto& c) { return c.reconciliation.restart_limit > 0; }},
      {"auto_discovery: {enabled: true, remove_images: false}", [](auto& c) { return c.auto_discovery.remove_images; }},
      {"env_files: []", [](auto& c) { return !c.env_files.empty(); }},
      {"timeout: 0", [](auto& c) { return c.timeout_seconds > 0; }},
  };
  for (const auto& [written, is_on] : rows) {
    EXPECT_FALSE(is_on(only_stack(decode(fmt::format("- {{name: app, {}}}", written)).text))) << written;
    EXPECT_TRUE(is_on(only_stack(decode("- name: app").text))) << written;
  }
}

TEST(InlineDeployments, HaveTheDefaultsOfTheFile) {
  const auto stack = only_stack(decode("- name: app").text);
  EXPECT_TRUE(stack.compose_files_are_default);
  EXPECT_TRUE(stack.env_files_are_default);
  EXPECT_EQ(stack.env_files, Lines{".env"});
  EXPECT_TRUE(stack.remove_orphans);
  EXPECT_EQ(stack.timeout_seconds, 180);
}

using InlineDeploymentsAndFile = DeployConfigFile;

TEST_F(InlineDeploymentsAndFile, AreTheSameAsTheSameTextInAFile) {
  const auto from_file = load("name: app\ntimeout: 7\nenvironment: {N: 0x10, S: ~}\n");
  ASSERT_TRUE(from_file) << from_file.error().message;
  EXPECT_EQ(only_stack(decode("- {name: app, timeout: 7, environment: {N: 0x10, S: ~}}").text).text,
            from_file->stacks.at(0).text);
}

// config 5, object identity: a run leaves nothing behind for the next one
TEST_F(InlineDeploymentsAndFile, AreReadAnewForEveryRun) {
  const auto text = decode("- {name: app, env_files: [a.env], compose_files: [a.yaml, b.yaml]}").text;
  const auto run = [&] {
    const auto stack = load_inline_deployments(text, root_)->stacks.at(0);
    return std::pair(*interpolation_environment(root_, stack, {}), *find_compose_files(root_, stack));
  };
  for (const auto* name : {"a.yaml", "b.yaml"}) file(name, "");
  for (const std::string value : {"1", "2"}) {
    file("a.env", "A=" + value);
    const auto [environment, files] = run();
    EXPECT_EQ(environment.at("A"), value);
    EXPECT_EQ(files, (Lines{"a.yaml", "b.yaml"}));
  }
}

TEST(InlineDeployments, AreTheSameTextAgainWhenReadAndWritten) {
  for (const std::string_view yaml : {kEveryKey, "- name: app", "- {name: a}\n- {name: b, env_files: [x, y]}"}) {
    const auto text = decode(yaml).text;
    const auto value = parse_json(text);
    ASSERT_TRUE(value);
    Lines faults, warnings;
    const auto tree = yaml_from_json(*value, JsonKeys::as_written);
    EXPECT_EQ(decode_inline_deployments(*tree.documents.at(0), "again", faults, warnings), text);
    EXPECT_EQ(faults, Lines{});
    EXPECT_EQ(warnings, Lines{});
  }
}

TEST(InlineDeployments, AreNoneForAnEmptyList) { EXPECT_EQ(decode("[]").text, ""); }

TEST(InlineDeployments, OfAnotherVersionAreRefused) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "inline deployments: invalid JSON at byte 1: incomplete JSON"},
      {"[]", "invalid inline deployments: no deployments found"},
      {R"([{"name":"a","colour":1}])", "invalid inline deployments: inline deployments: unknown key \"colour\""},
      {R"([{"name":"a","timeout":"1"}])",
       "invalid inline deployments: failed to decode yaml: inline deployments: timeout: expected an integer, got text "
       "\"1\""},
  };
  for (const auto& [text, fault] : rows) {
    const auto configs = read_inline_deployments(text);
    ASSERT_FALSE(configs) << text;
    EXPECT_EQ(configs.error().message, fault);
  }
}

// config 3: JSON of a request
TEST(YamlFromJson, MatchesKeysWhateverTheirCase) {
  const auto value = parse_json(
      R"({"Name":"a","NAME":"b","Environment":{"PATH":"x","path":"y"},"Timeout":90.0,"Force_Recreate":true,"X":null,)"
      R"("Build":{"No_Cache":true,"Args":{"VERSION":"1","version":"2"}},)"
      R"("External_Secrets":{"DB_Password":{"store_ref":"s","remote_ref":{"Key":"k"}}}})");
  ASSERT_TRUE(value);
  const auto file = yaml_from_json(*value, JsonKeys::any_case);
  const auto& root = *file.documents.at(0);
  ASSERT_TRUE(root.find("name"));
  EXPECT_EQ(root.find("name")->value->text, "b") << "the last one counts";
  EXPECT_TRUE(root.find("name")->value->quoted);
  EXPECT_EQ(root.find("environment")->value->entries.size(), 2u) << "these names are the user's own";
  const auto* build = root.find("build")->value;
  ASSERT_TRUE(build->find("no_cache"));
  ASSERT_TRUE(build->find("args"));
  EXPECT_TRUE(build->find("args")->value->find("VERSION"));
  EXPECT_EQ(build->find("args")->value->entries.size(), 2u);
  const auto* secret = root.find("external_secrets")->value->find("DB_Password");
  ASSERT_TRUE(secret);
  EXPECT_TRUE(secret->value->find("remote_ref")->value->find("Key"));
  EXPECT_EQ(root.find("timeout")->value->text, "90");
  EXPECT_EQ(root.find("force_recreate")->value->text, "true");
  EXPECT_FALSE(root.find("force_recreate")->value->quoted);
  EXPECT_TRUE(root.find("x")->value->is_null());
}

}  // namespace
}  // namespace windlass
