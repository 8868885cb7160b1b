#include "app/start_checks.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using Lines = std::vector<std::string>;

Lines faults_of(const Environment& environment) {
  const auto settings = read_settings(environment, {.is_artifact = {}, .of_service = faults_at_start});
  return settings ? Lines{} : settings.error().faults;
}

// config 2, 2.1
TEST(StartChecks, FindNothingWrongWithAMachineThatIsThere) {
  EXPECT_EQ(faults_of({{"DATA_MOUNT_PATH", "/tmp"}}), Lines{});
  EXPECT_EQ(faults_of({{"DATA_MOUNT_PATH", "/tmp"}, {"DOCKER_HOST", "tcp://engine"}, {"DOCKER_API_VERSION", "1.43"}}),
            Lines{});
}

TEST(StartChecks, TellTheirFaultsWithAllTheOthers) {
  EXPECT_EQ(faults_of({{"HTTP_PORT", "0"}, {"DATA_MOUNT_PATH", "/nowhere/data"}, {"DOCKER_HOST", "ssh://engine"}}),
            (Lines{"HTTP_PORT: \"0\" is not a whole number from 1 to 65535",
                   "unsupported DOCKER_HOST scheme: ssh://engine: write unix:///<path> or tcp://<host>:<port>",
                   "DATA_MOUNT_PATH /nowhere/data is not a folder: make it, or mount one there"}));
  EXPECT_EQ(faults_of({{"DATA_MOUNT_PATH", "data"}, {"DOCKER_API_VERSION", "new"}}),
            (Lines{"DATA_MOUNT_PATH must be an absolute Unix path, got \"data\"",
                   "DOCKER_API_VERSION 'new' is not a version such as 1.43"}));
}

TEST(StartChecks, RefuseAManagerOfASwarmUnlessTheyAreToldTo) {  // deploy/M1
  const EngineInfo manager{.swarm_manager = true};
  EXPECT_TRUE(check_swarm(EngineInfo(), true));
  EXPECT_TRUE(check_swarm(manager, false));
  const auto refused = check_swarm(manager, true);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("DOCKER_SWARM_FEATURES=false"), std::string::npos) << refused.error().message;
}

// deploy/Y3: a context that somebody selected would have compose deploy where we do not look
TEST(StartChecks, LetComposeDeployToTheEngineThatWeAsk) {
  const auto of_compose = [](Environment environment) {
    environment["DATA_MOUNT_PATH"] = "/tmp";
    auto passed = compose_environment(*read_settings(environment), environment);
    passed.erase("DATA_MOUNT_PATH");
    return passed;
  };
  EXPECT_EQ(of_compose({}), (Environment{{"DOCKER_HOST", "unix:///var/run/docker.sock"}}));
  EXPECT_EQ(of_compose({{"DOCKER_HOST", "tcp://engine:2375"}, {"DOCKER_CONTEXT", "laptop"}, {"DOCKER_CONFIG", "/c"}}),
            (Environment{{"DOCKER_HOST", "tcp://engine:2375"}, {"DOCKER_CONFIG", "/c"}}));
}

TEST(StartChecks, LetComposeDeployToTheContextThatAStackNames) {  // deploy/Y3
  EXPECT_EQ(context_environment("edge", {{"DOCKER_HOST", "tcp://engine:2375"},
                                         {"DOCKER_TLS_VERIFY", "1"},
                                         {"DOCKER_CERT_PATH", "/certs"},
                                         {"DOCKER_CONTEXT", "laptop"},
                                         {"DOCKER_CONFIG", "/c"}}),
            (Environment{{"DOCKER_CONTEXT", "edge"}, {"DOCKER_CONFIG", "/c"}}));
}

}  // namespace
}  // namespace windlass
