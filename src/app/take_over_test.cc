#include "app/take_over.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/text.h"
#include "docker/idle_engine.h"
#include "driver/idle_driver.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// The containers of one service.
struct ServiceEngine final : IdleEngine {
  std::map<std::string, ContainerSummary> there;  // by id
  std::vector<std::string> said;
  int refusals = 0;  // of create()
  void add(const std::string& id, const std::string& name, const std::string& state = "running") {
    there[id] = {.id = id, .name = name, .state = state, .labels = {{"com.docker.compose.container-number", "1"}}};
  }
  Result<std::vector<ContainerSummary>> containers(const std::vector<std::string>&, const Deadline&) override {
    std::vector<ContainerSummary> list;
    for (const auto& [id, container] : there) list.push_back(container);
    return list;
  }
  Result<ContainerDetail> inspect(const std::string& id, const Deadline&) override {
    if (!there.contains(id)) return fail(Kind::not_found, "no such container");
    return ContainerDetail{.id = id, .name = there[id].name, .state = there[id].state, .exit_code = 1};
  }
  Result<std::string> last_logs(const std::string&, int, const Deadline&) override {
    return std::string("bad setting");
  }
  Status remove(const std::string& id, const Deadline&) override {
    said.push_back("remove " + id);
    there.erase(id);
    return {};
  }
  Status rename(const std::string& id, const std::string& name, const Deadline&) override {
    said.push_back("rename " + id + " " + name);
    return {};
  }
  Result<std::string> create(const std::string& name, const json::object&, const Deadline&) override {
    if (refusals-- > 0) return fail(Kind::unavailable, "busy");
    said.push_back("create " + name);
    add("again", name, "created");
    return std::string("again");
  }
  Status start(const std::string& id, const Deadline&) override {
    said.push_back("start " + id);
    return {};
  }
  Result<int> health = 0;  // of what a container is asked for
  std::vector<std::string> asked;
  Result<int> execute(const std::string& id, const std::vector<std::string>& command, const Deadline&) override {
    asked.push_back(id + ": " + join(command, " "));
    return health;
  }
  Status connect(const std::string& network, const std::string& id, const json::object&, const Deadline&) override {
    said.push_back("connect " + id + " " + network);
    return {};
  }
};

struct ScriptedDriver final : IdleDriver {
  std::function<Status()> on_up = [] { return Status(); };
  int upped = 0;
  Status up(const ResolvedStack&, const UpOptions&, const Deadline&) override {
    ++upped;
    return on_up();
  }
};

struct TakeOverTest : testing::Test {
  fs::path folder = fs::temp_directory_path() / ("windlass-" + new_uuid_v7());
  Handover handover{folder};
  ServiceEngine engine;
  ScriptedDriver driver;
  HandoverOrder order{.note = {.order = "job digest", .helper = "helper", .own_container = "old"},
                      .stack = {.name = "web"},
                      .options = {.own_service = "page"},
                      .up_timeout = 5s,
                      .take_timeout = 5s};
  TakeOverTest() {
    order.own = parse_json(R"({"Id":"old-and-twelve-digits","Name":"/web-page-1","Image":"sha256:1",
      "Config":{"Labels":{"com.docker.compose.container-number":"1"}},"HostConfig":{"NetworkMode":"web_default"},
      "NetworkSettings":{"Networks":{"web_default":{},"proxy":{}}}})")
                    ->get_object();
    engine.add("old", "web-page-1");
  }
  ~TakeOverTest() override { fs::remove_all(folder); }
  Status run() {
    return TakeOver({.program = "/windlass", .look_again = 1ms, .try_again = 1ms}, engine, driver, handover,
                    Log({.level = LogLevel::critical}))
        .run(order);
  }
  void replace(const std::string& state = "running") {
    engine.there.clear();
    engine.add("new", "web-page-1", state);
  }
  std::string told() {
    const auto end = handover.result(order.note);
    if (!end || !*end) return "nothing";
    return (*end)->error ? (*end)->error->message : "done";
  }
};

TEST_F(TakeOverTest, LeavesAContainerThatStays) {
  EXPECT_TRUE(run());
  EXPECT_EQ(told(), "done");
  EXPECT_TRUE(engine.said.empty());
}

TEST_F(TakeOverTest, WaitsForTheNewProcess) {
  driver.on_up = [this] {
    replace();
    return handover.take(order.note);
  };
  EXPECT_TRUE(run());
  EXPECT_EQ(told(), "done");
  EXPECT_TRUE(engine.said.empty());
  EXPECT_EQ(engine.asked, std::vector<std::string>{"new: /windlass healthcheck"});
}

// Any container with the data folder can write the word.
TEST_F(TakeOverTest, DoesNotBelieveTheWordAlone) {
  order.take_timeout = 1s;
  driver.on_up = [this] {
    replace();
    return handover.take(order.note);
  };
  engine.health = fail(Kind::invalid, "/windlass: no such file or directory");
  EXPECT_TRUE(run());
  EXPECT_NE(told().find("did not take over within 1s"), std::string::npos) << told();
  EXPECT_NE(told().find("; /windlass healthcheck in it: /windlass: no such file or directory"), std::string::npos);
  EXPECT_EQ(engine.said.back(), "start again");

  fs::remove_all(folder);
  engine.health = 1;
  engine.there.clear();
  EXPECT_TRUE(run());
  EXPECT_NE(told().find("; /windlass healthcheck in it: exit code 1"), std::string::npos) << told();

  fs::remove_all(folder);
  engine.said.clear();
  engine.health = fail(Kind::denied, "403: a proxy lets nobody do that");
  EXPECT_TRUE(run());
  EXPECT_EQ(told(), "done");
  EXPECT_TRUE(engine.said.empty());
}

// Written before there is anybody who could mean it.
TEST_F(TakeOverTest, BringsUpWhatIsTakenTooEarly) {
  ASSERT_TRUE(handover.take(order.note));
  EXPECT_TRUE(run());
  EXPECT_EQ(driver.upped, 1);
}

TEST_F(TakeOverTest, MakesTheOldContainerAgain) {
  driver.on_up = [this] {
    replace("exited");
    return Status();
  };
  engine.refusals = 2;
  EXPECT_TRUE(run());
  EXPECT_EQ(told(),
            "the new windlass does not work, the one before is brought back: container web-page-1 is exited, exit code "
            "1, 0 restarts; last output:\nbad setting");
  EXPECT_EQ(engine.said,
            (std::vector<std::string>{"remove new", "create web-page-1", "connect again proxy", "start again"}));
}

TEST_F(TakeOverTest, DoesNotWaitForEver) {
  order.take_timeout = 1s;
  driver.on_up = [this] {
    replace();
    return Status();
  };
  EXPECT_TRUE(run());
  EXPECT_EQ(told().find("the new windlass did not take over within 1s, the one before is brought back: container "), 0u)
      << told();
  EXPECT_EQ(engine.said.back(), "start again");
}

TEST_F(TakeOverTest, StartsTheOldContainerThatIsStillThere) {
  driver.on_up = [this] {
    engine.add("half", "0123456789ab_web-page-1", "created");
    engine.there["old"].state = "exited";
    engine.there["old"].name = "moved";
    return fail(Kind::invalid, "port is taken");
  };
  EXPECT_TRUE(run());
  EXPECT_EQ(told(), "port is taken");
  EXPECT_EQ(engine.said, (std::vector<std::string>{"remove half", "rename old web-page-1", "start old"}));
}

// A neighbour in the stack failed: the new process works and is told.
TEST_F(TakeOverTest, LeavesANewProcessThatWorks) {
  driver.on_up = [this] {
    replace();
    EXPECT_TRUE(handover.take(order.note));
    return fail(Kind::invalid, "db: port is taken");
  };
  EXPECT_TRUE(run());
  EXPECT_EQ(told(), "db: port is taken");
  EXPECT_TRUE(engine.said.empty());
}

TEST_F(TakeOverTest, GoesOnWhereItWasKilled) {
  ASSERT_TRUE(handover.take(order.note));  // while it was away
  replace();
  EXPECT_TRUE(run());
  EXPECT_EQ(driver.upped, 0);
  EXPECT_EQ(told(), "done");
  ASSERT_TRUE(run()) << "after the word nothing is left to do";

  order.note.number = 2;
  ASSERT_TRUE(handover.take(order.note));  // which did not answer
  ASSERT_TRUE(handover.end(order.note, {.error = Error{Kind::conflict, "no"}, .must_bring_back = true}));
  replace();
  EXPECT_TRUE(run());
  EXPECT_EQ(driver.upped, 0);
  EXPECT_EQ(engine.said.back(), "start again") << "the word was told, the deed was not done";
}

}  // namespace
}  // namespace windlass
