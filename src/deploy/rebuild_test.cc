#include "deploy/rebuild.h"

#include "deploy/pipeline_fixture.h"

namespace windlass {
namespace {

class RebuildTest : public PipelineTest {
 protected:
  // The state file is gone; containers are as they were.
  void lose_state() {
    fs::remove_all(folder);
    fs::create_directories(folder);
    start();
    live.claimed.clear();
  }
  std::size_t rebuild(std::set<std::string> with_inline = {}) {
    const auto found = rebuild_records({.engine = engine,
                                        .releases = *releases,
                                        .live = live,
                                        .host_data_dir = "/host/data",
                                        .sources_with_inline_deployments = std::move(with_inline)},
                                       Log({.level = LogLevel::critical}), Deadline::in(5s));
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or(0);
  }
};

TEST_F(RebuildTest, KnowsWhatIsDeployedAgainAndRestartsNothing) {  // reliability/F25
  run();
  source.files["www/index.html"] = "v2";
  release_2();
  run();  // page is of the second release now, db still of the first
  const auto before = *releases->stack({"web"});
  const auto db = id_of("db"), page = id_of("page");
  lose_state();
  EXPECT_EQ(rebuild(), 2u);
  const auto after = *releases->stack({"web"});
  ASSERT_TRUE(after);
  EXPECT_EQ(after->source_id, before->source_id);
  EXPECT_EQ(after->release_of, before->release_of);
  EXPECT_EQ(releases->history(lane_of(request()))->last, kDigest2);
  EXPECT_EQ(live.claimed, (std::map<std::string, std::string>{{"reg.example/my/app", "reg.example/my/app main"}}));

  const auto outcome = run();
  EXPECT_EQ(outcome.status, RunStatus::succeeded) << outcome.run_message();
  EXPECT_EQ(outcome.stacks[0].message, "adopt db (made from the same digest); adopt page (made from the same digest)");
  EXPECT_EQ(id_of("db"), db);
  EXPECT_EQ(id_of("page"), page);
  EXPECT_EQ(run().message, "web: no changes");

  source.files["www/index.html"] = "v3";
  source.settled = Settled{.deploy = Digest::of_sha256_hex(sha256_hex("3")), .reason = {}};
  EXPECT_EQ(run().stacks[0].message, "keep db; recreate page (content of www mounted at /www changed)");
}

TEST_F(RebuildTest, RecreatesWhatWasMadeFromAnotherDigest) {
  run();
  lose_state();
  rebuild();
  release_2();
  EXPECT_EQ(run().stacks[0].message,
            "recreate db (container web-db-1 was not made by a release of windlass); recreate page (container "
            "web-page-1 was not made by a release of windlass)");
}

TEST_F(RebuildTest, RecreatesWhatWasMadeUnderAnotherConfiguration) {
  run();
  lose_state();
  rebuild();
  source.files[".doco-cd.yaml"] = "name: web\ntimeout: 60\n";  // the same digest: inline deployments change so
  EXPECT_TRUE(run().stacks[0].message.starts_with("recreate db (container web-db-1 was not made by a release"));
}

TEST_F(RebuildTest, LeavesOutWhatContradictsItself) {
  run();
  lose_state();
  engine.projects["web"]["db"].labels["cd.windlass.source.id"] = "reg.example/another";
  engine.projects["web"]["page"].labels["cd.doco.deployment.name"] = "other";
  EXPECT_EQ(rebuild(), 0u);
  EXPECT_EQ(*releases->stack({"web"}), std::nullopt);
}

TEST_F(RebuildTest, LeavesTheContainersOfAnotherInstallationAlone) {
  run();
  lose_state();
  for (const auto* service : {"db", "page"})
    engine.projects["web"][service].labels["cd.doco.deployment.working_dir"] = "/srv/other/reg.example/my/app";
  EXPECT_EQ(rebuild(), 0u);
  EXPECT_TRUE(live.claimed.empty());
}

TEST_F(RebuildTest, BringsNoReleaseBackOfWhichTheDeploymentsAreUnknown) {
  run();
  lose_state();
  rebuild();
  EXPECT_FALSE(releases->releases({"web"}, 1)->front().request.artifact.empty());
  lose_state();
  rebuild({"reg.example/my/app"});
  EXPECT_TRUE(releases->releases({"web"}, 1)->front().request.artifact.empty());
}

TEST_F(RebuildTest, NeedsTheEngine) {
  engine.fault = "away";
  EXPECT_EQ(rebuild_records({.engine = engine, .releases = *releases, .live = live, .host_data_dir = "/host/data"},
                            Log({.level = LogLevel::critical}), Deadline::in(5s))
                .error()
                .kind,
            Kind::unavailable);
}

TEST_F(RebuildTest, FindsWhatIsDeployedOnEachEngine) {  // deploy 12
  source.files[".doco-cd.yaml"] = "name: web\n---\nname: web\ncontext: edge\n";
  auto& edge = add_context("edge");
  run();
  lose_state();
  EXPECT_EQ(rebuild(), 1u);
  const auto ask = [&](Engine& there, const std::string& context) {
    return rebuild_records({.engine = there,
                            .context = context,
                            .releases = *releases,
                            .live = live,
                            .host_data_dir = "/host/data",
                            .sources_with_inline_deployments = {}},
                           Log({.level = LogLevel::critical}), Deadline::in(5s))
        .value_or(99);
  };
  EXPECT_EQ(ask(edge.engine, "edge"), 1u);
  EXPECT_EQ(ask(engine, "alias"), 0u) << "the same engine by another name";
  EXPECT_TRUE(releases->stack({"web"})->has_value());
  EXPECT_TRUE(releases->stack({"web", "edge"})->has_value());
  EXPECT_TRUE(live.claimed.contains("reg.example/my/app@@context-edge"));
}

}  // namespace
}  // namespace windlass
