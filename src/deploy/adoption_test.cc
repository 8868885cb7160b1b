// Stacks that somebody else made: doco-cd's are taken over without a restart (deploy/L23), others when the deployment
// says so (O1).

#include "deploy/pipeline_fixture.h"

namespace windlass {
namespace {

class AdoptionTest : public PipelineTest {
 protected:
  Labels doco_labels(const Digest& digest, const std::string& source = "my/app") {
    return {{"cd.doco.metadata.manager", "doco-cd"},
            {"cd.doco.source.name", source},
            {"cd.doco.deployment.timestamp", "2026-01-02T03:04:05Z"},
            {"cd.doco.deployment.target.sha", digest.str()}};
  }
  // As compose sees them: the labels of doco-cd are not in its models.
  void made_by_doco_cd(const Digest& digest) {
    (void)run();  // the driver now knows what compose would make
    for (const auto* service : {"db", "page"}) {
      auto definition = parse_json(driver.definitions[fmt::format("web/{}", service)])->as_object();
      definition["labels"] = json::object();
      driver.definitions[fmt::format("web/{}", service)] = canonical_json(definition);
      engine.make("web", service, doco_labels(digest));
    }
    fs::remove_all(folder);  // a new installation
    fs::create_directories(folder);
    driver.upped = 0;
    start();
  }
};

TEST_F(AdoptionTest, TakesOverWhatDocoCdMadeFromTheSameDigest) {
  made_by_doco_cd(kDigest1);
  const auto db = id_of("db"), page = id_of("page");
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(outcome.stacks[0].message, "adopt db (made from the same digest); adopt page (made from the same digest)");
  EXPECT_EQ(driver.upped, 0);
  EXPECT_EQ(run().message, "web: no changes");
  start();
  EXPECT_EQ(run().message, "web: no changes") << "in a new process too";

  source.files["www/index.html"] = "v2";
  release_2();
  const auto next = run();
  EXPECT_EQ(next.stacks[0].message, "keep db; recreate page (content of www mounted at /www changed)");
  EXPECT_EQ(id_of("db"), db) << "it is left alone by compose too";
  EXPECT_NE(id_of("page"), page);
  EXPECT_EQ(run().message, "web: no changes");
}

TEST_F(AdoptionTest, MakesWhatDocoCdMadeFromAnotherDigestAnew) {
  made_by_doco_cd(kDigest2);
  const auto outcome = run();
  EXPECT_EQ(outcome.stacks[0].message,
            "recreate db (container web-db-1 was not made by a release of windlass); recreate page (container "
            "web-page-1 was not made by a release of windlass)");
}

TEST_F(AdoptionTest, ForcesWhatIsToBeForced) {
  made_by_doco_cd(kDigest1);
  source.files[".doco-cd.yaml"] = "name: web\nforce_recreate: true\n";
  EXPECT_EQ(run().stacks[0].message, "recreate db (force_recreate is set); recreate page (force_recreate is set)");
}

// deploy/O4
TEST_F(AdoptionTest, LeavesTheStacksOfAnotherInstanceAlone) {
  instance = "a";
  start();
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_EQ(engine.projects["web"]["db"].label("cd.windlass.instance"), "a");
  EXPECT_EQ(run().message, "web: no changes");
  for (const auto* other : {"b", ""}) {
    instance = other;
    start();
    release_2();
    for (const auto* config : {"name: web\n", "name: web\ndestroy: true\n"}) {
      source.files[".doco-cd.yaml"] = config;
      EXPECT_EQ(run().message,
                "failed to deploy stack web: the stack belongs to the windlass with INSTANCE_ID a: adopt: true takes "
                "it over");
    }
  }
  source.files[".doco-cd.yaml"] = "name: web\nadopt: true\nforce_recreate: true\n";
  instance = "b";
  start();
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_EQ(engine.projects["web"]["db"].label("cd.windlass.instance"), "b");
}

TEST_F(AdoptionTest, TakesTheStackOfSomebodyElseOnlyWhenItIsTold) {
  engine.make("web", "page", doco_labels(kDigest1, "somebody/else"));
  engine.make("web", "db", {});
  const auto refused = run();
  EXPECT_EQ(refused.message,
            "failed to deploy stack web: another stack with the same name already exists and is not managed by this "
            "repository: adopt: true takes it over");
  source.files[".doco-cd.yaml"] = "name: web\nadopt: true\n";
  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(engine.projects["web"]["db"].label("cd.windlass.source.id"), "reg.example/my/app");
}

// What an artifact says of somebody else's stack is its own word: under restricted it is not enough.
class LimitedAdoptionTest : public AdoptionTest {
 protected:
  void limited(std::vector<AllowedAdoption> allowed) {
    adoptable = std::move(allowed);
    start();
  }
  void adopt() {
    source.files[".doco-cd.yaml"] = "name: web\nadopt: true\n";
    driver.upped = 0;
  }
  JobOutcome run_of_another() {
    auto theirs = request();
    theirs.source_id = "reg.example/their/app";
    theirs.repository = "their/app";
    return run(theirs);
  }
  const std::string refusal =
      "only ADOPT_ALLOW=web=reg.example/my/app, a setting of windlass, lets this repository take it over, with adopt: "
      "true";
};

TEST_F(LimitedAdoptionTest, IsTheOperatorsWord) {
  engine.make("web", "page", {});  // by hand
  adopt();
  for (const auto& other : {AllowedAdoption{"web", "reg.example/my/other"}, {"side", "reg.example/my/app"}}) {
    limited({other});
    EXPECT_EQ(run().message,
              "failed to deploy stack web: another stack with the same name already exists and is not managed by this "
              "repository: " +
                  refusal);
    EXPECT_EQ(driver.upped, 0);
  }
  limited({{"web", "reg.example/my/app"}});
  EXPECT_EQ(run().status, RunStatus::succeeded);
  limited({});
  source.files["www/index.html"] = "v2";
  release_2();
  EXPECT_EQ(run().status, RunStatus::succeeded) << "its own from then on";
}

TEST_F(LimitedAdoptionTest, CoversStacksOfOtherSourcesAndInstances) {
  instance = "a";
  limited({});
  ASSERT_EQ(run_of_another().status, RunStatus::succeeded) << "a new stack is nobody's";
  adopt();
  for (const auto* config : {"name: web\nadopt: true\n", "name: web\n", "name: web\nadopt: true\ndestroy: true\n"}) {
    source.files[".doco-cd.yaml"] = config;
    EXPECT_NE(run().message.find(refusal), std::string::npos) << config;
  }
  engine.projects.clear();
  EXPECT_NE(run().message.find(refusal), std::string::npos) << "its volumes are still there";

  source.files[".doco-cd.yaml"] = "name: web\nadopt: true\n";
  (void)run_of_another();  // there again
  instance = "b";
  start();
  release_2();
  const auto outcome = run_of_another();
  EXPECT_NE(outcome.message.find("INSTANCE_ID a: only ADOPT_ALLOW=web=reg.example/their/app, "), std::string::npos)
      << outcome.message;
  EXPECT_TRUE(driver.downed.empty());
}

// Nobody has the stack on record and nothing runs: its volumes are still somebody's.
TEST_F(LimitedAdoptionTest, CoversVolumesThatAreLeft) {
  engine.volumes_of["web"] = {{"web_data", "local", {}, {}}};
  limited({});
  adopt();
  EXPECT_NE(run().message.find(refusal), std::string::npos);

  engine.volumes_of.clear();
  ASSERT_EQ(run().status, RunStatus::succeeded);
  source.files[".doco-cd.yaml"] = "name: web\ndestroy: {enabled: true, remove_volumes: false}\n";
  release_2();
  ASSERT_EQ(run().status, RunStatus::succeeded);
  engine.projects.clear();
  engine.volumes_of["web"] = {{"web_data", "local", {}, {}}};
  adopt();
  EXPECT_NE(run_of_another().message.find("only ADOPT_ALLOW="), std::string::npos);
  source.settled = Settled{.deploy = Digest::of_sha256_hex(std::string(64, '3')), .reason = {}};
  const auto back = run();
  EXPECT_EQ(back.status, RunStatus::succeeded) << "who took it down may bring it back: " << back.run_message();
}

// The stack that windlass itself runs in was started by hand: whoever knows its name would get its data folder.
TEST_F(LimitedAdoptionTest, KeepsItsOwnStack) {
  engine.make("web", "page", {});
  own_container = id_of("page");
  limited({});
  adopt();
  EXPECT_NE(run().message.find(refusal), std::string::npos);
  EXPECT_EQ(id_of("page"), own_container);
  limited({{"web", "reg.example/my/app"}});
  EXPECT_EQ(run().status, RunStatus::succeeded);
  EXPECT_EQ(driver.options["web"].own_service, "page");
}

}  // namespace
}  // namespace windlass
