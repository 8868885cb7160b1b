#include "docker/endpoint.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

TEST(Endpoint, SpeaksToASocket) {
  const auto endpoint = parse_endpoint({.docker_host = "unix:///var/run/docker.sock"});
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->unix_socket, "/var/run/docker.sock");
  EXPECT_EQ(endpoint->base_url, "http://docker");
}

TEST(Endpoint, SpeaksTcpWithAndWithoutTls) {
  struct Row {
    EngineOptions options;
    std::string_view url;
    bool verify;
    std::string_view ca_file;
  };
  const Row rows[] = {
      {{.docker_host = "tcp://10.0.0.5:2375"}, "http://10.0.0.5:2375", true, ""},
      {{.docker_host = "tcp://10.0.0.5:2375/"}, "http://10.0.0.5:2375", true, ""},
      {{.docker_host = "tcp://engine"}, "http://engine:2375", true, ""},
      {{.docker_host = "tcp://[::1]"}, "http://[::1]:2375", true, ""},
      {{.docker_host = "tcp://[::1]:99", .tls_verify = true}, "https://[::1]:99", true, ""},
      {{.docker_host = "tcp://engine", .tls_dir = "/certs", .tls_verify = true},
       "https://engine:2376",
       true,
       "/certs/ca.pem"},
      {{.docker_host = "tcp://engine", .tls_dir = "/certs"}, "https://engine:2376", false, "/certs/ca.pem"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.options.docker_host);
    const auto endpoint = parse_endpoint(row.options);
    ASSERT_TRUE(endpoint) << endpoint.error().message;
    EXPECT_EQ(endpoint->base_url, row.url);
    EXPECT_EQ(endpoint->tls.verify, row.verify);
    EXPECT_EQ(endpoint->tls.ca_file, row.ca_file);
    EXPECT_EQ(endpoint->unix_socket, "");
  }
}

// api/E43
TEST(Endpoint, SaysWhyItRefusesAHost) {
  constexpr std::pair<std::string_view, std::string_view> refused[] = {
      {"ssh://me@engine",
       "unsupported DOCKER_HOST scheme: ssh://(user)@…: write unix:///<path> or tcp://<host>:<port>"},
      {"/var/run/docker.sock",
       "unsupported DOCKER_HOST scheme: /var/run/docker.sock: write unix:///<path> or tcp://<host>:<port>"},
      {"", "unsupported DOCKER_HOST scheme: : write unix:///<path> or tcp://<host>:<port>"},
      {"unix://docker.sock", "DOCKER_HOST 'unix://docker.sock' has no absolute path after unix://"},
      {"tcp://", "DOCKER_HOST 'tcp://' must be tcp://<host>:<port>"},
      {"tcp://me:hunter2@engine:1", "DOCKER_HOST 'tcp://(user)@…' must be tcp://<host>:<port>"},
      {"me:hunter2@a://engine",
       "unsupported DOCKER_HOST scheme: (user)@…: write unix:///<path> or tcp://<host>:<port>"},
      {"tcp://engine/path", "DOCKER_HOST 'tcp://engine/path' must be tcp://<host>:<port>"},
  };
  for (const auto& [host, message] : refused) {
    SCOPED_TRACE(host);
    const auto endpoint = parse_endpoint({.docker_host = std::string(host)});
    ASSERT_FALSE(endpoint);
    EXPECT_EQ(endpoint.error().kind, Kind::invalid);
    EXPECT_EQ(endpoint.error().message, message);
  }
}

}  // namespace
}  // namespace windlass
