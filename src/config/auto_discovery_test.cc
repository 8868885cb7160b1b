#include "config/auto_discovery.h"

#include <fmt/format.h>

#include "config/deploy_config_fixture.h"
#include "config/inline_deployments.h"

namespace windlass {
namespace {

using Lines = std::vector<std::string>;

class AutoDiscoveryTest : public DeployConfigFile {
 protected:
  void compose(const std::string& folder) {
    file(folder + (folder.empty() ? "" : "/") + "compose.yaml", "services: {}\n");
  }
  Lines names(std::string_view config) {
    const auto configs = load(config);
    EXPECT_TRUE(configs) << configs.error().message;
    Lines list;
    for (const auto& stack : configs ? configs->stacks : std::vector<DeployConfig>())
      list.push_back(stack.name + " " + stack.working_dir);
    return list;
  }
};

TEST_F(AutoDiscoveryTest, FindsAStackInEveryFolderWithAComposeFile) {
  for (const auto* folder : {"apps/b", "apps/a", "apps/a/inner", "apps/.git/x", "apps/node_modules/y", "other"})
    compose(folder);
  file("apps/empty/readme", "");
  EXPECT_EQ(names("working_dir: apps\nauto_discovery: true\n"), (Lines{"a apps/a", "inner apps/a/inner", "b apps/b"}));
  EXPECT_EQ(names("working_dir: apps\nauto_discovery: {enabled: true, depth: 1}\n"), (Lines{"a apps/a", "b apps/b"}));
  EXPECT_EQ(names("auto_discovery: {enabled: true, depth: 1}\n"), (Lines{"other other"}));
  EXPECT_EQ(names("working_dir: apps/empty\nauto_discovery: true\n"), Lines{}) << "nothing found is no fault";
}

TEST_F(AutoDiscoveryTest, SaysWhereItFoundNothing) {
  file("apps/empty/readme", "");
  const auto deep = load("working_dir: apps\nauto_discovery: true\ncompose_files: [compose.yaml, stack.yaml]\n");
  ASSERT_TRUE(deep);
  EXPECT_EQ(deep->warnings, Lines{"auto_discovery: no stack found: neither apps nor a folder below it holds "
                                  "compose.yaml or stack.yaml"});
  compose("one/two");
  const auto flat = load("auto_discovery: {enabled: true, depth: 1}\ncompose_files: [compose.yaml]\n");
  ASSERT_TRUE(flat);
  EXPECT_EQ(flat->warnings,
            Lines{"auto_discovery: no stack found: neither the root of the source nor a folder below it "
                  "to depth 1 holds compose.yaml"});
}

// config 7, step 1
TEST_F(AutoDiscoveryTest, LeavesOutFoldersOfTools) {
  for (const auto* folder : {".git", ".github", ".vscode", ".idea", "node_modules", "a/.git", "git"}) compose(folder);
  EXPECT_EQ(names("auto_discovery: true\n"), Lines{"git git"});
  compose("node_modules/app");
  EXPECT_EQ(names("working_dir: node_modules\nauto_discovery: true\n"),
            (Lines{"node_modules node_modules", "app node_modules/app"}))
      << "where it starts is never left out";
}

// config 7, step 2
TEST_F(AutoDiscoveryTest, TakesWhateverIsNoFolderForAComposeFile) {
  file("folder/compose.yaml/readme", "");
  std::filesystem::create_directory(root_ / "link");
  std::filesystem::create_symlink("nowhere", root_ / "link/compose.yaml");
  EXPECT_EQ(names("auto_discovery: true\n"), Lines{"link link"});
}

TEST_F(AutoDiscoveryTest, LooksForTheComposeFilesThatAreNamed) {
  file("a/stack.yaml", "");
  file("b/compose.yaml", "");
  file("c/deep/stack.yaml", "");
  EXPECT_EQ(names("auto_discovery: true\ncompose_files: [stack.yaml, deep/stack.yaml]\n"),
            (Lines{"a a", "deep c/deep"}));
}

TEST_F(AutoDiscoveryTest, FollowsNoLink) {
  compose("real/app");
  std::filesystem::create_directory_symlink("../real/app", root_ / "real/link");
  EXPECT_EQ(names("auto_discovery: true\n"), (Lines{"app real/app"}));
}

TEST_F(AutoDiscoveryTest, NamesTheRootByTheDocument) {
  compose("");
  compose("app");
  EXPECT_EQ(names("name: base\nauto_discovery: true\n"), (Lines{"base .", "app app"}));
  EXPECT_EQ(
      fault_of("auto_discovery: true\n"),
      "invalid deploy configuration: auto_discovery: the root of the source holds a compose file and needs the key "
      "name");
}

// config 8
TEST_F(AutoDiscoveryTest, LetsANestedFileChangeWhatItNames) {
  compose("app");
  const struct {
    std::string base, nested;
    std::function<std::string(const DeployConfig&)> of;
    std::string expected;
  } rows[] = {
      {"timeout: 100", "timeout: 60", [](auto& c) { return fmt::format("{}", c.timeout_seconds); }, "60"},
      {"timeout: 100", "timeout: 0", [](auto& c) { return fmt::format("{}", c.timeout_seconds); }, "0"},
      {"remove_orphans: true", "remove_orphans: false", [](auto& c) { return fmt::format("{}", c.remove_orphans); },
       "false"},
      {"profiles: [a]", "profiles: []", [](auto& c) { return fmt::format("{}", c.profiles.size()); }, "0"},
      {"profiles: [a]", "timeout: 1", [](auto& c) { return fmt::format("{}", c.profiles.size()); }, "1"},
      {"env_files: [a.env]", "env_files: [b.env]", [](auto& c) { return c.env_files.at(0); }, "b.env"},
      {"environment: {A: 1, B: 1}", "environment: {B: 2, C: 3}",
       [](auto& c) { return c.environment.at("A") + c.environment.at("B") + c.environment.at("C"); }, "123"},
      {"webhook_filter: ^v", "webhook_filter: ''", [](auto& c) { return "'" + c.webhook_filter + "'"; }, "''"},
      {"force_recreate: true", "force_recreate: false", [](auto& c) { return fmt::format("{}", c.force_recreate); },
       "false"},
      {"timeout: 1", "name: other", [](auto& c) { return c.name; }, "other"},
      {"timeout: 1", "working_dir: elsewhere", [](auto& c) { return c.working_dir; }, "elsewhere"},
      {"destroy: {enabled: true, remove_volumes: true}", "destroy: {remove_volumes: false}",
       [](auto& c) { return fmt::format("{}{}", c.destroy.enabled, c.destroy.remove_volumes); }, "truefalse"},
      {"rollback: {on: [failed], keep: 9}", "rollback: {keep: 2}",
       [](auto& c) { return fmt::format("{}{}{}", c.rollback->on_failed, c.rollback->on_timeout, c.rollback->keep); },
       "truefalse2"},
      {"rollback: true", "rollback: false", [](auto& c) { return fmt::format("{}", c.rollback->enabled()); }, "false"},
      {"destroy: false", "destroy: {enabled: true, remove_volumes: false}",
       [](auto& c) { return fmt::format("{}{}", c.destroy.enabled, c.destroy.remove_volumes); }, "truefalse"},
      {"destroy: true", "destroy: false", [](auto& c) { return fmt::format("{}", c.destroy.enabled); }, "false"},
      {"reconciliation: true", "reconciliation: false",
       [](auto& c) { return fmt::format("{}", c.reconciliation.enabled); }, "false"},
      {"reconciliation: {events: [die], restart_limit: 7}", "reconciliation: {restart_limit: 0}",
       [](auto& c) { return fmt::format("{} {}", c.reconciliation.answers("die"), c.reconciliation.restart_limit); },
       "true 0"},
      {"reconciliation: {events: [die]}", "reconciliation: {events: []}",
       [](auto& c) { return fmt::format("{}", c.reconciliation.events.size()); }, "0"},
      {"build: {no_cache: true, quiet: true, args: {A: 1, B: 1}}", "build: {no_cache: false, args: {B: 2}}",
       [](auto& c) {
         return fmt::format("{}{}", c.build.no_cache, c.build.quiet) + c.build.args.at("A") + c.build.args.at("B");
       },
       "falsetrue12"},
      {"compose_files: [compose.yaml]", "compose_files: [a.yaml, b.yaml]",
       [](auto& c) { return fmt::format("{}", fmt::join(c.compose_files, " ")); }, "a.yaml b.yaml"},
      {"env_files: [a.env]", "env_files: []", [](auto& c) { return fmt::format("{}", c.env_files.size()); }, "0"},
      {"context: edge", "context: ''", [](auto& c) { return c.context; }, ""},
      {"context: edge", "context: core", [](auto& c) { return c.context; }, "core"},
      {"prune_images: true", "prune_images: false", [](auto& c) { return fmt::format("{}", c.prune_images); }, "false"},
      {"force_image_pull: true", "force_image_pull: false",
       [](auto& c) { return fmt::format("{}", c.force_image_pull); }, "false"},
      {"adopt: true", "adopt: false", [](auto& c) { return fmt::format("{}", c.adopt); }, "false"},
      {"timeout: 1", "version: ''", [](auto& c) { return c.version; }, "doco.v1"},
      {"timeout: 7", "timeout:", [](auto& c) { return fmt::format("{}", c.timeout_seconds); }, "7"},
  };
  for (const auto& row : rows) {
    file("app/.doco-cd.yaml", row.nested + "\n");
    const auto configs = load("auto_discovery: true\n" + row.base + "\n");
    ASSERT_TRUE(configs) << configs.error().message;
    EXPECT_EQ(row.of(configs->stacks.at(0)), row.expected) << row.base << " / " << row.nested;
    EXPECT_EQ(configs->warnings, Lines{});
  }
}

// config 7, step 4; 14 #23
TEST_F(AutoDiscoveryTest, ReadsTheNestedFileWhateverTheTarget) {
  compose("app");
  file(".doco-cd.prod.yaml", "auto_discovery: true\n");
  file("app/.doco-cd.prod.yaml", "name: wrong\n");
  const auto name = [&] { return load_deploy_configs(root_, "prod", {})->stacks.at(0).name; };
  EXPECT_EQ(name(), "app");
  file("app/.doco-cd.yml", "name: from-yml\n");
  EXPECT_EQ(name(), "from-yml");
  file("app/.doco-cd.yaml", "name: from-yaml\n");
  EXPECT_EQ(name(), "from-yaml");
  EXPECT_EQ(load_deploy_configs(root_, "prod", {})->warnings,
            Lines{"app/.doco-cd.yml is ignored: .doco-cd.yaml is used"});
}

TEST_F(AutoDiscoveryTest, SaysWhatIsWrongInNestedFiles) {
  compose("app");
  const std::pair<const char*, const char*> rows[] = {
      {"timeout: x", "failed to decode yaml: app/.doco-cd.yaml:1: timeout: expected an integer, got text \"x\""},
      {"a: 1\n---\nb: 2",
       "app/.doco-cd.yaml: nested .doco-cd configuration file must contain only a single YAML document"},
      {"name: A B",
       "auto_discovery: app: \"A B\" is not a valid name: a compose project name is [a-z0-9][a-z0-9_-]*; a "
       ".doco-cd.yaml in the folder may give another"},
      {"[x]", "failed to decode yaml: app/.doco-cd.yaml:1: expected a mapping of deploy keys"},
  };
  for (const auto& [text, fault] : rows) {
    file("app/.doco-cd.yaml", std::string(text) + "\n");
    EXPECT_EQ(fault_of("auto_discovery: true\n"), std::string("invalid deploy configuration: ") + fault);
  }
  file("app/.doco-cd.yaml", "reference: x\noci: {verify: false}\nauto_discovery: false\ntimout: 3\n");
  EXPECT_EQ(
      load("auto_discovery: true\n")->warnings,
      (Lines{"app/.doco-cd.yaml:3: auto_discovery: has no effect in a nested file",
             "app/.doco-cd.yaml:1: reference: has no effect in a nested file",
             "app/.doco-cd.yaml:2: oci: has no effect in an artifact: only OCI_TRUST_POLICY and inline deployments "
             "say what is trusted",
             "app/.doco-cd.yaml:4: unknown key \"timout\", did you mean \"timeout\"?"}));
}

TEST_F(AutoDiscoveryTest, SaysWhatIsWrong) {
  compose("a/app");
  compose("b/app");
  compose("Bad Name");
  EXPECT_EQ(fault_of("auto_discovery: true\nworking_dir: nowhere\n"),
            "invalid deploy configuration: auto_discovery: nowhere is not a folder of the source");
  const auto fault = fault_of("auto_discovery: true\n");
  EXPECT_NE(fault.find("auto_discovery: Bad Name: \"Bad Name\" is not a valid name"), fault.npos) << fault;
  EXPECT_NE(fault.find("duplicate project/stack name found in configuration file: app"), fault.npos) << fault;
  EXPECT_EQ(fault_of("auto_discovery: {enabled: true, depth: -1}\n"),
            "invalid deploy configuration: .doco-cd.yaml:1: depth: must be >= 0");
}

TEST_F(AutoDiscoveryTest, WorksInInlineDeployments) {
  compose("apps/one");
  compose("apps/two");
  const auto configs = load_inline_deployments(
      R"([{"auto_discovery":{"enabled":true,"delete":true},"working_dir":"apps","timeout":7}])", root_);
  ASSERT_TRUE(configs) << configs.error().message;
  ASSERT_EQ(configs->stacks.size(), 2u);
  EXPECT_EQ(configs->stacks[1].name, "two");
  EXPECT_EQ(configs->stacks[1].timeout_seconds, 7);
  EXPECT_TRUE(configs->stacks[1].is_discovered);
  EXPECT_TRUE(configs->discoveries.at(0).remove);
}

TEST_F(AutoDiscoveryTest, LeavesTrustToTheOperatorInInlineDeployments) {  // config 5
  compose("app");
  file("app/.doco-cd.yaml", "oci: {verify: false}\n");
  const auto configs = load_inline_deployments(R"([{"auto_discovery":true,"oci":{"verify":true}}])", root_);
  ASSERT_TRUE(configs) << configs.error().message;
  EXPECT_EQ(configs->stacks.at(0).trust.verify, true) << "what the artifact says does not count";
}

TEST_F(AutoDiscoveryTest, ComparesNamesOnlyOfWhatIsFound) {  // config 12
  compose("a/one");
  compose("b/two");
  const auto load_both = [&](std::string_view names) {
    return load_inline_deployments(fmt::format(R"([{{"auto_discovery":true,"working_dir":"a"{0}}},)"
                                               R"({{"auto_discovery":true,"working_dir":"b"{0}}}])",
                                               names),
                                   root_);
  };
  for (const auto* names : {"", R"(,"name":"base")"}) {
    const auto configs = load_both(names);
    ASSERT_TRUE(configs) << configs.error().message;
    EXPECT_EQ(configs->stacks.size(), 2u);
  }
  compose("b/one");
  const auto configs = load_both("");
  ASSERT_FALSE(configs);
  EXPECT_EQ(configs.error().message,
            "invalid deploy configuration: duplicate project/stack name found in configuration file: one");
}

}  // namespace
}  // namespace windlass
