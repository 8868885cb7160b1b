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

}  // namespace
}  // namespace windlass
