#include "deploy/labels.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

const auto kDigest = Digest::of_sha256_hex(std::string(64, 'a'));

Job job() {
  return {.id = "job-1",
          .request = {.artifact = "ghcr.io/my/app:main",
                      .source_id = "ghcr.io/my/app",
                      .repository = "my/app",
                      .ref = "main",
                      .digest = kDigest,
                      .target = "prod"}};
}

TEST(Labels, AreDocoCdsAndSomeOfOurOwn) {  // deploy/L1 to L17b
  const auto job = windlass::job();
  const DeployConfig config{.name = "web"};
  const auto labels = release_labels({.job = job,
                                      .config = config,
                                      .release_id = "release-1",
                                      .digest = kDigest.str(),
                                      .compose_hash = "c0",
                                      .config_hash = "c1",
                                      .working_dir = "/data/ghcr.io/my/app",
                                      .now = FakeClock().now() + std::chrono::milliseconds(700)});
  const Labels expected = {
      {"cd.doco.metadata.manager", "doco-cd"},
      {"cd.doco.metadata.version", WINDLASS_VERSION},
      {"cd.doco.deployment.name", "web"},
      {"cd.doco.deployment.timestamp", "2026-01-02T03:04:05Z"},
      {"cd.doco.deployment.compose.sha", "c0"},
      {"cd.doco.deployment.working_dir", "/data/ghcr.io/my/app"},
      {"cd.doco.deployment.config.target", "prod"},
      {"cd.doco.deployment.target.ref", "main"},
      {"cd.doco.deployment.target.sha", kDigest.str()},
      {"cd.doco.deployment.trigger", kDigest.str()},
      {"cd.doco.deployment.config.sha", "c1"},
      {"cd.doco.deployment.auto_discovery", "false"},
      {"cd.doco.deployment.auto_discovery.config",
       "{enabled: false, depth: 0, delete: false, remove_volumes: false, remove_images: true}"},
      {"cd.doco.source", "oci"},
      {"cd.doco.source.name", "my/app"},
      {"cd.doco.source.url", "ghcr.io/my/app:main"},
      {"cd.windlass.source.id", "ghcr.io/my/app"},
      {"cd.windlass.release", "release-1"},
      {"cd.windlass.context", ""},
      {"cd.windlass.instance", ""},
      {"cd.doco.job.ephemeral", "false"},
  };
  EXPECT_EQ(labels, expected);
}

TEST(Labels, OfADigestReferenceHoldOnlyItsHex) {  // deploy/L8
  auto job = windlass::job();
  job.request.ref = kDigest.str();
  job.request.ref_is_digest = true;
  const DeployConfig config{.name = "web"};
  EXPECT_EQ(release_labels({.job = job, .config = config}).at("cd.doco.deployment.target.ref"), std::string(64, 'a'));
}

TEST(Labels, TellWhoseAContainerIs) {  // deploy/O1
  const auto request = job().request;
  const auto owned = [&](const Labels& labels) { return belongs_to(labels, request); };
  EXPECT_TRUE(owned({{"cd.windlass.source.id", "ghcr.io/my/app"}}));
  EXPECT_TRUE(owned({{"cd.doco.source.name", "my/app"}}));
  EXPECT_TRUE(owned({{"cd.doco.source.name", "ghcr.io/my/app"}}));
  EXPECT_FALSE(owned({{"cd.windlass.source.id", "other.example/my/app"}, {"cd.doco.source.name", "my/app"}}));
  EXPECT_FALSE(owned({{"cd.doco.source.name", "your/app"}}));
  // doco-cd leaves the registry out, but names the artifact.
  const auto made_by_doco_cd = [](const char* source, const char* url) {
    return Labels{{"cd.doco.source.name", "my/app"}, {"cd.doco.source", source}, {"cd.doco.source.url", url}};
  };
  EXPECT_TRUE(owned(made_by_doco_cd("oci", "ghcr.io/my/app:7")));
  EXPECT_FALSE(owned(made_by_doco_cd("oci", "other.example/my/app:7")));
  EXPECT_FALSE(owned(made_by_doco_cd("oci", "my/app")));  // of Docker Hub
  EXPECT_TRUE(owned(made_by_doco_cd("oci", "")));
  EXPECT_TRUE(owned(made_by_doco_cd("git", "https://git.example/my/app")));  // it may come as an artifact from now on
  EXPECT_FALSE(owned({}));
}

TEST(Labels, TellWhatIsOurs) {  // deploy/L25
  for (const auto& [manager, is_ours] :
       {std::pair("doco-cd", true), {"windlass", true}, {"portainer", false}, {"", false}})
    EXPECT_EQ(is_managed(Labels{{"cd.doco.metadata.manager", manager}}), is_ours) << manager;
  EXPECT_FALSE(is_managed(Labels{}));
}

TEST(Labels, OfDeployersAreTakenFromModels) {
  auto model = parse_json(R"({"name":"web","services":{"page":{"labels":{
      "cd.windlass.instance":"three","cd.windlass.context":"edge","cd.windlass.helper":"x","cd.windlass.new":"x",
      "cd.doco.job.ephemeral":"true","cd.doco.job.last_run":"x","cd.doco.deployment.name":"x","cd.doco.source":"x",
      "cd.doco.metadata.manager":"x","cd.doco.job.schedule":"@daily","cd.doco.deployment.recreate.ignore":"configs:",
      "cd.doco.deployment.recreate.ignore.signal":"HUP","traefik.enable":"true"}},"none":{},"odd":null},
      "networks":{"net":{"labels":{"cd.windlass.instance":"three","a":"1"}},"default":null},
      "volumes":{"data":{"labels":{"cd.doco.source.name":"their/app"}}}})")
                   ->get_object();
  erase_deployers_labels(model);
  EXPECT_EQ(canonical_json(model), canonical_json(*parse_json(R"({"name":"web","services":{"page":{"labels":{
      "cd.doco.job.schedule":"@daily","cd.doco.deployment.recreate.ignore":"configs:",
      "cd.doco.deployment.recreate.ignore.signal":"HUP","traefik.enable":"true"}},"none":{},"odd":null},
      "networks":{"net":{"labels":{"a":"1"}},"default":null},"volumes":{"data":{"labels":{}}}})")));
}

TEST(Labels, LeaveOutOfTheHashWhatSaysNothingAboutTheService) {  // deploy/N6
  EXPECT_TRUE(is_left_out_of_hash("com.docker.compose.project"));
  EXPECT_TRUE(is_left_out_of_hash("cd.doco.deployment.timestamp"));
  EXPECT_TRUE(is_left_out_of_hash("cd.windlass.release"));
  EXPECT_FALSE(is_left_out_of_hash("cd.doco.job.schedule"));
  EXPECT_FALSE(is_left_out_of_hash("cd.doco.deployment.recreate.ignore"));
  EXPECT_FALSE(is_left_out_of_hash("traefik.enable"));
}

}  // namespace
}  // namespace windlass
