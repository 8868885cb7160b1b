#include "driver/child_environment.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

// deploy/X12
TEST(ChildEnvironment, HoldsOnlyWhatTheToolNeedsOfOurs) {
  const std::map<std::string, std::string> own = {
      {"PATH", "/bin"},       {"HOME", "/root"},     {"DOCKER_HOST", "h"}, {"DOCKER_PASSWORD", "a"},
      {"SSH_AUTH_SOCK", "s"}, {"https_proxy", "p"},  {"NO_PROXY", "n"},    {"WEBHOOK_SECRET", ""},
      {"LD_PRELOAD", "l"},    {"COMPOSE_FILE", "c"}, {"TMPDIR", "/t"},     {"SSL_CERT_FILE", "f"},
  };
  const std::map<std::string, std::string> passed = {{"PATH", "/bin"},       {"HOME", "/root"},    {"DOCKER_HOST", "h"},
                                                     {"SSH_AUTH_SOCK", "s"}, {"https_proxy", "p"}, {"NO_PROXY", "n"},
                                                     {"SSL_CERT_FILE", "f"}};
  EXPECT_EQ(child_environment(own, {}).variables, passed);
}

TEST(ChildEnvironment, WithholdsKeysThatSteerTheChild) {
  for (const char* name : {"COMPOSE_FILE",
                           "COMPOSE_X",
                           "LD_PRELOAD",
                           "PATH",
                           "HOME",
                           "TMPDIR",
                           "GODEBUG",
                           "SSH_AUTH_SOCK",
                           "SSL_CERT_FILE",
                           "SSL_CERT_DIR",
                           "HTTP_PROXY",
                           "https_proxy",
                           "No_Proxy",
                           "DOCKER_HOST",
                           "DOCKER_CONTEXT",
                           "DOCKER_CONFIG",
                           "DOCKER_CERT_PATH",
                           "DOCKER_TLS",
                           "DOCKER_TLS_VERIFY",
                           "DOCKER_API_VERSION",
                           "DOCKER_AUTH_CONFIG",
                           "DOCKER_CUSTOM_HEADERS",
                           "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND",
                           "GLIBC_TUNABLES",
                           "GIT_TEMPLATE_DIR",
                           "GIT_TRACE2_EVENT",
                           "GIT_SSH",
                           "GIT_SSH_COMMAND",
                           "GIT_ASKPASS",
                           "GIT_EXEC_PATH",
                           "GIT_CONFIG_COUNT",
                           "GIT_PROXY_COMMAND"}) {
    const auto child = child_environment({}, {{name, "x"}, {"TAG", "1"}});
    EXPECT_EQ(child.variables, (std::map<std::string, std::string>{{"TAG", "1"}})) << name;
    EXPECT_EQ(child.withheld, std::vector<std::string>{name});
  }
  for (const char* name : {"DOCKER_IMAGE", "GIT_COMMIT", "MY_PATH", "PROXY", "compose_file"})
    EXPECT_FALSE(steers_child(name)) << name;
}

}  // namespace
}  // namespace windlass
