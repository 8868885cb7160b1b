#include "driver/own_stack_driver.h"

#include <gtest/gtest.h>

#include "docker/idle_engine.h"
#include "driver/idle_driver.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct CountingDriver final : IdleDriver {
  int upped = 0;
  Status up(const ResolvedStack&, const UpOptions&, const Deadline&) override {
    ++upped;
    return {};
  }
  std::string version() const override { return "2.26.1"; }
};

// Containers by name, and what happens when one starts.
struct HelperEngine final : IdleEngine {
  std::map<std::string, std::string> states;
  std::map<std::string, json::object> made;
  std::vector<std::string> removed;
  std::function<void()> on_start;
  Result<json::object> inspect_json(const std::string& id, const Deadline&) override {
    return json::object{{"Id", id},
                        {"Image", "sha256:1"},
                        {"Config", json::object{{"Env", json::array{"A=1"}}}},
                        {"HostConfig", json::object()}};
  }
  Result<std::string> create(const std::string& name, const json::object& body, const Deadline&) override {
    made[name] = body;
    states[name] = "created";
    return name;
  }
  bool refuses_start = false;
  Status start(const std::string& id, const Deadline&) override {
    if (refuses_start) return fail(Kind::invalid, "mount is missing");
    states[id] = "running";
    if (on_start) on_start();
    return {};
  }
  std::map<std::string, Labels> labels_of;  // of containers that were not made here
  Result<std::vector<ContainerSummary>> containers(const std::vector<std::string>& wanted, const Deadline&) override {
    std::vector<ContainerSummary> list;
    for (const auto& [name, state] : states) {
      auto labels = labels_of[name];
      if (made.contains(name))
        for (const auto& [key, value] : made[name].at("Labels").as_object())
          labels[std::string(key)] = std::string(value.as_string());
      const auto has = [&](const std::string& label) {
        const auto equals = label.find('=');
        const auto found = labels.find(label.substr(0, equals));
        return found != labels.end() && (equals == label.npos || found->second == label.substr(equals + 1));
      };
      if (std::ranges::all_of(wanted, has))
        list.push_back({.id = name, .name = name, .state = state, .labels = labels});
    }
    return list;
  }
  Result<std::string> last_logs(const std::string&, int, const Deadline&) override { return std::string("its words"); }
  Status remove(const std::string& id, const Deadline&) override {
    if (states.erase(id) == 0) return fail(Kind::not_found, "no such container");
    removed.push_back(id);
    return {};
  }
};

struct OwnStackDriverTest : testing::Test {
  const std::string own = std::string(64, 'a'), later = std::string(64, 'b');
  fs::path folder = fs::temp_directory_path() / ("windlass-" + new_uuid_v7());
  Handover handover{folder};
  HelperEngine engine;
  Log log{{.level = LogLevel::critical}};
  CountingDriver* compose = nullptr;
  std::unique_ptr<OwnStackDriver> driver;
  ResolvedStack stack{.name = "web", .model = {}, .environment = {{"TOKEN", "planted"}}};
  UpOptions options{.own_service = "page", .own_order = "job-1 sha256:1"};

  OwnStackDriverTest() { start(own); }
  ~OwnStackDriverTest() override { fs::remove_all(folder); }
  // A new process, in that container.
  void start(const std::string& container) {
    auto counting = std::make_unique<CountingDriver>();
    compose = counting.get();
    driver = std::make_unique<OwnStackDriver>(
        OwnStackDriver::Options{.own_container = container, .program = "/windlass", .look_again = 1ms},
        std::move(counting), engine, handover, log);
    driver->set_host_data_dir("/srv/data");
    ASSERT_TRUE(driver->arrive(Deadline::in(1s)));
  }
  void helper_says(const std::optional<Error>& error) {
    engine.on_start = [this, error] { ASSERT_TRUE(handover.end(**handover.note(), {.error = error})); };
  }
  Status up() { return driver->up(stack, options, Deadline::in(2s)); }
  HandoverNote note() { return **handover.note(); }
};

TEST_F(OwnStackDriverTest, LeavesOtherStacksToCompose) {
  options.own_service.clear();
  EXPECT_TRUE(up());
  EXPECT_EQ(compose->upped, 1);
  options.own_service = "page";
  start("");  // in no container
  EXPECT_TRUE(up());
  EXPECT_EQ(compose->upped, 1);
  EXPECT_TRUE(engine.made.empty());
}

TEST_F(OwnStackDriverTest, SendsAHelper) {
  helper_says(std::nullopt);
  const auto done = up();
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(compose->upped, 0);
  const auto& body = engine.made.at("windlass-helper-job-1-1");
  EXPECT_EQ(json::serialize(body.at("Entrypoint")) + json::serialize(body.at("Cmd")), R"(["/windlass"]["take-over"])");
  EXPECT_EQ(json::serialize(body.at("Labels")),
            R"({"cd.doco.job.ephemeral":"true","cd.windlass.helper":"job-1","cd.windlass.helper.data":"/srv/data"})");
  EXPECT_EQ(json::serialize(body).find("planted"), std::string::npos);
  EXPECT_EQ(engine.removed, std::vector<std::string>{"windlass-helper-job-1-1"});
  ASSERT_TRUE(up()) << "asked again by the same process it is done again";
  EXPECT_EQ(engine.made.size(), 2u);
}

TEST_F(OwnStackDriverTest, FailsAsTheHelperDoes) {
  helper_says(Error{Kind::conflict, "the new windlass does not work"});
  const auto done = up();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, Kind::conflict);
  EXPECT_EQ(done.error().message, "the new windlass does not work");
  start(later);  // the container of before, made again
  EXPECT_EQ(up().error().message, "the new windlass does not work");
  EXPECT_EQ(engine.made.size(), 1u) << "the same job does not try it again";
  options.own_order = "job-1 sha256:0";  // it goes back
  helper_says(std::nullopt);
  EXPECT_TRUE(up());
}

TEST_F(OwnStackDriverTest, MissesAHelperThatWasKilled) {
  engine.on_start = [this] { engine.states["windlass-helper-job-1-1"] = "exited"; };
  const auto done = up();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, Kind::unavailable);
  EXPECT_EQ(done.error().message, "the helper ended before it was done: its words");
  EXPECT_EQ(engine.removed.size(), 1u);
  for (const auto* name : {"windlass-helper-job-1-2", "windlass-helper-job-1-3"}) {
    engine.on_start = [this, name] { engine.states.erase(name); };
    EXPECT_EQ(up().error().kind, Kind::unavailable);
    EXPECT_TRUE(engine.made.contains(name));
  }
  EXPECT_EQ(up().error().message, "3 helpers could not bring up the stack that windlass itself runs in");
}

// Killed in the middle, and the next process is the one that the helper waits for.
TEST_F(OwnStackDriverTest, IsHeardOfInANewContainer) {
  engine.on_start = [] { throw std::runtime_error("killed"); };
  EXPECT_THROW((void)up(), std::runtime_error);
  start(own);
  EXPECT_FALSE(handover.is_taken(note())) << "the engine has started the old container again";
  start(later);
  EXPECT_TRUE(handover.is_taken(note()));
  ASSERT_TRUE(handover.end(note(), {}));
  EXPECT_TRUE(up());
  EXPECT_EQ(engine.made.size(), 1u) << "the helper has done it";
}

TEST_F(OwnStackDriverTest, WaitsForAHelperThatIsAtWork) {
  engine.on_start = [] { throw std::runtime_error("killed"); };
  EXPECT_THROW((void)up(), std::runtime_error);
  start(own);
  std::jthread helper([this] {
    std::this_thread::sleep_for(30ms);
    EXPECT_TRUE(driver->is_waiting());
    EXPECT_TRUE(handover.end(note(), {}));
  });
  EXPECT_TRUE(up());
  EXPECT_EQ(engine.made.size(), 1u);
}

TEST_F(OwnStackDriverTest, RemovesWhatAnEarlierProcessLeft) {
  engine.on_start = [] { throw std::runtime_error("killed"); };
  EXPECT_THROW((void)up(), std::runtime_error);
  engine.states["windlass-helper-job-1-1"] = "exited";
  ASSERT_TRUE(handover.end(note(), {}));
  start(later);
  EXPECT_EQ(engine.removed, std::vector<std::string>{"windlass-helper-job-1-1"});
}

// Their environment holds ours.
TEST_F(OwnStackDriverTest, LeavesNoHelperBehind) {
  engine.on_start = [this] { engine.states["windlass-helper-job-1-1"] = "exited"; };
  EXPECT_FALSE(up());
  EXPECT_TRUE(engine.states.empty()) << "one that was killed";
  engine.refuses_start = true;
  EXPECT_FALSE(up());
  EXPECT_TRUE(engine.states.empty()) << "one that cannot be started";

  const Labels ours{{"cd.windlass.helper", "job-0"}, {"cd.windlass.helper.data", "/srv/data"}};
  auto service = ours;
  service["com.docker.compose.project"] = "evil";
  engine.labels_of = {
      {"windlass-helper-old-1", ours},
      {"windlass-helper-made-1", ours},
      {"windlass-helper-works-1", ours},
      {"windlass-helper-of-another-1", {{"cd.windlass.helper", "x"}, {"cd.windlass.helper.data", "/b"}}},
      {"windlass-helper-of-a-stack-1", service},
      {"db", ours}};
  for (const auto& [name, labels] : engine.labels_of) engine.states[name] = "exited";
  engine.states["windlass-helper-made-1"] = "created";
  engine.states["windlass-helper-works-1"] = "restarting";
  engine.removed.clear();
  start(own);
  EXPECT_EQ(engine.removed, (std::vector<std::string>{"windlass-helper-made-1", "windlass-helper-old-1"}));
}

TEST_F(OwnStackDriverTest, GoesOnAfterDamage) {
  fs::create_directories(folder);
  for (const auto* name : {"order", "taken", "result"}) ASSERT_TRUE(write_file(folder / name, "garbage", 0600));
  start(own);
  helper_says(std::nullopt);
  const auto done = up();
  EXPECT_TRUE(done) << done.error().message;
}

// The note is plain: whoever has the data folder can name any container in it.
TEST_F(OwnStackDriverTest, RemovesNothingButHelpers) {
  for (const auto* state : {"running", "exited"}) {
    HandoverOrder order{.note = {.order = options.own_order, .helper = "db", .own_container = own}};
    ASSERT_TRUE(handover.give(order, Secret("key")));
    engine.states["db"] = state;
    start(own);
    helper_says(std::nullopt);
    EXPECT_TRUE(up()) << "nor does it wait for one";
    ASSERT_TRUE(handover.give(order, Secret("key")));
    ASSERT_TRUE(handover.end(order.note, {}));
    (void)up();
    EXPECT_TRUE(engine.states.contains("db")) << state;
  }
}

TEST_F(OwnStackDriverTest, EndsWithTheProcess) {
  std::stop_source stop;
  engine.on_start = [&] { stop.request_stop(); };
  const auto done = driver->up(stack, options, Deadline::in(5s, stop.get_token()));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "waiting for the helper: stopped");
  EXPECT_TRUE(engine.removed.empty()) << "it goes on";
}

}  // namespace
}  // namespace windlass
