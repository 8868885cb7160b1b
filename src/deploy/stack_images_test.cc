// Images of services: which are pulled (deploy/C6), how they are built (C7), and when old ones go (I1).

#include "deploy/pipeline_fixture.h"

namespace windlass {
namespace {

class ImagesTest : public PipelineTest {
 protected:
  using Ids = std::vector<std::string>;
  // Releases with one image each, the last one in use.
  JobOutcome release(int number) {
    source.files["www/index.html"] = std::to_string(number);
    source.settled = Settled{.deploy = Digest::of_sha256_hex(sha256_hex(std::to_string(number))), .reason = {}};
    driver.before_up = [this, number](const std::string&) { engine.image_of_new = fmt::format("sha256:{}", number); };
    return run();
  }
  void keep(int releases, const std::string& more = "") {
    source.files[".doco-cd.yaml"] =
        fmt::format("name: web\nrollback: {{enabled: false, keep: {}}}\n{}", releases, more);
    driver.models["web"] = R"({"name":"web","services":{"page":{"image":"shop:latest","pull_policy":"never",
        "restart":"always","volumes":[{"type":"bind","source":"{root}/www","target":"/www"}]}}})";
  }
};

TEST_F(ImagesTest, ArePulledAsThePolicySays) {  // deploy/C6
  engine.absent_images = {"absent:1"};
  struct Row {
    std::string service;
    bool is_forced, is_pulled;
  };
  const Row rows[] = {
      {R"("image":"web:1")", false, true},
      {R"("image":"web:1","pull_policy":"always")", false, true},
      {R"("image":"web:1","pull_policy":"daily")", false, true},  // compose knows how old it is
      {R"("image":"web:1","pull_policy":"missing")", false, false},
      {R"("image":"web:1","pull_policy":"if_not_present")", false, false},
      {R"("image":"absent:1","pull_policy":"missing")", false, true},
      {R"("image":"web:latest","pull_policy":"missing")", false, true},
      {R"("image":"reg.example:5000/web","pull_policy":"missing")", false, true},
      {R"("image":"web@sha256:0000","pull_policy":"missing")", false, false},
      {R"("image":"web:1","pull_policy":"never")", false, false},
      {R"("image":"absent:1","pull_policy":"never")", false, false},
      {R"("image":"web:1","pull_policy":"build")", false, false},
      {R"("image":"web:1","build":{"context":"/x"})", false, false},
      {R"("image":"web:1","pull_policy":"never")", true, true},
      {R"("image":"web:1","pull_policy":"missing")", true, true},
  };
  for (const auto& [service, is_forced, is_pulled] : rows) {
    SCOPED_TRACE(service);
    driver.pulled_services.clear();
    PreparedStack stack{.config = {.name = "web", .force_image_pull = is_forced}};
    stack.model = parse_json(R"({"services":{"page":{)" + service + "}}}")->get_object();
    stack.services = service_shapes(stack.model);
    ASSERT_TRUE(images->get(stack, Log({.level = LogLevel::critical}), Deadline::in(5s)));
    EXPECT_EQ(driver.pulled_services, is_pulled ? Ids{"page"} : Ids{});
  }
}

// deploy/C7: else what is there is what the service needs
TEST_F(ImagesTest, AreBuiltWhenTheServiceChangesOrTheImageIsMissing) {
  PreparedStack stack{.config = {.name = "web"}};
  stack.model = parse_json(R"({"services":{"page":{"build":{"context":"/x"}}}})")->get_object();
  stack.services = service_shapes(stack.model);
  const auto built = [&](ServiceAction action) {
    driver.built.clear();
    stack.plan = {.stack = "web", .services = {{"page", action, {}}}};
    EXPECT_TRUE(images->get(stack, Log({.level = LogLevel::critical}), Deadline::in(5s)));
    return !driver.built.empty();
  };
  EXPECT_TRUE(built(ServiceAction::create));
  EXPECT_TRUE(built(ServiceAction::recreate));
  EXPECT_FALSE(built(ServiceAction::keep));
  EXPECT_FALSE(built(ServiceAction::start));
  engine.absent_images = {"web-page"};
  EXPECT_TRUE(built(ServiceAction::keep));
}

TEST_F(ImagesTest, OfReleasesThatAreNotKeptGo) {
  keep(2);
  for (int number : {1, 2}) release(number);
  EXPECT_EQ(engine.removed_images, Ids{});
  release(3);
  EXPECT_EQ(engine.removed_images, Ids{"sha256:1"});
  release(4);
  EXPECT_EQ(engine.removed_images, (Ids{"sha256:1", "sha256:2"})) << "each once";
}

TEST_F(ImagesTest, StayWhereSomethingUsesThemOrNobodyAsksForIt) {
  keep(1);
  release(1);
  engine.make("other", "job", {});
  engine.projects["other"]["job"].image_id = "sha256:1";
  release(2);
  EXPECT_EQ(engine.removed_images, Ids{});
  engine.projects.erase("other");
  keep(1, "prune_images: false\n");
  release(3);
  EXPECT_EQ(engine.removed_images, Ids{});
  keep(1);
  release(4);
  EXPECT_EQ(engine.removed_images, (Ids{"sha256:1", "sha256:2", "sha256:3"}));
}

// Pulled, and in no container yet: compose does not pull again.
TEST_F(ImagesTest, StayThatAStackInTheMakingIsAboutToUse) {
  keep(1);
  release(1);
  PreparedStack other{.config = {.name = "other"}};
  other.model = parse_json(R"({"services":{"a":{"image":"shared:1","pull_policy":"never"}}})")->get_object();
  other.services = service_shapes(other.model);
  engine.images["shared:1"] = "sha256:1";
  ASSERT_TRUE(images->get(other, Log({.level = LogLevel::critical}), Deadline::in(5s)));
  release(2);
  EXPECT_EQ(engine.removed_images, Ids{});
}

TEST_F(ImagesTest, ThatCannotGoFailNothingAndAreTriedAgain) {
  keep(1);
  release(1);
  engine.remove_image_error = Error{Kind::conflict, "it has other names"};
  EXPECT_EQ(release(2).status, RunStatus::succeeded);
  engine.remove_image_error.reset();
  release(3);
  EXPECT_EQ(engine.removed_images, (Ids{"sha256:1", "sha256:2"}));
}

TEST_F(ImagesTest, AreBuiltFromTheReleaseThatComes) {
  source.files[".doco-cd.yaml"] = "name: web\nbuild: {no_cache: true, args: {VERSION: '2$X'}}\n";
  source.files["app/Dockerfile"] = "FROM scratch\n";
  driver.models["web"] = R"({"name":"web","services":{
      "page":{"build":{"context":"{root}/app","args":{"KEPT":"1","VERSION":"1"}},"restart":"always"}}})";
  ASSERT_EQ(run().status, RunStatus::succeeded);
  ASSERT_EQ(driver.built.size(), 1u);
  const auto& build = driver.built[0].at("services").at("page").at("build");
  EXPECT_EQ(build.at("context").as_string().find("/host/data"), std::string::npos)
      << "the live directory is still as it was";
  EXPECT_EQ(build.at("args"), (json::object{{"KEPT", "1"}, {"VERSION", "2$$X"}})) << "compose makes one $ of it";
  EXPECT_TRUE(driver.build_options.no_cache);

  release_2();
  EXPECT_EQ(run().message, "web: no changes");
  EXPECT_EQ(driver.built.size(), 1u);
  source.files[".doco-cd.yaml"] = "name: web\nbuild: {args: {VERSION: '3'}}\n";
  source.settled = Settled{.deploy = Digest::of_sha256_hex(sha256_hex("3")), .reason = {}};
  EXPECT_EQ(run().stacks[0].message, "recreate page (build changed)");
  EXPECT_EQ(driver.built.size(), 2u);
}

}  // namespace
}  // namespace windlass
