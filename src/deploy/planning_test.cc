#include "deploy/planning.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

ContainerSummary container(const std::string& service, const std::string& release,
                           const std::string& state = "running") {
  return {.id = service + "-id",
          .name = "stack-" + service + "-1",
          .state = state,
          .labels = {{"com.docker.compose.service", service}, {"cd.windlass.release", release}}};
}

const ServiceInputs kOld = {{"image", "1"}}, kNew = {{"image", "2"}};

class PlanTest : public ::testing::Test {
 protected:
  PlanTest() {
    question.stack = "stack";
    question.services = {{.name = "web", .restart = "always"}};
    question.wanted = {{"web", kOld}};
    question.containers = by_service({container("web", "r1")});
    question.release_of = {{"web", "r1"}};
    question.made_from = [](const std::string& release, const std::string&) -> std::optional<ServiceInputs> {
      if (release == "r1") return kOld;
      return std::nullopt;
    };
  }
  std::string plan() { return make_plan(question).str(); }
  PlanQuestion question;
};

TEST_F(PlanTest, KeepsWhatIsAsItShouldBe) {
  EXPECT_EQ(plan(), "keep web");
  EXPECT_FALSE(make_plan(question).changes_anything());
}

TEST_F(PlanTest, NamesTheReasonOfARecreation) {  // deploy/N4
  question.wanted = {{"web", kNew}};
  EXPECT_EQ(plan(), "recreate web (image changed)");
}

TEST_F(PlanTest, CreatesWhatIsAbsent) {  // deploy/N17
  question.containers.clear();
  EXPECT_EQ(plan(), "create web (service not deployed)");
}

TEST_F(PlanTest, DoesNotRunAFinishedServiceAgain) {  // deploy/N17: only restart always and unless-stopped count
  question.services = {{.name = "web", .restart = "no"}};
  question.containers.clear();
  EXPECT_EQ(plan(), "keep web");
  question.wanted = {{"web", kNew}};
  EXPECT_EQ(plan(), "create web (service not deployed)");
  question.wanted = {{"web", kOld}};
  question.containers = by_service({container("web", "r1", "exited")});
  EXPECT_EQ(plan(), "keep web");
}

TEST_F(PlanTest, TellsAProviderOnceWhatItIsToProvide) {  // deploy/X18: it has no containers
  question.services = {{.name = "web", .is_provided = true}};
  question.containers.clear();
  EXPECT_EQ(plan(), "keep web");
  question.wanted = {{"web", kNew}};
  EXPECT_EQ(plan(), "create web (its provider was not told yet)");
  question.wanted = {{"web", kOld}};
  question.release_of.clear();
  EXPECT_EQ(plan(), "create web (its provider was not told yet)");
}

TEST_F(PlanTest, StartsWhatStopped) {  // deploy/N17
  question.containers = by_service({container("web", "r1", "exited")});
  EXPECT_EQ(plan(), "start web (replicas mismatch: 0 running, 1 wanted)");
}

TEST_F(PlanTest, RepairsAContainerMadeByHand) {
  question.containers = by_service({container("web", "")});
  EXPECT_EQ(plan(), "recreate web (container stack-web-1 was not made by a release of windlass)");
}

TEST_F(PlanTest, ForcesWhenAsked) {  // deploy/N21
  question.force_recreate = true;
  EXPECT_EQ(plan(), "recreate web (force_recreate is set)");
}

TEST_F(PlanTest, LeavesOtherReplicasOfABrokenOneAlone) {  // deploy/E4
  question.recreate = "web";
  EXPECT_EQ(plan(), "recreate web (its container changed)");
  for (const char* restart : {"always", "no"}) {
    question.services = {{.name = "web", .replicas = 2, .restart = restart}};
    question.containers = by_service({container("web", "r1"), container("web", "r1", "exited")});
    EXPECT_EQ(plan(), "start web (replicas mismatch: 1 running, 2 wanted)");
    question.containers = by_service({container("web", "r1")});
    EXPECT_EQ(plan(), "start web (replicas mismatch: 1 running, 2 wanted)");
    question.containers = by_service({container("web", "r1"), container("web", "r1")});
    EXPECT_EQ(plan(), "recreate web (its container changed)");
    question.containers = by_service({container("web", "r1", "exited"), container("web", "r1", "dead")});
    EXPECT_EQ(plan(), "recreate web (its container changed)");
  }
}

TEST_F(PlanTest, RemovesOrphansOnlyWhenTold) {  // deploy/N17, C15
  question.containers = by_service({container("web", "r1"), container("old", "r0")});
  EXPECT_EQ(plan(), "keep web; remove old (service is unnecessary)");
  question.remove_orphans = false;
  EXPECT_EQ(plan(), "keep web; keep old (service is unnecessary, remove_orphans is false)");
  EXPECT_FALSE(make_plan(question).changes_anything());
}

TEST_F(PlanTest, IgnoresOneOffContainers) {
  auto job = container("job", "");
  job.labels["com.docker.compose.oneoff"] = "True";
  question.containers = by_service({container("web", "r1"), job});
  EXPECT_EQ(plan(), "keep web");
}

TEST_F(PlanTest, TriesAgainAfterAFailedRelease) {  // deploy/C14
  question.last_release_failed = true;
  EXPECT_EQ(plan(), "keep web; the last release of the stack failed");
  EXPECT_TRUE(make_plan(question).changes_anything());
}

TEST(ServiceShapes, ReadReplicasAndRestart) {
  const auto model = *parse_json(R"({"services":{
    "b":{"restart":"always","deploy":{"replicas":3}},
    "a":{"scale":0}}})");
  const auto shapes = service_shapes(model.get_object());
  ASSERT_EQ(shapes.size(), 2u);
  EXPECT_EQ(shapes[0].name, "a");
  EXPECT_EQ(shapes[0].replicas, 0);
  EXPECT_EQ(shapes[1].replicas, 3);
  EXPECT_TRUE(shapes[1].must_run());
}

TEST(ServiceShapes, KnowWhoMustEndBeforeOthersStart) {  // deploy/C11
  const auto model = *parse_json(R"({"services":{
    "job":{},"db":{},
    "web":{"depends_on":{"job":{"condition":"service_completed_successfully"},"db":{"condition":"service_healthy"}}}}})");
  std::string ending;
  for (const auto& shape : service_shapes(model.get_object()))
    if (shape.must_end) ending += shape.name + " ";
  EXPECT_EQ(ending, "job ");
}

TEST(Mismatch, SeesWhatIsNotAsItWasDeployed) {  // deploy/N2b, N17
  const std::vector<ServiceShape> services = {{.name = "web", .restart = "always"}, {.name = "once", .restart = "no"}};
  const std::map<std::string, std::string> release_of = {{"web", "r1"}, {"once", "r1"}};
  const auto look = [&](const std::vector<ContainerSummary>& containers, bool keeps_orphans = false) {
    return mismatch(services, by_service(containers), release_of, keeps_orphans).value_or("as deployed");
  };
  EXPECT_EQ(look({container("web", "r1"), container("once", "r1", "exited")}), "as deployed");
  EXPECT_EQ(look({container("web", "r1")}), "as deployed");
  EXPECT_EQ(look({}), "web: 0 running, 1 wanted");
  EXPECT_EQ(look({container("web", "r1", "exited")}), "web: 0 running, 1 wanted");
  EXPECT_EQ(look({container("web", "")}), "web: container stack-web-1 is not the one that was deployed");
  EXPECT_EQ(look({container("web", "r1"), container("more", "r1")}), "more: service is unnecessary");
  EXPECT_EQ(look({container("web", "r1"), container("more", "r1")}, true), "as deployed");
  EXPECT_EQ(look({container("more", "r1")}, true), "web: 0 running, 1 wanted");
}

}  // namespace
}  // namespace windlass
