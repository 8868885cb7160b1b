#include "config/poll_config.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "config/inline_deployments.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

Status is_artifact(std::string_view text) {
  if (text.find(' ') == text.npos) return {};
  return fail(Kind::invalid, "has a blank");
}

struct Read {
  std::vector<PollConfig> polls;
  PollFaults faults;

  Lines all_faults() const {
    Lines all = faults.undecodable;
    all.insert(all.end(), faults.invalid.begin(), faults.invalid.end());
    return all;
  }
};

Read read(std::string_view text) {
  Read result;
  result.polls = read_poll_configs(text, "POLL_CONFIG", is_artifact, result.faults);
  return result;
}

TEST(PollConfig, HasDefaults) {
  const auto result = read("- source: oci\n  url: ' ghcr.io/acme/app:1 '\n");
  EXPECT_EQ(result.all_faults(), Lines{});
  EXPECT_EQ(result.faults.warnings, Lines{});
  ASSERT_EQ(result.polls.size(), 1u);
  EXPECT_EQ(result.polls[0], (PollConfig{.url = "ghcr.io/acme/app:1", .interval = 180s}));
}

TEST(PollConfig, IsReadKeyByKey) {
  const auto result = read(R"(
- source: " OCI "
  url: ghcr.io/acme/app:1
  reference: ignored
  interval: 5m
  target: prod
  run_once: yes
  watch: false
- {source: oci, url: ghcr.io/acme/other:1, interval: 0, deployments: [{name: a}, {name: b}]}
)");
  EXPECT_EQ(result.all_faults(), Lines{});
  ASSERT_EQ(result.polls.size(), 2u);
  EXPECT_EQ(result.polls[0],
            (PollConfig{.url = "ghcr.io/acme/app:1", .interval = 300s, .target = "prod", .run_once = true}));
  EXPECT_EQ(result.polls[1].interval, 0s);
  const auto inlined = read_inline_deployments(result.polls[1].deployments);
  ASSERT_TRUE(inlined) << inlined.error().message;
  EXPECT_EQ(inlined->stacks.at(1).name, "b");
}

// config 11, the table of `interval`
TEST(PollConfig, TakesEveryFormOfInterval) {
  const std::pair<const char*, std::chrono::seconds> rows[] = {
      {"300", 300s},  {"\"300\"", 300s}, {"\" 300 \"", 300s},     {"\"5m\"", 300s}, {"5m", 300s},
      {"1m30s", 90s}, {"0", 0s},         {"\"0\"", 0s},           {"0s", 0s},       {"90.0", 90s},
      {"1e3", 1000s}, {"10", 10s},       {"1500ms500ms10s", 12s},
  };
  for (const auto& [written, interval] : rows) {
    const auto result = read(fmt::format("- {{source: oci, url: a, interval: {}}}", written));
    EXPECT_EQ(result.all_faults(), Lines{}) << written;
    ASSERT_EQ(result.polls.size(), 1u);
    EXPECT_EQ(result.polls[0].interval, interval) << written;
  }
}

TEST(PollConfig, SaysWhyItRefusesAnInterval) {
  const std::pair<const char*, const char*> rows[] = {
      {"1500ms", "failed to decode yaml: POLL_CONFIG:1: interval: must resolve to full seconds"},
      {"90.5", "failed to decode yaml: POLL_CONFIG:1: interval: must be a whole number of seconds"},
      {"\"\"", "failed to decode yaml: POLL_CONFIG:1: interval: must not be empty"},
      {"abc", "failed to decode yaml: POLL_CONFIG:1: interval: must be seconds or a Go duration"},
      {"\"90.5\"", "failed to decode yaml: POLL_CONFIG:1: interval: must be seconds or a Go duration"},
      {"true", "failed to decode yaml: POLL_CONFIG:1: interval: expected number or string"},
      {"[1]", "failed to decode yaml: POLL_CONFIG:1: interval: expected number or string"},
      {"9223372037", "failed to decode yaml: POLL_CONFIG:1: interval: out of range"},
      {"1e300", "failed to decode yaml: POLL_CONFIG:1: interval: out of range"},
      {"\"99999999999999999999\"", "failed to decode yaml: POLL_CONFIG:1: interval: out of range"},
      {"1", "POLL_CONFIG:1: interval: poll interval too low: must be at least 10s"},
      {"9s", "POLL_CONFIG:1: interval: poll interval too low: must be at least 10s"},
      {"-60", "POLL_CONFIG:1: interval: poll interval too low: must be at least 10s"},
      {"-5m", "POLL_CONFIG:1: interval: poll interval too low: must be at least 10s"},
      {"{a: 1}", "failed to decode yaml: POLL_CONFIG:1: interval: expected number or string"},
  };
  for (const auto& [written, fault] : rows)
    EXPECT_EQ(read(fmt::format("- {{source: oci, url: a, interval: {}}}", written)).all_faults(), Lines{fault});
}

// config 14 #12: doco-cd switches polling off without a word
TEST(PollConfig, TakesTheDefaultForAnOpenInterval) {
  const auto result = read("- source: oci\n  url: a\n  interval:\n");
  EXPECT_EQ(result.all_faults(), Lines{});
  EXPECT_EQ(result.polls.at(0).interval, 180s);
  EXPECT_EQ(result.faults.warnings, Lines{"POLL_CONFIG:3: interval: is empty, 180s is used"});
}

TEST(PollConfig, SaysWhyItRefusesAKey) {
  const std::pair<const char*, const char*> rows[] = {
      {"url: a",
       "POLL_CONFIG:1: source: git, the default, is not built yet in this version of windlass: write source: oci"},
      {"source: git, url: a",
       "POLL_CONFIG:1: source: git, the default, is not built yet in this version of windlass: write source: oci"},
      {"source: svn, url: a", "POLL_CONFIG:1: source: invalid source type \"svn\": must be \"git\" or \"oci\""},
      {"source: oci", "POLL_CONFIG:1: url: key not found: url"},
      {"source: oci, url: ' '", "POLL_CONFIG:1: url: key not found: url"},
      {"source: oci, url: a b", "POLL_CONFIG:1: url: invalid OCI artifact reference: has a blank"},
      {"source: oci, url: [a]", "failed to decode yaml: POLL_CONFIG:1: url: expected text, got a list"},
      {"source: oci, url: a, target: ../x", "POLL_CONFIG:1: target: invalid target \"../x\""},
      {"source: oci, url: a, run_once: 3",
       "failed to decode yaml: POLL_CONFIG:1: run_once: expected true or false, got number 3"},
      {"source: oci, url: a, watch: maybe",
       "failed to decode yaml: POLL_CONFIG:1: watch: expected true or false, got text \"maybe\""},
      {"source: oci, url: a, deployments: {name: x}",
       "failed to decode yaml: POLL_CONFIG:1: deployments: expected a list, got a mapping"},
      {"source: oci, url: a, deployments: [x]",
       "failed to decode yaml: POLL_CONFIG:1: expected a mapping of deploy keys"},
      {"source: oci, url: a, deployments: [{name: X}]",
       "POLL_CONFIG:1: name: \"X\" is not a valid name: a compose project name is [a-z0-9][a-z0-9_-]*"},
      {"source: oci, url: a, deployments: [{name: x, timeout: '180'}]",
       "failed to decode yaml: POLL_CONFIG:1: timeout: expected an integer, got text \"180\""},
      {"source: oci, url: a, deployments: [{name: x}, {name: x}]",
       "duplicate project/stack name found in configuration file: x"},
  };
  for (const auto& [written, fault] : rows) {
    const auto faults = read(fmt::format("- {{{}}}", written)).all_faults();
    ASSERT_FALSE(faults.empty()) << written;
    EXPECT_EQ(faults[0], fault);
  }
}

TEST(PollConfig, FindsEveryFaultOfEveryEntry) {
  const auto result = read("- source: oci\n- {source: x, url: a}\n- {source: oci, url: a, interval: 3}\n- text\n");
  EXPECT_EQ(result.all_faults(), (Lines{"failed to decode yaml: POLL_CONFIG:4: expected a mapping of poll keys",
                                        "POLL_CONFIG:1: url: key not found: url",
                                        "POLL_CONFIG:2: source: invalid source type \"x\": must be \"git\" or \"oci\"",
                                        "POLL_CONFIG:3: interval: poll interval too low: must be at least 10s"}));
}

TEST(PollConfig, LetsAutoDiscoveriesShareANameUntilTheyFindStacks) {  // config 5, uniqueness
  const auto result = read(
      "- source: oci\n  url: a\n  deployments:\n  - {auto_discovery: true, working_dir: a}\n"
      "  - {auto_discovery: true, working_dir: b}\n");
  EXPECT_EQ(result.all_faults(), Lines{});
  EXPECT_EQ(read_inline_deployments(result.polls.at(0).deployments)->stacks.size(), 2u);
}

// config 1: what runs at once by a request has no interval
TEST(PollConfig, RunsOnceWhenItIsAskedFor) {
  const auto file = *parse_yaml("{source: oci, url: a, interval: 3, run_once: false, target: prod}", "body");
  PollFaults faults;
  const auto config = decode_poll_config(*file.documents.at(0), "body", PollOrigin::request, is_artifact, faults);
  EXPECT_FALSE(faults.any());
  EXPECT_EQ(config, (PollConfig{.url = "a", .interval = 0s, .target = "prod", .run_once = true}));
}

TEST(PollConfig, IsAList) {
  EXPECT_EQ(read("source: oci\nurl: a\n").all_faults(),
            Lines{"failed to decode yaml: POLL_CONFIG:1: expected a list of poll configurations"});
  EXPECT_EQ(read("[]\n---\n[]\n").all_faults(),
            Lines{"failed to decode yaml: POLL_CONFIG: more than one YAML document"});
  EXPECT_TRUE(read("- [").all_faults().at(0).starts_with("failed to decode yaml: POLL_CONFIG:"));
  for (const auto nothing : {"[]", "", "# nothing\n"}) {
    EXPECT_EQ(read(nothing).all_faults(), Lines{});
    EXPECT_TRUE(read(nothing).polls.empty());
  }
}

TEST(PollConfig, WarnsAboutUnknownKeysAndEqualEntries) {  // config 12, 14 #5
  const auto result = read(R"(
- {source: oci, url: a, intervall: 60}
- {source: oci, url: a}
- {source: oci, url: a, target: other}
- {source: oci, url: b, deployments: [{name: x, compose_file: y}]}
)");
  EXPECT_EQ(result.all_faults(), Lines{});
  EXPECT_EQ(result.faults.warnings,
            (Lines{"POLL_CONFIG:2: unknown key \"intervall\", did you mean \"interval\"?",
                   "POLL_CONFIG:3: the same entry stands there twice",
                   "POLL_CONFIG:5: unknown key \"compose_file\", did you mean \"compose_files\"?"}));
}

}  // namespace
}  // namespace windlass
