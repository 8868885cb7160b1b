#include "config/deploy_config.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "config/deploy_config_fixture.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

TEST_F(DeployConfigFile, GivesDefaults) {
  const auto configs = load("name: web\n");
  ASSERT_TRUE(configs) << configs.error().message;
  EXPECT_EQ(configs->file, ".doco-cd.yaml");
  EXPECT_EQ(configs->warnings, Lines{});
  const auto& config = configs->stacks.at(0);
  EXPECT_EQ(config.name, "web");
  EXPECT_EQ(config.version, "doco.v1");
  EXPECT_EQ(config.working_dir, ".");
  EXPECT_EQ(config.compose_files, (Lines{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}));
  EXPECT_TRUE(config.compose_files_are_default);
  EXPECT_EQ(config.env_files, Lines{".env"});
  EXPECT_TRUE(config.env_files_are_default);
  EXPECT_TRUE(config.remove_orphans);
  EXPECT_FALSE(config.force_recreate);
  EXPECT_FALSE(config.force_image_pull);
  EXPECT_EQ(config.timeout_seconds, 180);
  EXPECT_EQ(config.webhook_filter, "");
}

TEST_F(DeployConfigFile, IsReadKeyByKey) {
  const auto configs = load(R"(
name: 123
source: " OCI "
version: " doco.v1 "
reference: main
working_dir: /apps//x/../web
compose_files: [./base.yaml, sub/../prod.yaml]
environment: {A: 1, B: yes, C: , D: "~", E: 0o17}
env_files: [a.env, ../shared.env]
profiles: [web, "*"]
remove_orphans: off
force_recreate: "yes"
force_image_pull: TRUE
timeout: 90.0
webhook_filter: ^v[0-9]+$
)");
  ASSERT_TRUE(configs) << configs.error().message;
  const auto& config = configs->stacks.at(0);
  EXPECT_EQ(config.name, "123");
  EXPECT_EQ(config.reference, "main");
  EXPECT_EQ(config.working_dir, "apps/web");
  EXPECT_EQ(config.compose_files, (Lines{"base.yaml", "prod.yaml"}));
  EXPECT_FALSE(config.compose_files_are_default);
  EXPECT_EQ(config.environment, (Variables{{"A", "1"}, {"B", "yes"}, {"C", ""}, {"D", "~"}, {"E", "0o17"}}));
  EXPECT_EQ(config.env_files, (Lines{"a.env", "../shared.env"}));
  EXPECT_FALSE(config.env_files_are_default);
  EXPECT_EQ(config.profiles, (Lines{"web", "*"}));
  EXPECT_FALSE(config.remove_orphans);
  EXPECT_TRUE(config.force_recreate);
  EXPECT_TRUE(config.force_image_pull);
  EXPECT_EQ(config.timeout_seconds, 90);
  EXPECT_EQ(config.webhook_filter, "^v[0-9]+$");
}

TEST_F(DeployConfigFile, KeepsDefaultsWhereNullStands) {  // config 3
  const auto configs =
      load("name: web\ntimeout: ~\nremove_orphans:\nenvironment:\nprofiles:\nenv_files:\nworking_dir:\n");
  ASSERT_TRUE(configs) << configs.error().message;
  const auto& config = configs->stacks.at(0);
  EXPECT_EQ(config.timeout_seconds, 180);
  EXPECT_TRUE(config.remove_orphans);
  EXPECT_EQ(config.env_files, Lines{});
  EXPECT_FALSE(config.env_files_are_default);
  EXPECT_EQ(config.working_dir, ".");
}

TEST_F(DeployConfigFile, TakesTheBooleansOfYamlOneOne) {  // config 3
  for (const auto yes : {"true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "\"yes\"", "'On'"})
    EXPECT_TRUE(load(fmt::format("name: web\nforce_recreate: {}\n", yes))->stacks[0].force_recreate) << yes;
  for (const auto no : {"false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF", "\"no\""})
    EXPECT_FALSE(load(fmt::format("name: web\nremove_orphans: {}\n", no))->stacks[0].remove_orphans) << no;
}

TEST_F(DeployConfigFile, TakesNumbersAsTyped) {  // reliability 8
  const std::pair<std::string_view, int> rows[] = {{"0", 0},     {"60", 60},     {"1_000", 1000}, {"1e2", 100},
                                                   {"0o17", 15}, {"017", 15},    {"0x1F", 31},    {"0b11", 3},
                                                   {"+5", 5},    {"180.0", 180}, {"86400", 86400}};
  for (const auto& [text, seconds] : rows)
    EXPECT_EQ(load(fmt::format("name: web\ntimeout: {}\n", text))->stacks[0].timeout_seconds, seconds) << text;
}

// config 4, bool-or-object keys: what is written, then enabled and the rest
TEST_F(DeployConfigFile, ReadsSwitchesInEveryForm) {
  const std::pair<const char*, Destroy> destroy[] = {
      {"", {}},
      {"false", {}},
      {"true", {.enabled = true}},
      {"yes", {.enabled = true}},
      {"{}", {}},
      {"{remove_volumes: true}", {}},  // `enabled` is not implied
      {"{enabled: true}", {.enabled = true}},
      {"{enabled: true, remove_volumes: false, remove_images: false, remove_dir: false, remove_data: true}",
       {.enabled = true, .remove_volumes = false, .remove_images = false, .remove_dir = false, .remove_data = true}},
  };
  for (const auto& [written, expected] : destroy)
    EXPECT_EQ(load(fmt::format("name: web\ndestroy: {}\n", written))->stacks.at(0).destroy, expected) << written;

  file("app/compose.yaml", "");
  const std::pair<const char*, Lines> discovery[] = {
      {"", {"web"}}, {"false", {"web"}}, {"true", {"app"}}, {"{depth: 1}", {"web"}}, {"{enabled: true}", {"app"}},
  };
  for (const auto& [written, stacks] : discovery) {
    const auto configs = load(fmt::format("name: web\nauto_discovery: {}\n", written));
    Lines names;
    for (const auto& stack : configs->stacks) names.push_back(stack.name);
    EXPECT_EQ(names, stacks) << written;
  }
  const auto all = load(
      "auto_discovery: {enabled: true, depth: 2, delete: true, remove_volumes: true, remove_images: false, "
      "delete_all: true}\n");
  EXPECT_EQ(all->discoveries.at(0), (AutoDiscovery{.enabled = true,
                                                   .depth = 2,
                                                   .remove = true,
                                                   .remove_volumes = true,
                                                   .remove_images = false,
                                                   .remove_all = true}));
  EXPECT_EQ(load("auto_discovery: true\n")->discoveries.at(0), AutoDiscovery{.enabled = true});
}

TEST_F(DeployConfigFile, RefusesSwitchesOfOtherTypes) {  // config 4
  for (const std::string key : {"destroy", "auto_discovery", "reconciliation", "rollback"})
    for (const auto* written : {"1", "\"true\"", "[enabled]", "text"})
      EXPECT_EQ(fault_of(fmt::format("name: web\n{}: {}\n", key, written)),
                fmt::format("invalid deploy configuration: .doco-cd.yaml:2: {0}: invalid {0} value: expected bool or "
                            "object",
                            key));
}

TEST_F(DeployConfigFile, HoldsSeveralStacks) {
  const auto configs = load("name: a\n---\n---\nname: b\n---\n");
  ASSERT_TRUE(configs);
  ASSERT_EQ(configs->stacks.size(), 2u);
  EXPECT_EQ(configs->stacks[0].name, "a");
  EXPECT_EQ(configs->stacks[1].name, "b");
}

TEST_F(DeployConfigFile, ShortensWhatIsWrittenTwiceWithAnchors) {  // config 3
  const auto configs = load(
      "name: web\nenvironment: &base {A: 1, B: 2}\nbuild: {args: {<<: *base, B: 3}}\nprofiles: &list [x]\n"
      "env_files: *list\n");
  ASSERT_TRUE(configs) << configs.error().message;
  EXPECT_EQ(configs->stacks[0].build.args, (Variables{{"A", "1"}, {"B", "3"}}));
  EXPECT_EQ(configs->stacks[0].env_files, Lines{"x"});
  EXPECT_NE(fault_of("name: web\nenvironment: &base {A: 1}\n---\nname: b\nenvironment: *base\n"), "")
      << "an anchor ends with its document";
}

TEST_F(DeployConfigFile, HasTheLayoutThatIsKnown) {  // config 4, version
  for (const auto* written : {"", "''", "' '", "' doco.v1 '"})
    EXPECT_EQ(load(fmt::format("name: web\nversion: {}\n", written))->stacks.at(0).version, "doco.v1") << written;
}

constexpr std::string_view kNameRule = "a compose project name is [a-z0-9][a-z0-9_-]*";

// what follows "name: web\n", the fault behind "invalid deploy configuration: "
const std::pair<std::string, std::string> kFaults[] = {
    // wrong types: config 3
    {"timeout: \"180\"", "failed to decode yaml: .doco-cd.yaml:2: timeout: expected an integer, got text \"180\""},
    {"timeout: 1e999", "failed to decode yaml: .doco-cd.yaml:2: timeout: expected an integer, got text \"1e999\""},
    {"timeout: 22:22", "failed to decode yaml: .doco-cd.yaml:2: timeout: expected an integer, got text \"22:22\""},
    {"timeout: 180.5", "failed to decode yaml: .doco-cd.yaml:2: timeout: expected an integer, got text \"180.5\""},
    {"timeout: yes", "failed to decode yaml: .doco-cd.yaml:2: timeout: expected an integer, got yes"},
    {"timeout: 2024-01-02",
     "failed to decode yaml: .doco-cd.yaml:2: timeout: expected an integer, got text \"2024-01-02\""},
    {"timeout: [1]", "failed to decode yaml: .doco-cd.yaml:2: timeout: expected an integer, got a list"},
    {"remove_orphans: \"true\"",
     "failed to decode yaml: .doco-cd.yaml:2: remove_orphans: expected true or false, got text \"true\""},
    {"remove_orphans: 1",
     "failed to decode yaml: .doco-cd.yaml:2: remove_orphans: expected true or false, got number 1"},
    {"remove_orphans: {}",
     "failed to decode yaml: .doco-cd.yaml:2: remove_orphans: expected true or false, got a mapping"},
    {"working_dir: [x]", "failed to decode yaml: .doco-cd.yaml:2: working_dir: expected text, got a list"},
    {"profiles: web", "failed to decode yaml: .doco-cd.yaml:2: profiles: expected a list, got text \"web\""},
    {"profiles:\n - web\n - {a: b}",
     "failed to decode yaml: .doco-cd.yaml:4: profiles: expected a list of texts, got a mapping in it"},
    {"environment: [A=1]", "failed to decode yaml: .doco-cd.yaml:2: environment: expected a mapping, got a list"},
    {"environment:\n  A: 1\n  B: [x]",
     "failed to decode yaml: .doco-cd.yaml:4: environment: expected a mapping of texts, got a list in it"},
    // wrong values: config 4
    {"timeout: -1", ".doco-cd.yaml:2: timeout: must be >= 0, found -1"},
    {"timeout: 86401", ".doco-cd.yaml:2: timeout: must be <= 86400 seconds (one day), found 86401"},
    {"timeout: 2147483647", ".doco-cd.yaml:2: timeout: must be <= 86400 seconds (one day), found 2147483647"},
    {"timeout: 3000000000", ".doco-cd.yaml:2: timeout: 3000000000 is out of range"},
    {"source: svn", ".doco-cd.yaml:2: source: invalid source type \"svn\": must be \"git\" or \"oci\""},
    {"version: doco.v99",
     ".doco-cd.yaml:2: version: unsupported oci version \"doco.v99\": expected layout=doco.v1 in .doco-cd.yaml"},
    {"compose_files:", ".doco-cd.yaml:2: compose_files: key not found: compose_files"},
    {"compose_files: []", ".doco-cd.yaml:2: compose_files: key not found: compose_files"},
    {"environment: {\"A=B\": 1}", ".doco-cd.yaml:2: environment: \"A=B\" is not the name of a variable"},
    {"env_files: [\"remote:x.env\"]",
     ".doco-cd.yaml:2: env_files: \"remote:x.env\": remote: is not supported for OCI sources"},
    {"profiles: [--help]", ".doco-cd.yaml:2: profiles: \"--help\" is not the name of a profile"},
    {"webhook_filter: \"(\"", ".doco-cd.yaml:2: webhook_filter: invalid webhook_filter: missing ): ("},
    // paths: reliability 8
    {"working_dir: ../x", ".doco-cd.yaml:2: working_dir: invalid file path: ../x"},
    {"working_dir: a/../../x", ".doco-cd.yaml:2: working_dir: invalid file path: a/../../x"},
    {"working_dir: -x", ".doco-cd.yaml:2: working_dir: invalid file path: -x"},
    {"working_dir: https://host/x", ".doco-cd.yaml:2: working_dir: invalid file path: https://host/x"},
    {"compose_files: [/etc/passwd]", ".doco-cd.yaml:2: compose_files: invalid file path: /etc/passwd"},
    {"working_dir: a\ncompose_files: [../b.yaml]", ".doco-cd.yaml:3: compose_files: invalid file path: ../b.yaml"},
    {"compose_files: [\"oci://host/x\"]", ".doco-cd.yaml:2: compose_files: invalid file path: oci://host/x"},
    {"compose_files: [\"-\"]", ".doco-cd.yaml:2: compose_files: invalid file path: -"},
    {"env_files: [/proc/self/environ]", ".doco-cd.yaml:2: env_files: invalid file path: /proc/self/environ"},
    {"working_dir: a\nenv_files: [../../.env]", ".doco-cd.yaml:3: env_files: invalid file path: ../../.env"},
    {"repository_url: https://host/x.git",
     ".doco-cd.yaml:2: repository_url: repository_url is not supported for OCI sources"},
    // an option for the docker command, a way out of its folder
    {"context: --host=tcp://x",
     ".doco-cd.yaml:2: context: \"--host=tcp://x\" is not the name of a Docker context: [a-zA-Z0-9][a-zA-Z0-9_.+-]+"},
    {"context: ../edge",
     ".doco-cd.yaml:2: context: \"../edge\" is not the name of a Docker context: [a-zA-Z0-9][a-zA-Z0-9_.+-]+"},
    {"remote_paths: 7", "failed to decode yaml: .doco-cd.yaml:2: remote_paths: expected true or false, got number 7"},
    {"build: [a]", "failed to decode yaml: .doco-cd.yaml:2: build: expected a mapping, got a list"},
    {"build: {quiet: 7}", "failed to decode yaml: .doco-cd.yaml:2: quiet: expected true or false, got number 7"},
    {"destroy: 1", ".doco-cd.yaml:2: destroy: invalid destroy value: expected bool or object"},
    {"auto_discovery: \"true\"",
     ".doco-cd.yaml:2: auto_discovery: invalid auto_discovery value: expected bool or object"},
    // keys without effect on an artifact that compose deploys
    {"git_depth: -1", ".doco-cd.yaml:2: git_depth: git_depth must be >= 0"},
    {"swarm: true", "failed to decode yaml: .doco-cd.yaml:2: swarm: expected a mapping, got true"},
    {"swarm: {config_retention: -2}", ".doco-cd.yaml:2: config_retention: swarm.config_retention must be >= -1"},
    {"swarm: {secret_retention: -2}", ".doco-cd.yaml:2: secret_retention: swarm.secret_retention must be >= -1"},
    {"wait_jobs: 7", "failed to decode yaml: .doco-cd.yaml:2: wait_jobs: expected true or false, got number 7"},
    // syntax: config 3
    {"name: again", "failed to decode yaml: .doco-cd.yaml:2:1: mapping key \"name\" already defined at line 1"},
    {"profiles:\n\t- x", "failed to decode yaml: .doco-cd.yaml:3:1: tab character may not be used as indentation"},
    {"---\nname: web", "duplicate project/stack name found in configuration file: web"},
    {"---\n[name]", "failed to decode yaml: .doco-cd.yaml:3: expected a mapping of deploy keys"},
};

TEST_F(DeployConfigFile, SaysWhatIsWrong) {
  for (const auto& [text, fault] : kFaults) {
    SCOPED_TRACE(text);
    EXPECT_EQ(fault_of("name: web\n" + text + "\n"), "invalid deploy configuration: " + fault);
  }
}

TEST_F(DeployConfigFile, ChecksTheName) {  // reliability 8
  const std::string prefix = "invalid deploy configuration: ";
  for (const auto name : {"../../x", "--help", "A B", "a;id", "Web", "_x", "wéb"})
    EXPECT_EQ(fault_of(fmt::format("name: {}\n", name)),
              fmt::format("{}.doco-cd.yaml:1: name: \"{}\" is not a valid name: {}", prefix, name, kNameRule));
  EXPECT_EQ(fault_of("name: \"a\\e[2J\"\n"),
            fmt::format("{}.doco-cd.yaml:1: name: \"a\\x1b[2J\" is not a valid name: {}", prefix, kNameRule));
  EXPECT_EQ(fault_of("name: \"a\\n\"\n"),
            fmt::format("{}.doco-cd.yaml:1: name: \"a\\x0a\" is not a valid name: {}", prefix, kNameRule));
  EXPECT_NE(fault_of("name: " + std::string(10'000, 'a')), "");
  for (const auto text : {"name: null\n", "name:\n", "name: \"\"\n", "timeout: 1\n"})
    EXPECT_EQ(fault_of(text), fmt::format("{}.doco-cd.yaml:1: name: key not found: name ({})", prefix, kNameRule));
  EXPECT_EQ(fault_of("name: [a]\n"),
            prefix + "failed to decode yaml: .doco-cd.yaml:1: name: expected text, got a list");
}

TEST_F(DeployConfigFile, ReportsEveryFaultAtOnce) {
  EXPECT_EQ(
      fault_of("name: web\ntimeout: x\n---\nname: b\ncontext: a/b\n"),
      "invalid deploy configuration: failed to decode yaml: .doco-cd.yaml:2: timeout: expected an integer, got text "
      "\"x\"; .doco-cd.yaml:5: context: \"a/b\" is not the name of a Docker context: "
      "[a-zA-Z0-9][a-zA-Z0-9_.+-]+");
}

TEST_F(DeployConfigFile, ReadsOnWhichEngineAStackRuns) {
  for (const auto& [text, context] :
       std::map<std::string, std::string>{{"timeout: 1", ""},
                                          {"context: ''", ""},
                                          {"context: default", ""},
                                          {"context: ' Edge.1+a_b-c '", "Edge.1+a_b-c"}}) {
    const auto configs = load(fmt::format("name: web\n{}\n", text));
    ASSERT_TRUE(configs) << text;
    EXPECT_EQ(configs->stacks[0].context, context) << text;
    EXPECT_FALSE(configs->stacks[0].remote_paths);
  }
  EXPECT_TRUE(load("name: web\ncontext: edge\nremote_paths: true\n")->stacks[0].remote_paths);
}

TEST_F(DeployConfigFile, TellsStacksOfOneNameByTheirEngines) {  // config 12
  EXPECT_EQ(load("name: web\n---\nname: web\ncontext: edge\n")->stacks.size(), 2u);
  EXPECT_EQ(fault_of("name: web\ncontext: edge\n---\nname: web\ncontext: edge\n"),
            "invalid deploy configuration: duplicate project/stack name found in configuration file: edge/web");
}

TEST_F(DeployConfigFile, ReadsHowImagesAreMadeAndKept) {
  const auto plain = load("name: web\nbuild:\n");
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_TRUE(plain->stacks[0].prune_images);
  EXPECT_FALSE(plain->stacks[0].adopt);
  EXPECT_EQ(plain->stacks[0].build, BuildRule{});
  const auto all = load(
      "name: web\nprune_images: false\nadopt: true\n"
      "build: {force_image_pull: true, quiet: true, no_cache: true, args: {VERSION: 1.20, EMPTY: ''}, other: 1}\n");
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_FALSE(all->stacks[0].prune_images);
  EXPECT_TRUE(all->stacks[0].adopt);
  EXPECT_EQ(
      all->stacks[0].build,
      (BuildRule{
          .force_image_pull = true, .no_cache = true, .quiet = true, .args = {{"VERSION", "1.20"}, {"EMPTY", ""}}}));
  EXPECT_EQ(all->warnings, Lines{".doco-cd.yaml:4: unknown key \"other\""});
}

TEST_F(DeployConfigFile, TakesKeysThatAskForNothing) {
  for (const auto text :
       {"repository_url: ''", "context: ' '", "external_secrets: {}", "external_secrets:", "oci: {}", "git_depth: 0",
        "git_depth: 1", "swarm:", "swarm: {config_retention: -1}", "swarm: {secret_retention: 3}", "wait_jobs: false",
        "wait_jobs: true", "remote_paths: true", "wait_running_jobs: true", "wait_running_jobs: false"}) {
    const auto configs = load(fmt::format("name: web\n{}\n", text));
    ASSERT_TRUE(configs) << text << ": " << configs.error().message;
    EXPECT_EQ(configs->warnings, Lines{}) << text;
  }
}

TEST_F(DeployConfigFile, HasNoSayInWhatIsTrusted) {  // oci 11.1, reliability/T13
  for (const auto text : {"oci: {verify: false}", "oci: {ignore_tlog: true}", "oci: {public_keys: [rubbish]}"}) {
    const auto configs = load(fmt::format("name: web\n{}\n", text));
    ASSERT_TRUE(configs) << text << ": " << configs.error().message;
    EXPECT_TRUE(configs->stacks.at(0).trust.empty()) << text;
    EXPECT_EQ(configs->warnings, Lines{".doco-cd.yaml:2: oci: has no effect in an artifact: only OCI_TRUST_POLICY and "
                                       "inline deployments say what is trusted"});
  }
}

TEST_F(DeployConfigFile, WarnsAboutUnknownKeys) {  // config 14 #5
  const std::string text =
      "name: web\ncompose_file: x.yaml\ndestory: true\nzzz: 1\ndestroy: {remove_volume: true}\n"
      "oci_trust_policy: {enabled: true}\nverify: true\nbranch: main\n"
      "internal: {environment: {A: 1}}\n";  // doco-cd reads the last one by accident
  const Lines lines = {".doco-cd.yaml:5: unknown key \"remove_volume\", did you mean \"remove_volumes\"?",
                       ".doco-cd.yaml:2: unknown key \"compose_file\", did you mean \"compose_files\"?",
                       ".doco-cd.yaml:3: unknown key \"destory\", did you mean \"destroy\"?",
                       ".doco-cd.yaml:4: unknown key \"zzz\"",
                       // reliability 8: the trust block under a wrong name
                       ".doco-cd.yaml:6: unknown key \"oci_trust_policy\"", ".doco-cd.yaml:7: unknown key \"verify\"",
                       ".doco-cd.yaml:8: unknown key \"branch\"", ".doco-cd.yaml:9: unknown key \"internal\""};
  const auto configs = load(text);
  ASSERT_TRUE(configs) << configs.error().message;
  EXPECT_EQ(configs->warnings, lines);
  EXPECT_EQ(fault_of(text, {.strict = true}), fmt::format("invalid deploy configuration: {}", fmt::join(lines, "; ")));
}

TEST_F(DeployConfigFile, HasTextThatIsEqualForEqualConfigurations) {
  const auto text = [&](std::string_view content) { return load(content)->stacks[0].text; };
  EXPECT_EQ(text("name: web\nenvironment: {A: 1, B: 2}\n"),
            text("# other\nenvironment:\n  B: \"2\"\n  A: '1'\nname: \"web\"\ntimeout: 180\n"));
  EXPECT_NE(text("name: web\n"), text("name: web\nprofiles: [a]\n"));
  EXPECT_NE(text("name: web\n"), text("name: web\nenv_files: [.env]\n"));
}

TEST_F(DeployConfigFile, IsFoundByItsTarget) {  // oci 7
  EXPECT_EQ(layout_fault(""),
            "configuration file not found in repository: .doco-cd.y(a)ml (invalid OCI artifact layout: expected "
            ".doco-cd.yml or .doco-cd.yaml at artifact root)");
  file(".doco-cd.yml", "name: default\n");
  EXPECT_EQ(
      layout_fault("prod.eu"),
      "configuration file not found in repository: .doco-cd.prod.eu.y(a)ml (invalid OCI artifact layout: expected "
      ".doco-cd.prod.eu.yml or .doco-cd.prod.eu.yaml at artifact root)");
  EXPECT_EQ(load_deploy_configs(root_, "", {})->stacks[0].name, "default");
  file(".doco-cd.prod.eu.yaml", "name: eu\n");
  EXPECT_EQ(load_deploy_configs(root_, "prod.eu", {})->stacks[0].name, "eu");
  file(".doco-cd.test.yml", "name: test\n");
  EXPECT_EQ(load_deploy_configs(root_, "test", {})->stacks[0].name, "test");
  for (const auto target : {"../x", "-x", ".x", "a/b", "a b"})
    EXPECT_EQ(layout_fault(target), fmt::format("invalid target \"{}\"", target));
}

TEST_F(DeployConfigFile, IsNamedWhenAnotherOneHidesIt) {  // config 14 #23
  file(".doco-cd.yml", "name: b\n");
  const auto configs = load("name: a\n");
  ASSERT_TRUE(configs);
  EXPECT_EQ(configs->stacks[0].name, "a");
  EXPECT_EQ(configs->warnings, Lines{".doco-cd.yml is ignored: .doco-cd.yaml is used"});
}

TEST_F(DeployConfigFile, MayStandInTheBaseDirectory) {
  const DeployConfigOptions options{.base_dir = "/deploy/it"};
  EXPECT_EQ(layout_fault("", options),
            "configuration file not found in repository: .doco-cd.y(a)ml (invalid OCI artifact layout: expected "
            ".doco-cd.yml or .doco-cd.yaml at artifact root or in deploy/it)");
  file(".doco-cd.yaml", "name: root\n");
  EXPECT_EQ(load_deploy_configs(root_, "", options)->stacks[0].name, "root");
  file("deploy/it/.doco-cd.yml", "name: base\n");
  EXPECT_EQ(load_deploy_configs(root_, "", options)->stacks[0].name, "base");
  file("deploy/it/.doco-cd.yml", "name: base\nworking_dir: app\n");
  file("app/compose.yaml", "");
  file("deploy/it/app/compose.yaml", "");
  EXPECT_EQ(*find_compose_files(root_, load_deploy_configs(root_, "", options)->stacks[0]), Lines{"app/compose.yaml"})
      << "working_dir counts from the root";  // config 3
}

TEST_F(DeployConfigFile, MustBeARegularFile) {  // reliability 5, row 38
  file("real.yaml", "name: web\n");
  const std::string fault = "invalid OCI artifact layout: .doco-cd.yaml is not a regular file";
  fs::create_symlink("real.yaml", root_ / ".doco-cd.yaml");
  EXPECT_EQ(layout_fault(""), fault);
  fs::remove(root_ / ".doco-cd.yaml");
  fs::create_directory(root_ / ".doco-cd.yaml");
  EXPECT_EQ(layout_fault(""), fault);
  fs::remove(root_ / ".doco-cd.yaml");
  ::mkfifo((root_ / ".doco-cd.yaml").c_str(), 0600);
  EXPECT_EQ(layout_fault(""), fault);
}

TEST_F(DeployConfigFile, MustHoldSomethingReadable) {
  for (const auto text : {"", "# only a comment\n", "---\n---\n"})
    EXPECT_EQ(fault_of(text), "invalid deploy configuration: no yaml documents found in file .doco-cd.yaml");
  EXPECT_EQ(fault_of(std::string("\x7f"
                                 "ELF\0\0",
                                 6)),
            "invalid deploy configuration: failed to decode yaml: .doco-cd.yaml:1:5: NUL byte in YAML");
  EXPECT_EQ(fault_of("a: " + std::string(2 << 20, 'x')),
            "invalid deploy configuration: .doco-cd.yaml is larger than 1048576 bytes");
}

TEST(WebhookFilter, SearchesUnanchored) {  // webhook/F4 to F7
  DeployConfig config;
  EXPECT_TRUE(filter_matches(config, "anything"));
  config.webhook_filter = "v[0-9]";
  EXPECT_TRUE(filter_matches(config, "release-v2-x"));
  EXPECT_FALSE(filter_matches(config, "main"));
  config.webhook_filter = "^main$";
  EXPECT_FALSE(filter_matches(config, "main2"));
}

TEST_F(DeployConfigFile, HasAFilterThatCostsLinearTime) {  // reliability 8
  const auto config = load("name: web\nwebhook_filter: ((((a+)+)+)+)+$\n")->stacks[0];
  EXPECT_FALSE(filter_matches(config, std::string(100'000, 'a') + "b"));
  EXPECT_FALSE(load("name: web\nwebhook_filter: " + std::string(100'000, '(') + "\n"));
}

}  // namespace
}  // namespace windlass
