// The registry client against real registries: plain, TLS with a password, and the token flow (oci 3, 5).
#include "oci/registry.h"

#include <gtest/gtest.h>

#include <csignal>

#include "oci/content_store.h"
#include "oci/credentials.h"
#include "registry_bed.h"
#include "sys/crypto.h"
#include "sys/curl_transport.h"
#include "sys/fake_process.h"
#include "sys/files.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

Reference parsed(const std::string& text) {
  auto reference = Reference::parse(text);
  EXPECT_TRUE(reference) << reference.error().message;
  return *reference;
}

class RegistryTest : public testing::Test {
 protected:
  RegistryTest() { std::signal(SIGPIPE, SIG_IGN); }

  // Forgets all that was learnt, as a restart does.
  void connect(CurlTransport::Options curl = {}, const std::string& docker_config = "") {
    fs::remove_all(bed.folder() / "blobs");
    if (!docker_config.empty()) write_text(bed.folder() / "docker/config.json", docker_config);
    registry.reset();
    transport = std::make_unique<CurlTransport>(std::move(curl));
    auto opened = ContentStore::open({.folder = bed.folder() / "blobs"});
    ASSERT_TRUE(opened) << opened.error().message;
    store = std::move(*opened);
    credentials = CredentialSource::make({.config_file = bed.folder() / "docker/config.json"}, processes, Log());
    registry = Registry::make({.attempts_max = 2, .backoff_base = 1ms}, *transport, *credentials, *store, clock, Log());
  }
  // A folder with a file of random bytes, pushed as an artifact; its digest.
  std::string push(const std::string& name, std::size_t bytes = 1000, const std::string& options = "--plain-http") {
    write_text(bed.folder() / "work/app/data.bin", random_bytes(bytes));
    write_text(bed.folder() / "work/app/.doco-cd.yaml", "name: app\n");
    return sh(
        fmt::format("cd {}/work; oras push --disable-path-validation {} {}/{} app >/dev/null; "
                    "oras manifest fetch {} --descriptor {}/{} | jq -r .digest",
                    bed.folder().string(), options, bed.host(), name, options, bed.host(), name));
  }
  Result<std::optional<Digest>> tag_digest(const std::string& name) {
    return registry->tag_digest(parsed(bed.host() + "/" + name), Deadline::in(10s));
  }
  Result<FetchedArtifact> fetch(const std::string& name, const std::string& digest) {
    return registry->fetch(parsed(bed.host() + "/" + name), *Digest::parse(digest), Deadline::in(30s));
  }
  void expect_whole(const FetchedArtifact& artifact) {
    ASSERT_FALSE(artifact.layers.empty());
    for (const auto& layer : artifact.layers) {
      const auto bytes = read_file(layer.file, 1 << 30);
      ASSERT_TRUE(bytes);
      EXPECT_EQ(Digest::of_sha256_hex(sha256_hex(*bytes)), layer.digest);
      EXPECT_EQ(bytes->size(), layer.size_bytes);
    }
  }

  RegistryBed bed;
  SystemClock clock;
  FakeProcessRunner processes;
  std::unique_ptr<CurlTransport> transport;
  std::unique_ptr<ContentStore> store;
  std::unique_ptr<CredentialSource> credentials;
  std::unique_ptr<Registry> registry;
};

TEST_F(RegistryTest, FindsATagThatMovesAndPullsByDigest) {
  bed.start();
  connect();
  const auto first = push("team/app:1");
  auto digest = tag_digest("team/app:1");
  ASSERT_TRUE(digest) << digest.error().message;
  ASSERT_TRUE(*digest);
  EXPECT_EQ((*digest)->str(), first);
  const auto second = push("team/app:1");
  ASSERT_NE(first, second);
  EXPECT_EQ((*tag_digest("team/app:1"))->str(), second);

  for (const auto& each : {first, second}) {
    const auto artifact = fetch("team/app:1", each);
    ASSERT_TRUE(artifact) << artifact.error().message;
    EXPECT_EQ(artifact->digest.str(), each);
    EXPECT_EQ(artifact->manifest_digest.str(), each);
    EXPECT_EQ(artifact->layers[0].annotations.at("org.opencontainers.image.title"), "app");
    expect_whole(*artifact);
  }
}

TEST_F(RegistryTest, FetchesAgainWithoutTheRegistry) {
  bed.start();
  connect();
  const auto digest = push("team/app:1");
  ASSERT_TRUE(fetch("team/app:1", digest));
  bed.stop();
  const auto artifact = fetch("team/app:1", digest);
  ASSERT_TRUE(artifact) << artifact.error().message;
  expect_whole(*artifact);
  const auto tag = tag_digest("team/app:1");
  ASSERT_FALSE(tag);
  EXPECT_EQ(tag.error().kind, Kind::unavailable);
  EXPECT_EQ(tag.error().message, "GET https://" + bed.host() + "/v2/: cannot connect: connection refused");
}

TEST_F(RegistryTest, TellsAbsentTagsAndManifests) {
  bed.start();
  connect();
  push("team/app:1");
  auto tag = tag_digest("team/app:none");
  ASSERT_TRUE(tag) << tag.error().message;
  EXPECT_FALSE(*tag);
  const auto absent = "sha256:" + std::string(64, '0');
  const auto manifest =
      registry->manifest(parsed(bed.host() + "/team/app:1"), *Digest::parse(absent), Deadline::in(5s));
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_FALSE(*manifest);
  const auto artifact = fetch("team/app:1", absent);
  ASSERT_FALSE(artifact);
  EXPECT_EQ(artifact.error().kind, Kind::not_found);
  EXPECT_EQ(artifact.error().message, "manifest " + absent + " not found in " + bed.host() + "/team/app");
}

// reliability/F45, F46
TEST_F(RegistryTest, RefusesChangedBytes) {
  bed.start();
  connect();
  const auto digest = push("team/app:1");
  const auto manifest =
      registry->manifest(parsed(bed.host() + "/team/app:1"), *Digest::parse(digest), Deadline::in(5s));
  ASSERT_TRUE(manifest && *manifest);
  const auto layer =
      sh(fmt::format("oras manifest fetch --plain-http {}/team/app:1 | jq -r '.layers[0].digest'", bed.host()));
  const auto file = bed.blob_file(layer.substr(7));
  auto bytes = *read_file(file, 1 << 20);
  bytes[100] = static_cast<char>(bytes[100] ^ 1);
  write_text(file, bytes);
  const auto artifact = fetch("team/app:1", digest);
  ASSERT_FALSE(artifact);
  EXPECT_EQ(artifact.error().kind, Kind::invalid);
  EXPECT_EQ(artifact.error().message, "layer 1: blob digest mismatch: expected " + layer);
  EXPECT_EQ(store->find(*Digest::parse(layer)), "");

  connect();
  const auto file_of_manifest = bed.blob_file(digest.substr(7));
  auto text = *read_file(file_of_manifest, 1 << 20);
  write_text(file_of_manifest, text + " ");
  const auto changed = fetch("team/app:1", digest);
  ASSERT_FALSE(changed);
  EXPECT_NE(changed.error().kind, Kind::unavailable);
}

TEST_F(RegistryTest, ChoosesTheChildOfAnIndex) {
  bed.start();
  connect();
  const auto amd64 = push("team/app:amd64"), arm64 = push("team/app:arm64");
  const auto child = [&](const std::string& digest, const char* architecture) {
    const auto size = sh(
        fmt::format("oras manifest fetch --plain-http --descriptor {}/team/app@{} | jq -r .size", bed.host(), digest));
    return fmt::format(R"({{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":{},)"
                       R"("platform":{{"os":"linux","architecture":"{}"}}}})",
                       digest, size, architecture);
  };
  write_text(
      bed.folder() / "index.json",
      fmt::format(R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{},{}]}})",
                  child(arm64, "arm64"), child(amd64, "amd64")));
  sh(fmt::format("oras manifest push --plain-http {}/team/app:both {}/index.json >/dev/null", bed.host(),
                 bed.folder().string()));
  const auto index = tag_digest("team/app:both");
  ASSERT_TRUE(index && *index);
  const auto artifact = fetch("team/app:both", (*index)->str());
  ASSERT_TRUE(artifact) << artifact.error().message;
  EXPECT_EQ(artifact->digest, **index);
  EXPECT_EQ(artifact->manifest_digest.str(), amd64);
  expect_whole(*artifact);
  const auto reference = parsed(bed.host() + "/team/app:both");
  EXPECT_TRUE(*registry->is_child_of(reference, *Digest::parse(arm64), **index, Deadline::in(5s)));
  EXPECT_FALSE(*registry->is_child_of(reference, **index, **index, Deadline::in(5s)));
  EXPECT_FALSE(*registry->is_child_of(reference, *Digest::parse(arm64), *Digest::parse(amd64), Deadline::in(5s)));
}

TEST_F(RegistryTest, PullsAnImageThatSkopeoCopied) {
  bed.start();
  connect();
  push("team/app:1");
  sh(
      fmt::format("cd {}; skopeo --insecure-policy copy -q --src-tls-verify=false --format oci docker://{}/team/app:1 "
                  "oci:image:1 && "
                  "skopeo --insecure-policy copy -q --dest-tls-verify=false oci:image:1 docker://{}/team/copy:1",
                  bed.folder().string(), bed.host(), bed.host()));
  const auto digest = tag_digest("team/copy:1");
  ASSERT_TRUE(digest && *digest);
  const auto artifact = fetch("team/copy:1", (*digest)->str());
  ASSERT_TRUE(artifact) << artifact.error().message;
  expect_whole(*artifact);
}

TEST_F(RegistryTest, SpeaksTlsWithAPassword) {
  const auto at = bed.folder().string();
  sh(fmt::format(
      "cd {}; exec 2>/dev/null; openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj "
      "/CN=ca; "
      "openssl req -newkey rsa:2048 -nodes -keyout key.pem -out csr.pem -subj /CN=registry; "
      "printf 'subjectAltName=IP:127.0.0.1' > san; "
      "openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out cert.pem; "
      "htpasswd -Bbn user secret-pass > htpasswd",
      at));
  bed.start(fmt::format("  tls: {{certificate: {0}/cert.pem, key: {0}/key.pem}}\n", at),
            fmt::format("auth:\n  htpasswd: {{realm: test, path: {}/htpasswd}}\n", at));
  const auto digest = push("team/app:1", 1000, "--ca-file " + at + "/ca.pem -u user -p secret-pass");
  CurlTransport::Options trusting;
  trusting.roots.for_libcurl.file = at + "/ca.pem";
  const auto config = [&](const std::string& password) {
    return fmt::format(R"({{"auths":{{"{}":{{"auth":"{}"}}}}}})", bed.host(), base64_encode("user:" + password));
  };

  connect(trusting);
  const auto anonymous = tag_digest("team/app:1");
  ASSERT_FALSE(anonymous);
  EXPECT_EQ(anonymous.error().kind, Kind::denied);
  const auto& told = anonymous.error().message;
  EXPECT_TRUE(told.starts_with(
      fmt::format("GET https://{}/v2/team/app/manifests/1: 401 UNAUTHORIZED: authentication required (", bed.host())))
      << told;
  EXPECT_TRUE(told.ends_with(
      fmt::format("); no credentials for {0} are known: docker login {0}, or DOCKER_AUTH_CONFIG", bed.host())))
      << told;
  connect(trusting, config("wrong"));
  const auto refused = tag_digest("team/app:1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::denied);
  EXPECT_NE(refused.error().message.find("; the credentials known for " + bed.host()), std::string::npos);

  write_text(bed.folder() / "docker/config.json", config("secret-pass"));  // read again, no restart
  const auto tag = tag_digest("team/app:1");
  ASSERT_TRUE(tag) << tag.error().message;
  EXPECT_EQ((*tag)->str(), digest);
  const auto artifact = fetch("team/app:1", digest);
  ASSERT_TRUE(artifact) << artifact.error().message;
  expect_whole(*artifact);

  connect();
  const auto untrusted = tag_digest("team/app:1");  // F53
  ASSERT_FALSE(untrusted);
  EXPECT_EQ(untrusted.error().kind, Kind::denied);
  EXPECT_EQ(untrusted.error().message,
            "GET https://" + bed.host() +
                "/v2/: SSL certificate problem: unable to get local issuer certificate; its CA: ca_file in "
                "OCI_REGISTRIES_FILE, or SSL_CERT_DIR");
}

TEST_F(RegistryTest, GetsTokensFromTheTokenService) {
  const auto at = bed.folder().string();
  sh(fmt::format(
      "cd {}; openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=t 2>/dev/null; "
      "cp cert.pem ca.pem",
      at));
  const int token_port = free_port();
  bed.start_token_server(token_port);
  bed.start("",
            fmt::format(
                "auth:\n  token: {{realm: 'http://localhost:{}/token', service: windlass-test, issuer: windlass-test, "
                "rootcertbundle: {}/ca.pem}}\n",
                token_port, at));
  const auto login = std::string("--plain-http -u user -p secret-pass");
  const auto open = push("public/app:1", 1000, login), closed = push("team/app:1", 1000, login);
  std::ofstream(bed.folder() / "token.requests", std::ios::trunc);

  connect();
  auto tag = tag_digest("public/app:1");
  ASSERT_TRUE(tag) << tag.error().message;
  EXPECT_EQ((*tag)->str(), open);
  const auto artifact = fetch("public/app:1", open);
  ASSERT_TRUE(artifact) << artifact.error().message;
  expect_whole(*artifact);
  EXPECT_EQ(*read_file(bed.folder() / "token.requests", 1 << 20), "anonymous repository:public/app:pull\n");
  EXPECT_EQ(tag_digest("team/app:1").error().kind, Kind::denied);

  connect({}, fmt::format(R"({{"auths":{{"{}":{{"username":"user","password":"secret-pass"}}}}}})", bed.host()));
  tag = tag_digest("team/app:1");
  ASSERT_TRUE(tag) << tag.error().message;
  EXPECT_EQ((*tag)->str(), closed);
}

// Figures, not limits: what a trigger costs at the registry.
TEST_F(RegistryTest, TakesLittleTimeOnceItIsKnown) {
  bed.start();
  connect();
  const auto digest = push("team/app:1", 20 << 20);
  ASSERT_TRUE(tag_digest("team/app:1"));
  constexpr int kTimes = 200;
  auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kTimes; ++i) ASSERT_TRUE(tag_digest("team/app:1"));
  const std::chrono::duration<double, std::micro> each = (std::chrono::steady_clock::now() - begin) / kTimes;
  begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(fetch("team/app:1", digest));
  const std::chrono::duration<double, std::milli> whole = std::chrono::steady_clock::now() - begin;
  RecordProperty("tag_digest_us", std::to_string(each.count()));
  RecordProperty("fetch_20_mib_ms", std::to_string(whole.count()));
}

}  // namespace
}  // namespace windlass
