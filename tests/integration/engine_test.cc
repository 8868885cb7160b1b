// Engine, compose driver and health watch together, on a real engine of their own.
#include "docker/engine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/text.h"
#include "deploy/watch.h"
#include "driver/compose_driver.h"
#include "sys/curl_transport.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

Deadline soon() { return Deadline::in(60s); }

template <class T>
std::string message_of(const Result<T>& result) {
  return result ? "no error" : std::string(to_string(result.error().kind)) + ": " + result.error().message;
}

// The test bed: an engine with one busybox image.
class Bed : public testing::Environment {
 public:
  std::string folder, docker_host, image;

  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);
    folder = fmt::format("/tmp/windlass-engine-{}", getpid());
    ASSERT_EQ(testbed("up", " >/dev/null"), 0);
    docker_host = output_of(fmt::format(". {}/env && printf %s \"$DOCKER_HOST\"", folder));
    image = output_of(fmt::format("{} image {} engine-test/busybox:1", kTestbed, folder));
    ASSERT_FALSE(docker_host.empty());
    ASSERT_FALSE(image.empty());
  }
  void TearDown() override { EXPECT_EQ(testbed("down", " >/dev/null 2>&1"), 0); }

 private:
  static constexpr std::string_view kTestbed = WINDLASS_SOURCE_DIR "/tests/testbed/testbed";

  int testbed(std::string_view what, std::string_view rest) const {
    return std::system(fmt::format("{} {} {}{}", kTestbed, what, folder, rest).c_str());
  }
  static std::string output_of(const std::string& script) {
    std::string text;
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(script.c_str(), "r"), pclose);
    for (int c = 0; pipe && (c = fgetc(pipe.get())) != EOF;) text += static_cast<char>(c);
    return std::string(trim(text));
  }
};

Bed* const bed = static_cast<Bed*>(testing::AddGlobalTestEnvironment(new Bed));

struct EngineOnRealParts : testing::Test {
  CurlTransport transport;
  std::unique_ptr<Engine> engine = std::move(*make_engine({.docker_host = bed->docker_host}, transport));
  std::unique_ptr<ProcessRunner> runner = make_process_runner();
  std::unique_ptr<Driver> driver = make_compose_driver(
      {.environment = {{"PATH", getenv("PATH")}, {"HOME", bed->folder}, {"DOCKER_HOST", bed->docker_host}}}, *runner,
      Log({.level = LogLevel::error}));
  std::string stack = fmt::format("wl{}-{}", getpid(), ++stacks);
  std::string folder = bed->folder + "/" + stack;
  json::object model;
  inline static int stacks = 0;

  ~EngineOnRealParts() override {
    auto down = runner->run({.program = "docker",
                             .arguments = {"compose", "-p", stack, "down", "-t", "0", "--volumes"},
                             .environment = {{"PATH", getenv("PATH")}, {"DOCKER_HOST", bed->docker_host}}},
                            soon());
    EXPECT_TRUE(down && down->code == 0) << (down ? down->err : down.error().message);
  }

  // Resolves a compose file in which $image is ours.
  Result<json::object> resolve(std::string compose, std::map<std::string, std::string> environment = {},
                               std::vector<std::string> profiles = {}) {
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/compose.yaml") << compose;
    environment["image"] = bed->image;
    return driver->resolve({.name = stack,
                            .project_dir = folder,
                            .compose_files = {folder + "/compose.yaml"},
                            .profiles = std::move(profiles),
                            .environment = std::move(environment)},
                           soon());
  }
  Status up(const std::string& compose, std::map<std::string, std::string> environment = {},
            std::vector<std::string> profiles = {}) {
    auto resolved = resolve(compose, environment, std::move(profiles));
    if (!resolved) return tl::unexpected(resolved.error());
    model = std::move(*resolved);
    return driver->up({stack, model, std::move(environment)}, {.project_dir = folder}, soon());
  }
  // Brings it up and watches, as a deployment does.
  std::string deploy(const std::string& compose, std::chrono::milliseconds timeout = 20s) {
    auto watch = HealthWatch::open(*engine, stack, Log({.level = LogLevel::error}), soon());
    if (!watch) return message_of(watch);
    if (auto done = up(compose); !done) return message_of(done);
    return message_of((*watch)->wait(service_shapes(model), timeout, soon()));
  }
  std::map<std::string, std::string> container_ids() {
    std::map<std::string, std::string> ids;
    auto containers = engine->containers({"com.docker.compose.project=" + stack}, soon());
    EXPECT_TRUE(containers) << message_of(containers);
    for (const auto& container : *containers) ids[container.label("com.docker.compose.service")] = container.id;
    return ids;
  }
};

TEST_F(EngineOnRealParts, AnswersAllThatIsAsked) {
  ASSERT_TRUE(engine->ping());
  const auto info = engine->info(soon());
  ASSERT_TRUE(info) << message_of(info);
  EXPECT_FALSE(info->swarm_manager);
  EXPECT_FALSE(info->api_version.empty());
  const auto id = engine->image_id(bed->image, soon());
  ASSERT_TRUE(id) << message_of(id);
  EXPECT_TRUE(id->starts_with("sha256:"));
  EXPECT_EQ(engine->image_id("nobody/nothing:0", soon()).error().kind, Kind::not_found);
  EXPECT_EQ(engine->inspect("nothing", soon()).error().kind, Kind::not_found);
}

// reliability/F60
TEST_F(EngineOnRealParts, SaysWhichEngineIsNotThere) {
  const auto missing = std::move(*make_engine({.docker_host = "unix:///run/no-such.sock"}, transport));
  const auto pinged = missing->ping();
  ASSERT_FALSE(pinged);
  EXPECT_EQ(pinged.error().kind, Kind::unavailable);
  EXPECT_TRUE(pinged.error().message.starts_with("docker engine at unix:///run/no-such.sock: ")) << message_of(pinged);
}

// deploy/X11
TEST_F(EngineOnRealParts, HasAComposeThatIsNewEnough) {
  ASSERT_TRUE(driver->check(soon()));
  EXPECT_FALSE(driver->version().empty());
}

// deploy/X14: the model has the hash of the files, so a second `up` makes nothing anew.
TEST_F(EngineOnRealParts, RecreatesOnlyWhatChanged) {
  const std::string compose = R"(
services:
  a: {image: $image, command: ["sh", "-c", "echo $$HOME; exec sleep 1000"], stop_signal: SIGKILL, environment: {V: "$$x"}}
  b: {image: $image, command: sleep 1000, stop_signal: SIGKILL}
)";
  ASSERT_TRUE(up(compose));
  const auto first = container_ids();
  ASSERT_EQ(first.size(), 2u);
  ASSERT_TRUE(up(compose));
  EXPECT_EQ(container_ids(), first);
  ASSERT_TRUE(up(compose + "    \n  c: {image: $image, command: sleep 1000, stop_signal: SIGKILL}\n"));
  auto more = container_ids();
  EXPECT_EQ(more.erase("c"), 1u);
  EXPECT_EQ(more, first);
  ASSERT_TRUE(
      up("services:\n  a: {image: $image, command: sleep 2000, stop_signal: SIGKILL}\n"));  // b is an orphan now
  const auto changed = container_ids();
  EXPECT_EQ(changed.size(), 1u);
  EXPECT_NE(changed.at("a"), first.at("a"));
}

TEST_F(EngineOnRealParts, GivesSecretsOfTheEnvironmentToActiveProfiles) {
  EXPECT_EQ(message_of(up(R"(
services:
  a: {image: $image, command: cat /run/secrets/t, profiles: [on], secrets: [t]}
  b: {image: $image, command: sleep 1000, profiles: [off]}
secrets: {t: {environment: TOKEN}}
)",
                          {{"TOKEN", "correct-horse"}}, {"on"})),
            "no error");
  const auto ids = container_ids();
  ASSERT_EQ(ids.size(), 1u);
  std::string logs;
  for (int tries = 0; tries < 100 && logs.empty(); ++tries, std::this_thread::sleep_for(20ms))
    logs = engine->last_logs(ids.at("a"), 20, soon()).value_or("");
  EXPECT_EQ(logs, "correct-horse");
}

TEST_F(EngineOnRealParts, SaysInTheToolsWordsWhatIsWrong) {
  EXPECT_EQ(
      message_of(resolve("services: {a: {imge: x}}")),
      "invalid: docker compose config: validating compose.yaml: services.a Additional property imge is not allowed");
  EXPECT_EQ(
      message_of(resolve("services: {a: {image: \"${X:?must be set}\"}}")),
      "invalid: docker compose config: error while interpolating services.a.image: required variable X is missing a "
      "value: must be set");
  EXPECT_EQ(message_of(up("services: {a: {image: \"nobody/nothing:0\"}}")),
            "conflict: docker compose up: Error response from daemon: No such image: nobody/nothing:0");
  const auto pulled = driver->pull(
      {stack, parse_json(R"({"services":{"a":{"image":"127.0.0.1:1/x:1"}}})")->as_object(), {}}, {"a"}, soon());
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind, Kind::unavailable);
  EXPECT_NE(pulled.error().message.find("connection refused"), std::string::npos) << message_of(pulled);
}

TEST_F(EngineOnRealParts, WatchesAStackUntilItIsHealthy) {
  const std::string compose = R"(
services:
  web: {image: $image, command: sleep 1000, stop_signal: SIGKILL, healthcheck: {test: ["CMD", "true"], interval: 1s}}
  plain: {image: $image, command: sleep 1000, stop_signal: SIGKILL}
  once: {image: $image, command: "true"}
)";
  EXPECT_EQ(deploy(compose), "no error");
  const auto again = std::chrono::steady_clock::now();
  EXPECT_EQ(deploy(compose), "no error");
  // `up` starts a service again that ended well; the others are ready at once, unless one of them was restarted
  EXPECT_EQ(engine->inspect(container_ids().at("web"), soon())->health, Health::healthy);
  EXPECT_LT(std::chrono::steady_clock::now() - again, 10s);
}

// reliability/F65
TEST_F(EngineOnRealParts, NamesTheServiceThatEnds) {
  EXPECT_EQ(
      deploy("services:\n  web: {image: $image, command: [sh, -c, \"echo port taken >&2; echo bye >&2; exit 3\"]}\n"),
      "invalid: service web: container " + stack + "-web-1 exited with code 3; last log lines: port taken | bye");
}

TEST_F(EngineOnRealParts, NamesTheServiceThatRestartsAgainAndAgain) {
  EXPECT_EQ(deploy("services:\n  web: {image: $image, command: [sh, -c, \"exit 4\"], restart: always}\n"),
            "invalid: service web: container " + stack + "-web-1 keeps restarting, exit code 4; it logged nothing");
}

TEST_F(EngineOnRealParts, NamesTheServiceThatIsUnhealthy) {
  EXPECT_EQ(deploy(R"(
services:
  web:
    {image: $image, command: sleep 1000, stop_signal: SIGKILL,
     healthcheck: {test: ["CMD", "sh", "-c", "echo not ready; exit 1"], interval: 200ms, retries: 1}}
)"),
            "invalid: service web: container " + stack + "-web-1 is unhealthy: not ready; it logged nothing");
}

TEST_F(EngineOnRealParts, NamesTheServiceThatIsLate) {
  EXPECT_EQ(deploy(R"(
services:
  web:
    {image: $image, command: sleep 1000, stop_signal: SIGKILL,
     healthcheck: {test: ["CMD", "false"], interval: 60s, start_period: 60s}}
)",
                   500ms),
            "invalid: timed out after 500ms waiting for services to start: web; web: still starting, no health check "
            "has ended yet");
}

}  // namespace
}  // namespace windlass
