#include "driver/compose_driver.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "sys/fake_process.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

Deadline soon() { return Deadline::in(60s); }

template <class T>
std::string message_of(const Result<T>& result) {
  return result ? "no error" : std::string(to_string(result.error().kind)) + ": " + result.error().message;
}

struct ComposeDriverTest : testing::Test {
  FakeProcessRunner runner;
  ComposeOptions options{.environment = {{"PATH", "/bin"}, {"DOCKER_HOST", "unix:///run/d.sock"}, {"API_SECRET", "x"}},
                         .plugin_folders = {}};
  StackSpec shop{.name = "shop",
                 .project_dir = "/run/copy/shop",
                 .compose_files = {"/run/copy/shop/compose.yaml", "/run/copy/shop/more.yaml"},
                 .environment = {{"TOKEN", "hunter22"}, {"LD_PRELOAD", "/x.so"}},
                 .secrets = {Secret("sealed-value")}};

  std::unique_ptr<Driver> driver() { return make_compose_driver(options, runner, Log({.file_descriptor = -1})); }
  void answer(Exit exit) {
    runner.answer = [exit](const Command&) { return exit; };
  }
  static json::object model(std::string_view text) { return parse_json(text)->as_object(); }
  // "shop" with this model, resolved in the environment of `shop`.
  ResolvedStack resolved(json::object model = {}) const {
    return {"shop", std::move(model), shop.environment, shop.secrets};
  }
  static std::string line_of(const Command& command) {
    std::string line = command.program;
    for (const auto& argument : command.arguments) line += " " + (argument.empty() ? "''" : argument);
    return line;
  }
};

// deploy/X1, X12, X13
TEST_F(ComposeDriverTest, ResolvesInAnEnvironmentOfItsOwn) {
  answer({.out = R"({"name":"shop","services":{"web":{"image":"a"}}})"});
  const auto resolved = driver()->resolve(shop, soon());
  ASSERT_TRUE(resolved) << resolved.error().message;
  EXPECT_EQ(text_of(*resolved, "name"), "shop");
  ASSERT_EQ(runner.ran.size(), 1u);
  EXPECT_EQ(line_of(runner.ran[0]),
            "docker compose --ansi never --progress plain -p shop --project-directory /run/copy/shop --env-file "
            "/dev/null --profile '' -f /run/copy/shop/compose.yaml -f /run/copy/shop/more.yaml config --format json");
  const std::map<std::string, std::string> environment = {
      {"PATH", "/bin"}, {"DOCKER_HOST", "unix:///run/d.sock"}, {"TOKEN", "hunter22"}};
  EXPECT_EQ(runner.ran[0].environment, environment);
}

// config 2: what an operator says, and no artifact can.
TEST_F(ComposeDriverTest, PassesOnWhatTheOperatorSaysOfOciIncludes) {
  answer({.out = "{}"});
  options.environment["COMPOSE_EXPERIMENTAL_OCI_REMOTE"] = "false";
  options.environment["SSL_CERT_FILE"] = "/etc/ca.pem";
  options.environment["COMPOSE_PROFILES"] = "debug";
  shop.environment["COMPOSE_EXPERIMENTAL_OCI_REMOTE"] = "true";
  ASSERT_TRUE(driver()->resolve(shop, soon()));
  const auto& given = runner.ran[0].environment;
  EXPECT_EQ(given.at("COMPOSE_EXPERIMENTAL_OCI_REMOTE"), "false");
  EXPECT_EQ(given.at("SSL_CERT_FILE"), "/etc/ca.pem");
  EXPECT_FALSE(given.contains("COMPOSE_PROFILES"));
  options.environment["COMPOSE_EXPERIMENTAL_OCI_REMOTE"] = "true";
  shop.oci_includes = OciIncludes::refused;
  ASSERT_TRUE(driver()->resolve(shop, soon()));
  EXPECT_EQ(runner.ran[1].environment.at("COMPOSE_EXPERIMENTAL_OCI_REMOTE"), "false") << "the trust policy is stricter";
}

TEST_F(ComposeDriverTest, HasNothingThatLiesElsewhereBroughtIntoALocalStack) {
  for (const auto* kind : {"git", "OCI", "experimental git"}) {
    SCOPED_TRACE(kind);
    answer({.code = 1, .err = fmt::format("{} remote resource is disabled by \"X\"\n", kind)});
    shop.is_local = true;
    EXPECT_EQ(
        message_of(driver()->resolve(shop, soon())),
        "denied: docker compose config: includes that lie elsewhere (oci://, git) are not followed for files that "
        "are no artifact yet, nor with DEPLOY_POLICY=restricted");
    const auto& given = runner.ran.back().environment;
    EXPECT_EQ(given.at("COMPOSE_EXPERIMENTAL_OCI_REMOTE"), "false");
    EXPECT_EQ(given.at("COMPOSE_EXPERIMENTAL_GIT_REMOTE"), "false");
  }
  answer({.out = "{}"});
  shop.is_local = false;
  ASSERT_TRUE(driver()->resolve(shop, soon()));
  EXPECT_FALSE(runner.ran.back().environment.contains("COMPOSE_EXPERIMENTAL_OCI_REMOTE"));
  EXPECT_FALSE(runner.ran.back().environment.contains("COMPOSE_EXPERIMENTAL_GIT_REMOTE"));
}

TEST_F(ComposeDriverTest, NamesTheProfiles) {
  answer({.out = "{}"});
  shop.profiles = {"debug", "all"};
  ASSERT_TRUE(driver()->resolve(shop, soon()));
  EXPECT_NE(line_of(runner.ran[0]).find(" --profile all --profile debug -f "), std::string::npos);
}

// deploy/X4, X5, X14: the model is the only file, and goes through standard input
TEST_F(ComposeDriverTest, BringsTheModelUpInOneCall) {
  const auto up = driver()->up(resolved(model(R"({"services":{"web":{"image":"a","profiles":["p"]}}})")),
                               {.remove_orphans = true, .project_dir = "/data/shop"}, soon());
  ASSERT_TRUE(up) << up.error().message;
  EXPECT_EQ(line_of(runner.ran[0]),
            "docker compose --ansi never --progress plain -p shop --project-directory /data/shop --env-file /dev/null "
            "--profile p -f - up -d --no-build --pull never --quiet-pull --remove-orphans");
  EXPECT_EQ(runner.ran[0].input, R"({"services":{"web":{"image":"a","profiles":["p"]}}})");
}

TEST_F(ComposeDriverTest, TellsWhatComposePrintedUnlessItIsQuiet) {  // config 2, DOCKER_QUIET_DEPLOY
  for (const bool is_quiet : {true, false}) {
    int pipe[2];
    ASSERT_EQ(::pipe2(pipe, O_NONBLOCK), 0);
    options.quiet = is_quiet;
    answer({.err = " Container shop-web-1  Created\n"});
    const auto one = make_compose_driver(options, runner, Log({.file_descriptor = pipe[1]}));
    ASSERT_TRUE(one->up(resolved(), {}, soon()));
    char text[4096] = {};
    const auto size = ::read(pipe[0], text, sizeof text - 1);
    EXPECT_EQ(std::string_view(text).find("shop-web-1  Created") == std::string_view::npos, is_quiet) << size << text;
    ::close(pipe[0]);
    ::close(pipe[1]);
  }
}

TEST_F(ComposeDriverTest, LeavesOrphansWhenAskedTo) {
  ASSERT_TRUE(driver()->up(resolved(), {.remove_orphans = false}, soon()));
  EXPECT_TRUE(line_of(runner.ran[0]).ends_with("-f - up -d --no-build --pull never --quiet-pull"));
}

// A secret with `environment:` is read when the container is made, from what its own model was resolved with: not from
// what somebody who looks at the plan of another artifact resolves meanwhile.
TEST_F(ComposeDriverTest, BringsUpWithTheEnvironmentOfTheResolution) {
  answer({.out = "{}"});
  const auto one = driver();
  ASSERT_TRUE(one->resolve(shop, soon()));
  auto other = shop;
  other.environment = {{"TOKEN", "swordfish"}, {"MORE", "1"}};
  ASSERT_TRUE(one->resolve(other, soon()));
  ASSERT_TRUE(one->up(resolved(model(R"({"secrets":{"s":{"environment":"TOKEN"}}})")), {}, soon()));
  EXPECT_EQ(runner.ran[2].input, R"({"secrets":{"s":{"environment":"WINDLASS_VALUE_0"}}})");
  EXPECT_EQ(runner.ran[2].environment.at("WINDLASS_VALUE_0"), "hunter22");
}

// What these start (ssh, the builder) would obey it: OPENSSL_CONF names a library, SHELL a program.
TEST_F(ComposeDriverTest, GivesNoVariableOfAnArtifactToStepsThatStartPrograms) {
  shop.environment = {{"OPENSSL_CONF", "/x"}, {"SHELL", "/x"}, {"BUILDX_CONFIG", "/x"}, {"DOCKER_HOST", "x"}};
  const std::map<std::string, std::string> own = {{"PATH", "/bin"}, {"DOCKER_HOST", "unix:///run/d.sock"}};
  const auto one = driver();
  ASSERT_TRUE(one->pull(resolved(), {}, soon()));
  ASSERT_TRUE(one->build(resolved(), {}, {}, soon()));
  ASSERT_TRUE(one->up(resolved(), {}, soon()));
  ASSERT_TRUE(one->down("shop", {}, soon()));
  for (const auto& command : runner.ran) EXPECT_EQ(command.environment, own) << command.arguments.back();
}

// The artifact's compose file can name any variable of the tool's environment.
TEST_F(ComposeDriverTest, GivesOurCredentialsOnlyToCallsThatNeedThem) {
  options.environment.insert({{"DOCKER_AUTH_CONFIG", R"({"auths":{}})"}, {"https_proxy", "http://u:opensesame@p:1"}});
  answer({.out = "{}"});
  const auto one = driver();
  const auto stack = model(R"({"services":{"web":{"build":{"args":{"https_proxy":null,"A":null,"B":"b"}}}}})");
  ASSERT_TRUE(one->resolve(shop, soon()));
  ASSERT_TRUE(one->up(resolved(stack), {}, soon()));
  ASSERT_TRUE(one->pull(resolved(stack), {"web"}, soon()));
  ASSERT_TRUE(one->build(resolved(stack), {"web"}, {}, soon()));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(runner.ran[i].environment.contains("DOCKER_AUTH_CONFIG"), i >= 2) << i;
    EXPECT_EQ(runner.ran[i].environment.contains("https_proxy"), i >= 2) << i;
    EXPECT_EQ(runner.ran[i].environment.contains("TOKEN"), i == 0) << i;
  }
  EXPECT_EQ(runner.ran[3].input, R"({"services":{"web":{"build":{"args":{"B":"b","A":null}}}}})");

  ASSERT_TRUE(one->build(resolved(stack), {"web"}, {.pull = true, .no_cache = true, .quiet = true}, soon()));
  const auto& arguments = runner.ran[4].arguments;
  EXPECT_EQ(std::vector(arguments.end() - 6, arguments.end()),
            (std::vector<std::string>{"build", "--pull", "--no-cache", "--quiet", "--", "web"}));

  answer({.code = 1, .err = "proxyconnect http://u:opensesame@p:1: 407 for opensesame\n"});
  EXPECT_EQ(message_of(one->pull(resolved(), {"web"}, soon())).find("opensesame"), std::string::npos);
}

TEST_F(ComposeDriverTest, RefusesSecretsThatAreOurCredentials) {
  for (const std::string variable : {"DOCKER_AUTH_CONFIG", "DOCKER_CUSTOM_HEADERS", "HTTPS_PROXY"}) {
    answer({.out = R"({"secrets":{"s":{"environment":")" + variable + R"("}}})"});
    EXPECT_EQ(message_of(driver()->resolve(shop, soon())), "invalid: policy: secrets s: environment " + variable);
  }
  answer({.out = R"({"secrets":{"s":{"environment":"TOKEN"}}})"});
  EXPECT_TRUE(driver()->resolve(shop, soon()));
}

TEST_F(ComposeDriverTest, ShowsNoSecretOfTheServiceWhereverItWasRead) {  // reliability/T16
  const Log log({.file_descriptor = -1});
  const auto one = make_compose_driver(options, runner, log);
  log.mask(Secret("swordfish"));  // also one that was read again later
  answer({.code = 1, .err = "line 1: unexpected character in WEBHOOK_SECRET=swordfish\n"});
  EXPECT_EQ(message_of(one->resolve(shop, soon())),
            "invalid: docker compose config: line 1: unexpected character in WEBHOOK_SECRET=***");
}

// deploy/X2, X3
TEST_F(ComposeDriverTest, PullsAndBuildsTheNamedServices) {
  ASSERT_TRUE(driver()->pull(resolved(), {"web", "db"}, soon()));
  ASSERT_TRUE(driver()->build(resolved(), {"app"}, {}, soon()));
  EXPECT_TRUE(line_of(runner.ran[0]).ends_with(" -f - pull --quiet --ignore-buildable -- web db"));
  EXPECT_TRUE(line_of(runner.ran[1]).ends_with(" -f - build -- app"));
}

TEST_F(ComposeDriverTest, SaysInTheToolsWordsWhatIsWrong) {
  struct Row {
    std::string step;
    Exit exit;
    std::string message;
  };
  const std::string hint =  // deploy/C6
      " (the registry wants credentials: they are taken from config.json in the folder DOCKER_CONFIG, which docker "
      "login "
      "writes)";
  const Row rows[] = {
      {"config",
       {.code = 15,
        .err = "validating /run/copy/shop/compose.yaml: services.a Additional property imge is not allowed\n"},
       "invalid: docker compose config: validating compose.yaml: services.a Additional property imge is not allowed"},
      {"config",
       {.code = 15, .err = "time=\"t\" level=warning msg=\"obsolete\"\nservices.a: hunter22 is wrong\n"},
       "invalid: docker compose config: services.a: *** is wrong"},
      {"config",
       {.code = 15, .err = "services.a: sealed-value is wrong\n"},
       "invalid: docker compose config: services.a: *** is wrong"},
      {"config", {.code = 3}, "invalid: docker compose config: exit code 3"},
      {"config", {.code = 139, .signal = 11}, "unavailable: docker compose config: ended by signal 11: "},
      {"config", {.code = 130, .timed_out = true}, "unavailable: docker compose config: no end after 1m0s"},
      {"config", {.out = "{"}, "invalid: docker compose config: reading its model: "},
      {"config",
       {.out = R"({"services":{"s":{"provider":{"type":"x"}}}})"},
       "invalid: policy: service s: provider (ALLOW_PROVIDER_SERVICES=true lets it in)"},  // X18
      {"up",
       {.code = 1, .err = " Container shop-a-1  Creating\nError response from daemon: No such image: nope:1\n"},
       "conflict: docker compose up: Error response from daemon: No such image: nope:1"},
      {"up",
       {.code = 1,
        .err = " Container b  Waiting\n Container b  service \"b\" didn't complete\nservice \"b\" didn't complete\n"},
       "conflict: docker compose up: service \"b\" didn't complete"},
      {"up",
       {.code = 1, .err = "Cannot connect to the Docker daemon at unix:///nope.sock. Is the docker daemon running?\n"},
       "unavailable: docker compose up: Cannot connect to the Docker daemon at unix:///nope.sock. Is the docker daemon "
       "running?"},
      {"up", {.code = 1, .err = "bad label sealed-value\n"}, "conflict: docker compose up: bad label ***"},
      {"up", {.code = 1, .err = "bad value swordfish in env\n"}, "conflict: docker compose up: bad value *** in env"},
      {"pull",
       {.code = 18, .err = "Error response from daemon: Get \"http://r/v2/\": dial tcp: connection refused\n"},
       "unavailable: docker compose pull: Error response from daemon: Get \"http://r/v2/\": dial tcp: connection "
       "refused"},
      {"pull",
       {.code = 18, .err = "Error response from daemon: manifest for r/a:1 not found: manifest unknown\n"},
       "not_found: docker compose pull: Error response from daemon: manifest for r/a:1 not found: manifest unknown"},
      {"pull",
       {.code = 18, .err = "Error response from daemon: unauthorized: authentication required\n"},
       "denied: docker compose pull: Error response from daemon: unauthorized: authentication required" + hint},
      {"pull",
       {.code = 18, .err = "Error response from daemon: pull access denied for acme/a, may require 'docker login'\n"},
       "denied: docker compose pull: Error response from daemon: pull access denied for acme/a, may require 'docker "
       "login'" +
           hint},
      {"pull",
       {.code = 18, .err = "Error response from daemon: Get \"https://r/v2/\": no basic auth credentials\n"},
       "denied: docker compose pull: Error response from daemon: Get \"https://r/v2/\": no basic auth credentials" +
           hint},
      {"build",
       {.code = 17, .err = "#5 ERROR\nfailed to solve: x\n"},
       "invalid: docker compose build: #5 ERROR; failed to solve: x"},
  };
  const auto web = model(R"({"services":{"web":{"environment":{"P":"swordfish","Q":null}}}})");
  for (const auto& row : rows) {
    SCOPED_TRACE(row.message);
    answer(row.exit);
    const auto one = driver();
    const auto got = row.step == "config" ? message_of(one->resolve(shop, soon()))
                     : row.step == "up"   ? message_of(one->up(resolved(web), {}, soon()))
                     : row.step == "pull" ? message_of(one->pull(resolved(web), {}, soon()))
                                          : message_of(one->build(resolved(web), {}, {}, soon()));
    if (row.exit.out == "{") {
      EXPECT_TRUE(got.starts_with(row.message)) << got;
    } else {
      EXPECT_EQ(got, row.message);
    }
  }
}

TEST_F(ComposeDriverTest, KeepsTheKindOfAMissingProgram) {
  runner.answer = [](const Command&) -> Result<Exit> {
    return fail(Kind::not_found, "starting docker: No such file or directory");
  };
  EXPECT_EQ(message_of(driver()->check(soon())),
            "not_found: docker compose version: starting docker: No such file or directory");
}

// deploy/X11
TEST_F(ComposeDriverTest, ChecksTheVersion) {
  constexpr std::pair<std::string_view, std::string_view> rows[] = {
      {"2.26.1-4\n", "2.26.1"},
      {"v2.40.3\n", "2.40.3"},
      {"5.0.0", "5.0.0"},
      {"2.25.9", "invalid: docker compose 2.25.9 is too old: 2.26 or newer is needed"},
      {"1.29.2\n", "invalid: docker compose 1.29.2 is too old: 2.26 or newer is needed"},
      {"dev", "invalid: docker compose dev is too old: 2.26 or newer is needed"},
  };
  for (const auto& [printed, result] : rows) {
    answer({.out = std::string(printed)});
    const auto one = driver();
    EXPECT_EQ(one->version(), "");
    const auto checked = one->check(soon());
    EXPECT_EQ(checked ? one->version() : message_of(checked), result);
  }
  EXPECT_EQ(line_of(runner.ran.back()), "docker compose version --short");
}

// deploy/X11b: the tool is told to refuse them, which also holds for includes of includes.
TEST_F(ComposeDriverTest, RefusesOciIncludesWithVersionsThatAreUnsafe) {
  struct Row {
    std::string version;
    bool refuses;
  };
  const Row rows[] = {{"2.26.1", false}, {"2.33.9", false}, {"2.34.0", true}, {"v2.36.2-desktop.1", true},
                      {"2.40.1", true},  {"2.40.2", false}, {"5.0.0", false}};
  for (const auto& [version, refuses] : rows) {
    SCOPED_TRACE(version);
    const auto one = driver();
    answer({.out = version});
    ASSERT_TRUE(one->check(soon()));
    answer({.code = 1, .err = "OCI remote resource is disabled by \"COMPOSE_EXPERIMENTAL_OCI_REMOTE\"\n"});
    const auto resolved = one->resolve(shop, soon());
    EXPECT_EQ(runner.ran.back().environment.contains("COMPOSE_EXPERIMENTAL_OCI_REMOTE"), refuses);
    EXPECT_EQ(message_of(resolved),
              refuses ? "invalid: docker compose config: oci:// includes are refused with docker compose " +
                            one->version() + " (CVE-2025-62725): update it to 2.40.2 or newer"
                      : "invalid: docker compose config: OCI remote resource is disabled by "
                        "\"COMPOSE_EXPERIMENTAL_OCI_REMOTE\"");
  }
}

// oci 6: what doco-cd has OCI_INSECURE_REGISTRIES for
TEST_F(ComposeDriverTest, LetsIncludesComeFromInsecureRegistriesWithVersionsThatCan) {
  options.insecure_registries = {"registry.lan:5000", "10.0.0.1"};
  const auto refusal = std::string("http: server gave HTTP response to HTTPS client");
  const struct {
    std::string version, given, hint;
  } rows[] = {
      {"2.40.3", "", " (docker compose 2.40.3 asks no registry of OCI_INSECURE_REGISTRIES in plain HTTP: 5.0 does)"},
      {"5.0.0", " --insecure-registry registry.lan:5000 --insecure-registry 10.0.0.1", ""}};
  for (const auto& [version, given, hint] : rows) {
    const auto one = driver();
    answer({.out = version});
    ASSERT_TRUE(one->check(soon()));
    answer({.code = 1, .err = refusal + "\n"});
    EXPECT_EQ(message_of(one->resolve(shop, soon())), "invalid: docker compose config: " + refusal + hint);
    EXPECT_TRUE(line_of(runner.ran.back()).ends_with("more.yaml" + given + " config --format json"));
  }
}

// deploy/H3: such versions accept the keys and do nothing with them
TEST_F(ComposeDriverTest, WarnsOfHooksThatNobodyRuns) {
  const struct {
    std::string version, model;
    bool warns;
  } rows[] = {
      {"2.26.1", R"({"services":{"db":{"post_start":[{"command":["x"]}]}}})", true},
      {"2.29.7", R"({"services":{"a":{},"db":{"pre_stop":[{"command":["x"]}]}}})", true},
      {"2.30.0", R"({"services":{"db":{"post_start":[{"command":["x"]}]}}})", false},
      {"2.26.1", R"({"services":{"db":{}}})", false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.version + row.model);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const auto one = make_compose_driver(options, runner, Log({.file_descriptor = ends[1]}));
    answer({.out = row.version});
    ASSERT_TRUE(one->check(soon()));
    answer({.out = row.model});
    ASSERT_TRUE(one->resolve(shop, soon()));
    ASSERT_EQ(::write(ends[1], ".", 1), 1);
    std::string text(1 << 16, '\0');
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(ends[0], text.data(), text.size()))));
    ::close(ends[0]);
    ::close(ends[1]);
    EXPECT_EQ(text.find("too old to run the hooks") != text.npos, row.warns) << text;
    EXPECT_EQ(text.find(R"("service":"db")") != text.npos, row.warns) << text;
  }
}

TEST_F(ComposeDriverTest, RunsThePluginItselfWhereItIsFound) {
  const std::filesystem::path folder = testing::TempDir() + "plugins";
  std::filesystem::create_directories(folder / "cli-plugins");
  const auto plugin = folder / "cli-plugins" / "docker-compose";
  std::ofstream(plugin) << "#!/bin/sh\n";
  options.environment["DOCKER_CONFIG"] = folder;
  std::filesystem::permissions(plugin, std::filesystem::perms::owner_all);
  answer({.out = "2.26.1"});
  ASSERT_TRUE(driver()->check(soon()));
  EXPECT_EQ(line_of(runner.ran[0]), plugin.string() + " version --short");
  for (const bool is_local : {false, true}) {
    answer({.out = "{}"});
    shop.is_local = is_local;
    ASSERT_TRUE(driver()->resolve(shop, soon()));
    EXPECT_EQ(runner.ran.back().environment.contains("PATH"), !is_local) << "what it starts would have the variables";
    EXPECT_TRUE(runner.ran.back().environment.contains("TOKEN"));
  }
  options.environment.erase("DOCKER_CONFIG");
  EXPECT_FALSE(find_compose_plugin(options));
  options.plugin_folders = {"/nowhere", folder / "cli-plugins"};
  EXPECT_EQ(find_compose_plugin(options), plugin);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace windlass
