#include "deploy/volumes.h"

#include <gtest/gtest.h>

#include "docker/idle_engine.h"

namespace windlass {
namespace {

const Labels kOfCompose = {{"com.docker.compose.project", "shop"}, {"com.docker.compose.volume", "data"}};

Volume nfs(std::string address = "addr=10.0.0.1") {
  return {"shop_data", "local", {{"type", "nfs"}, {"o", std::move(address)}, {"device", ":/export"}}, kOfCompose};
}
Volume plain(Labels labels = {}) {
  labels.insert(kOfCompose.begin(), kOfCompose.end());
  return {"shop_data", "local", {}, std::move(labels)};
}
json::object model(const std::string& definition) {
  return parse_json(R"({"volumes":{"data":{"name":"shop_data")" + definition + "}}}")->get_object();
}
const std::string kNfs = R"(,"driver_opts":{"type":"nfs","o":"addr=10.0.0.1","device":":/export"})";

// deploy/C8
TEST(ChangedVolumes, AreThoseWithAnotherDriverOptionOrLabel) {
  struct Row {
    std::string definition;
    Volume there;
    std::string changed;
  };
  const Row rows[] = {
      {"", plain(), ""},
      {R"(,"driver":"local")", plain(), ""},
      {"", plain({{"cd.doco.deployment.name", "shop"}}), ""},
      {R"(,"labels":{"tier":"1"})", plain({{"tier", "1"}}), ""},
      {kNfs, nfs(), ""},
      {kNfs, nfs("addr=10.0.0.2"), "driver_opts o"},
      {"", nfs(), "driver_opts device, driver_opts o, driver_opts type"},
      {R"(,"driver_opts":{"type":"tmpfs","device":"tmpfs"})",
       {"shop_data", "local", {{"type", "tmpfs"}, {"device", "tmpfs"}, {"o", "size=1m"}}, kOfCompose},
       "driver_opts o"},
      {kNfs + R"(,"labels":{"tier":"1"})", nfs(), "label tier"},
      // what would be lost
      {kNfs, plain(), "driver_opts device, driver_opts o, driver_opts type, holds data"},
      {R"(,"driver":"rclone")", plain(), "driver, holds data"},
      {"", {"shop_data", "rclone", {}, kOfCompose}, "driver, holds data"},
      {"", plain({{"tier", "1"}}), "label tier, holds data"},
      {R"(,"driver_opts":{"type":"none","o":"bind","device":"/b"})",
       {"shop_data", "local", {{"type", "none"}, {"o", "bind"}, {"device", "/a"}}, kOfCompose},
       "driver_opts device, holds data"},
      // nobody's business
      {R"(,"external":true)", nfs(), ""},
      {kNfs, {"other", "local", {}, {}}, ""},
  };
  for (const auto& [definition, there, changed] : rows) {
    SCOPED_TRACE(definition);
    const auto volumes = changed_volumes(model(definition), {there});
    ASSERT_LE(volumes.size(), 1u);
    EXPECT_EQ(volumes.empty() ? "" : volumes[0].difference + (volumes[0].holds_data ? ", holds data" : ""), changed);
  }
}

struct VolumeEngine final : IdleEngine {
  std::vector<Volume> list;
  std::vector<ContainerSummary> users;
  std::vector<std::string> calls;
  int in_use_for = 0;  // removals that are refused
  Result<std::vector<Volume>> volumes(const std::vector<std::string>& labels, const Deadline&) override {
    EXPECT_EQ(labels, std::vector<std::string>{"com.docker.compose.project=shop"});
    return list;
  }
  Result<std::vector<ContainerSummary>> containers_with_volume(const std::string&, const Deadline&) override {
    return users;
  }
  Status stop(const std::string& id, const Deadline&) override {
    calls.push_back("stop " + id);
    return {};
  }
  Status remove(const std::string& id, const Deadline&) override {
    calls.push_back("remove " + id);
    return {};
  }
  Status remove_volume(const std::string& name, const Deadline&) override {
    calls.push_back("remove volume " + name);
    if (in_use_for-- > 0) return fail(Kind::conflict, "volume is in use");
    return {};
  }
};

struct RenewVolumesTest : testing::Test {
  VolumeEngine engine;
  std::string definition = kNfs;
  using Calls = std::vector<std::string>;
  RenewVolumesTest() {
    engine.list = {nfs("addr=10.0.0.2")};
    engine.users = {user("a"), user("b")};
  }
  static ContainerSummary user(const std::string& id, const std::string& project = "shop") {
    return {.id = id, .labels = {{"com.docker.compose.project", project}}};
  }
  Status renew() {
    return renew_volumes(engine, model(definition), "shop", Log({.level = LogLevel::critical}),
                         Deadline::in(std::chrono::seconds(10)));
  }
};

TEST_F(RenewVolumesTest, StopsAndRemovesWhoHasTheVolume) {
  EXPECT_TRUE(renew());
  EXPECT_EQ(engine.calls, (Calls{"stop a", "remove a", "stop b", "remove b", "remove volume shop_data"}));
}

TEST_F(RenewVolumesTest, TriesAgainWhileTheEngineStillHasIt) {
  engine.in_use_for = 1;
  EXPECT_TRUE(renew());
  engine.in_use_for = 3;
  const auto refused = renew();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "making volume shop_data anew: volume is in use");
}

TEST_F(RenewVolumesTest, LeavesDataAndVolumesOfOthersAlone) {
  engine.list = {plain()};
  EXPECT_TRUE(renew());
  engine.list = {nfs("addr=10.0.0.2")};
  engine.users.push_back(user("c", "other"));
  EXPECT_TRUE(renew());
  EXPECT_EQ(engine.calls, Calls{});
}

TEST_F(RenewVolumesTest, DoesNothingForVolumesThatAreAsTheyShouldBe) {
  engine.list = {nfs()};
  EXPECT_TRUE(renew());
  EXPECT_EQ(engine.calls, Calls{});
}

}  // namespace
}  // namespace windlass
