#include "app/engine_access.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

// deploy/Y3: a context that somebody selected would have compose deploy where we do not look
TEST(EngineAccess, LetsComposeDeployToTheEngineThatWeAsk) {
  const auto of_compose = [](Environment environment) {
    environment["DATA_MOUNT_PATH"] = "/tmp";
    auto passed = compose_options(*read_settings(environment), environment).environment;
    passed.erase("DATA_MOUNT_PATH");
    return passed;
  };
  EXPECT_EQ(of_compose({}), (Environment{{"DOCKER_HOST", "unix:///var/run/docker.sock"}}));
  EXPECT_EQ(of_compose({{"DOCKER_HOST", "tcp://engine:2375"}, {"DOCKER_CONTEXT", "laptop"}, {"DOCKER_CONFIG", "/c"}}),
            (Environment{{"DOCKER_HOST", "tcp://engine:2375"}, {"DOCKER_CONFIG", "/c"}}));
}

// deploy/Y3, as the docker command takes them
const struct {
  const char* name;
  DockerContext context;
  Environment told;
} kContexts[] = {
    {"socket", {.name = "edge", .host = "unix:///run/other.sock"}, {{"DOCKER_HOST", "unix:///run/other.sock"}}},
    {"ssh, certificates have no meaning there",
     {.name = "edge", .host = "ssh://me@edge:22/run/x.sock", .ca_file = "/c/contexts/tls/1/docker/ca.pem"},
     {{"DOCKER_HOST", "ssh://me@edge:22/run/x.sock"}}},
    {"TCP", {.name = "edge", .host = "tcp://10.0.0.5:2375"}, {{"DOCKER_HOST", "tcp://10.0.0.5:2375"}}},
    {"TLS",
     {.name = "edge",
      .host = "tcp://10.0.0.5:2376",
      .ca_file = "/c/contexts/tls/1/docker/ca.pem",
      .cert_file = "/c/contexts/tls/1/docker/cert.pem",
      .key_file = "/c/contexts/tls/1/docker/key.pem"},
     {{"DOCKER_HOST", "tcp://10.0.0.5:2376"},
      {"DOCKER_TLS_VERIFY", "1"},
      {"DOCKER_CERT_PATH", "/c/contexts/tls/1/docker"}}},
    {"TLS, not verified",
     {.name = "edge",
      .host = "tcp://10.0.0.5:2376",
      .skip_tls_verify = true,
      .ca_file = "/c/contexts/tls/1/docker/ca.pem"},
     {{"DOCKER_HOST", "tcp://10.0.0.5:2376"}, {"DOCKER_TLS", "1"}, {"DOCKER_CERT_PATH", "/c/contexts/tls/1/docker"}}},
    {"TLS, not verified and without files",
     {.name = "edge", .host = "tcp://10.0.0.5:2376", .skip_tls_verify = true},
     {{"DOCKER_CONTEXT", "edge"}}},
    {"TLS by the machine's authorities",
     {.name = "edge", .host = "tcp://10.0.0.5:2376", .cert_file = "/c/contexts/tls/1/docker/cert.pem"},
     {{"DOCKER_CONTEXT", "edge"}}},
};

TEST(EngineAccess, LetsComposeDeployToTheContextThatAStackNames) {
  const Environment environment = {{"DOCKER_HOST", "tcp://engine:2375"}, {"DOCKER_TLS", "1"},
                                   {"DOCKER_TLS_VERIFY", "1"},           {"DOCKER_CERT_PATH", "/certs"},
                                   {"DOCKER_CONTEXT", "laptop"},         {"DOCKER_CONFIG", "/c"}};
  for (const auto& row : kContexts) {
    auto told = row.told;
    told["DOCKER_CONFIG"] = "/c";
    EXPECT_EQ(compose_options({}, environment, row.context).environment, told) << row.name;
  }
}

// The helper of a take-over may meet files that changed after its process has read them (deploy/U2).
TEST(EngineAccess, IsTheSameForAHelperWhateverElseHasBecomeUnreadable) {
  const Environment environment = {{"DOCKER_HOST", "tcp://engine:2376"},    {"DOCKER_TLS_VERIFY", "1"},
                                   {"DOCKER_CERT_PATH", "/certs"},          {"DOCKER_API_VERSION", "1.45"},
                                   {"OCI_INSECURE_REGISTRIES", "reg:5000"}, {"ALLOW_PROVIDER_SERVICES", "true"},
                                   {"DOCKER_QUIET_DEPLOY", "false"},        {"DATA_MOUNT_PATH", "/srv/data/"}};
  const auto of_service = *read_settings(environment);
  auto changed = environment;
  changed["WEBHOOK_SECRET_FILE"] = "/nowhere";
  changed["HTTP_PORT"] = "x";
  ASSERT_FALSE(read_settings(changed));
  const auto of_helper = readable_settings(changed);
  const auto engine = engine_options(of_service), its_engine = engine_options(of_helper);
  EXPECT_EQ(its_engine.docker_host, "tcp://engine:2376");
  EXPECT_EQ(its_engine.docker_host, engine.docker_host);
  EXPECT_EQ(its_engine.tls_dir, engine.tls_dir);
  EXPECT_EQ(its_engine.tls_verify, engine.tls_verify);
  EXPECT_EQ(its_engine.api_version, engine.api_version);
  const auto compose = compose_options(of_service, environment), its_compose = compose_options(of_helper, environment);
  EXPECT_EQ(its_compose.environment, compose.environment);
  EXPECT_EQ(its_compose.insecure_registries, std::vector<std::string>{"reg:5000"});
  EXPECT_TRUE(its_compose.providers);
  EXPECT_FALSE(its_compose.quiet);
  EXPECT_EQ(of_helper.data_mount_path, "/srv/data");
}

}  // namespace
}  // namespace windlass
