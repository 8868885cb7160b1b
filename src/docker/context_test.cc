#include "docker/context.h"

#include <gtest/gtest.h>

#include <fstream>

#include "docker/endpoint.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

struct ContextTest : testing::Test {
  fs::path folder = fs::temp_directory_path() / ("windlass-" + new_uuid_v7());
  ~ContextTest() override { fs::remove_all(folder); }

  void write(const fs::path& path, const std::string& text) const {
    fs::create_directories((folder / path).parent_path());
    std::ofstream(folder / path) << text;
  }
  void meta(const std::string& name, const std::string& text) const {
    write(fs::path("contexts/meta") / sha256_hex(name) / "meta.json", text);
  }
  void host(const std::string& name, const std::string& host, const std::string& more = "") const {
    meta(name,
         R"({"Name":")" + name + R"(","Metadata":{},"Endpoints":{"docker":{"Host":")" + host + "\"" + more + "}}}");
  }
};

template <class T>
std::string message_of(const Result<T>& result) {
  return result ? "no error" : std::string(to_string(result.error().kind)) + ": " + result.error().message;
}

TEST_F(ContextTest, ReadsWhatTheDockerCommandWrites) {
  host("edge", "tcp://10.0.0.5:2376", R"(,"SkipTLSVerify":true)");
  const auto tls = fs::path("contexts/tls") / sha256_hex("edge") / "docker";
  write(tls / "ca.pem", "x");
  write(tls / "cert.pem", "x");
  write(tls / "key.pem", "x");
  const auto context = read_context(folder, "edge");
  ASSERT_TRUE(context) << context.error().message;
  EXPECT_EQ(*context, (DockerContext{.name = "edge",
                                     .host = "tcp://10.0.0.5:2376",
                                     .skip_tls_verify = true,
                                     .ca_file = folder / tls / "ca.pem",
                                     .cert_file = folder / tls / "cert.pem",
                                     .key_file = folder / tls / "key.pem"}));
  host("plain", "unix:///run/other.sock");
  EXPECT_EQ(*read_context(folder, "plain"), (DockerContext{.name = "plain", .host = "unix:///run/other.sock"}));
  EXPECT_EQ(context_names(folder), (std::vector<std::string>{"edge", "plain"}));
  EXPECT_EQ(context_names(folder / "nothing"), std::vector<std::string>{});
}

TEST_F(ContextTest, SaysWhatIsWrongWithTheMetadata) {
  EXPECT_EQ(message_of(read_context(folder, "edge")),
            "not_found: docker context edge is not known: " + (folder / "contexts").string() +
                " has no metadata of that name");
  const std::pair<std::string, std::string> rows[] = {
      {"{}", "Endpoints.docker is not there"},
      {"[]", "Endpoints.docker is not there"},
      {R"({"Endpoints":{"docker":{}}})", "Endpoints.docker.Host is not there"},
      {R"({"Endpoints":{"docker":{"Host":7}}})", "Endpoints.docker.Host is not there"},
  };
  for (const auto& [text, why] : rows) {
    meta("edge", text);
    EXPECT_EQ(message_of(read_context(folder, "edge")), "invalid: docker context edge: its metadata: " + why);
  }
  meta("edge", "{");
  EXPECT_TRUE(message_of(read_context(folder, "edge")).starts_with("invalid: docker context edge: its metadata: "));
}

TEST(Context, TellsWhetherItsEngineSeesOurFiles) {
  const std::pair<std::string, bool> rows[] = {
      {"unix:///run/docker.sock", false},
      {"tcp://127.0.0.1:2375", false},
      {"tcp://localhost", false},
      {"tcp://[::1]:2376", false},
      {"tcp://[::1]", false},
      {"tcp://10.0.0.5:2375", true},
      {"tcp://edge", true},
      {"tcp://[fd00::1]:2375", true},
      {"ssh://edge", true},
      {"ssh://me@localhost", true},
  };
  for (const auto& [host, remote] : rows) EXPECT_EQ(is_remote({.name = "edge", .host = host}), remote) << host;
}

TEST(ContextEndpoint, SpeaksTlsWhereTheContextHasCertificates) {
  struct Row {
    DockerContext context;
    std::string url;
    bool verify;
  };
  const Row rows[] = {
      {{.host = "tcp://edge:99"}, "http://edge:99", true},
      {{.host = "tcp://edge", .ca_file = "/ca"}, "https://edge:2376", true},
      {{.host = "tcp://edge", .cert_file = "/cert", .key_file = "/key"}, "https://edge:2376", true},
      {{.host = "tcp://edge", .skip_tls_verify = true}, "https://edge:2376", false},
      {{.host = "unix:///x.sock"}, "http://docker", true},
  };
  for (auto row : rows) {
    row.context.name = "edge";
    const auto endpoint = endpoint_of(row.context, {});
    ASSERT_TRUE(endpoint) << endpoint.error().message;
    EXPECT_EQ(endpoint->base_url, row.url);
    EXPECT_EQ(endpoint->tls.verify, row.verify);
    EXPECT_EQ(endpoint->tls.ca_file, row.context.ca_file);
    EXPECT_EQ(endpoint->tls.client_cert_file, row.context.cert_file);
    EXPECT_EQ(endpoint->tls.client_key_file, row.context.key_file);
    EXPECT_EQ(endpoint->host, row.context.host + " (context edge)");
  }
}

TEST(ContextEndpoint, SaysWhyItRefusesAHost) {
  const std::pair<std::string, std::string> rows[] = {
      {"npipe://x", "'npipe://x' is none that windlass can speak to"},
      {"unix://x.sock", "'unix://x.sock' has no absolute path after unix://"},
      {"tcp://edge/path", "'tcp://edge/path' must be tcp://<host>:<port>"},
      {"ssh://-oProxyCommand=id", "'ssh://-oProxyCommand=id' names no machine"},
      {"ssh://me:secret@edge", "'ssh://(user)@…' holds a password: ssh takes a key"},
  };
  for (const auto& [host, why] : rows)
    EXPECT_EQ(message_of(endpoint_of({.name = "edge", .host = host}, {})),
              "invalid: docker context edge: its host " + why);
}

}  // namespace
}  // namespace windlass
