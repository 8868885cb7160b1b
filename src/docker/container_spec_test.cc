#include "docker/container_spec.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

json::object described() {
  return parse_json(R"({
    "Id": "0123456789abcdef", "Name": "/shop-windlass-1", "Image": "sha256:11",
    "Config": {"Hostname": "0123456789ab", "User": "0", "WorkingDir": "/w", "Image": "windlass:latest",
               "Env": ["A=1"], "Labels": {"com.docker.compose.project": "shop"}, "Cmd": ["serve"]},
    "HostConfig": {"Binds": ["/srv/data:/data:rw"], "NetworkMode": "shop_default",
                   "PortBindings": {"80/tcp": [{"HostPort": "80"}]}, "ReadonlyRootfs": true,
                   "Mounts": [{"Type": "bind", "Source": "/run/docker.sock", "Target": "/var/run/docker.sock"}],
                   "RestartPolicy": {"Name": "always"}},
    "Mounts": [{"Type": "bind", "Source": "/srv/data", "Destination": "/data", "RW": true},
               {"Type": "bind", "Source": "/run/docker.sock", "Destination": "/var/run/docker.sock", "RW": false},
               {"Type": "volume", "Name": "abc", "Source": "/var/lib/x", "Destination": "/cache", "RW": true},
               {"Type": "tmpfs", "Source": "", "Destination": "/tmp", "RW": true}],
    "NetworkSettings": {"Networks": {
      "shop_default": {"Aliases": ["windlass", "0123456789ab"], "IPAddress": "10.0.0.2", "IPAMConfig": null},
      "proxy": {"Aliases": ["cd"], "IPAMConfig": {"IPv4Address": "10.9.0.5"}}}}})")
      ->get_object();
}

TEST(SameContainer, IsMadeAgainAsItWas) {
  const auto spec = same_container(described());
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->name, "shop-windlass-1");
  const auto& body = spec->body;
  EXPECT_EQ(body.at("Image"), "sha256:11");
  EXPECT_FALSE(body.contains("Hostname"));
  EXPECT_EQ(json::serialize(body.at("Labels")), R"({"com.docker.compose.project":"shop"})");
  const auto& host = body.at("HostConfig").as_object();
  EXPECT_EQ(json::serialize(host.at("Binds")), R"(["/srv/data:/data:rw","abc:/cache"])") << "anonymous volumes stay";
  EXPECT_EQ(json::serialize(host.at("PortBindings")), R"({"80/tcp":[{"HostPort":"80"}]})");
  EXPECT_EQ(json::serialize(host.at("RestartPolicy")), R"({"Name":"always"})");
  EXPECT_EQ(json::serialize(body.at("NetworkingConfig")),
            R"({"EndpointsConfig":{"shop_default":{"Aliases":["windlass"]}}})");
  ASSERT_EQ(spec->networks.size(), 1u);
  EXPECT_EQ(json::serialize(spec->networks.at("proxy")),
            R"({"IPAMConfig":{"IPv4Address":"10.9.0.5"},"Aliases":["cd"]})");
}

TEST(HelperOf, HasWhatItNeedsAndNoMore) {
  const Helper helper{.command = {"/windlass", "take-over"},
                      .environment = {{"KEY", "k"}},
                      .labels = {{"cd.doco.job.ephemeral", "true"}}};
  const auto body = helper_of(described(), helper);
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(json::serialize(body->at("Entrypoint")), R"(["/windlass"])");
  EXPECT_EQ(json::serialize(body->at("Cmd")), R"(["take-over"])");
  EXPECT_EQ(json::serialize(body->at("Env")), R"(["A=1","KEY=k"])");
  EXPECT_EQ(json::serialize(body->at("Labels")), R"({"cd.doco.job.ephemeral":"true"})") << "it is not of the project";
  const auto& host = body->at("HostConfig").as_object();
  EXPECT_EQ(json::serialize(host.at("Binds")), R"(["/srv/data:/data:rw","abc:/cache"])");
  EXPECT_EQ(host.at("NetworkMode"), "none");
  EXPECT_FALSE(host.contains("PortBindings"));
  EXPECT_EQ(json::serialize(host.at("Mounts")),
            R"([{"Type":"bind","Source":"/run/docker.sock","Target":"/var/run/docker.sock"}])");
  EXPECT_EQ(host.at("ReadonlyRootfs"), true);
  EXPECT_EQ(json::serialize(host.at("RestartPolicy")), R"({"Name":"on-failure","MaximumRetryCount":3})");
  auto networked = helper;
  networked.needs_network = true;
  EXPECT_EQ(helper_of(described(), networked)->at("HostConfig").as_object().at("NetworkMode"), "shop_default");
}

// What the engine tells of a container whose mounts have options (GET /containers/{id}/json, engine 26.1).
json::object with_mounts() {
  auto container = described();
  auto& host = container["HostConfig"].get_object();
  host["Binds"] = json::array{"/srv/data:/data:rslave,Z", "cfg:/etc/w/:ro,nocopy", "certs:/certs:Z"};
  host["Mounts"] = parse_json(R"([
    {"Type": "volume", "Source": "shop_state", "Target": "/state", "VolumeOptions": {"Subpath": "windlass", "NoCopy": true}},
    {"Type": "bind", "Source": "/srv", "Target": "/srv", "ReadOnly": true,
     "BindOptions": {"Propagation": "rslave", "ReadOnlyForceRecursive": true, "CreateMountpoint": true}},
    {"Type": "tmpfs", "Target": "/tmp", "TmpfsOptions": {"SizeBytes": 1048576}},
    {"Type": "volume", "Target": "/cache"}])")
                       .value();
  container["Mounts"] = parse_json(R"([
    {"Type": "bind", "Source": "/srv/data", "Destination": "/data", "Mode": "rslave,Z", "RW": true, "Propagation": "rslave"},
    {"Type": "volume", "Name": "cfg", "Source": "/v/cfg/_data", "Destination": "/etc/w", "Mode": "ro", "RW": false},
    {"Type": "volume", "Name": "certs", "Source": "/v/certs/_data", "Destination": "/certs", "Mode": "Z", "RW": true},
    {"Type": "volume", "Name": "shop_state", "Source": "/v/shop_state/_data", "Destination": "/state", "RW": true},
    {"Type": "bind", "Source": "/srv", "Destination": "/srv", "RW": false, "Propagation": "rslave"},
    {"Type": "volume", "Name": "abc", "Source": "/v/abc/_data", "Destination": "/cache", "RW": true},
    {"Type": "volume", "Name": "other", "Source": "/v/other/_data", "Destination": "/of-another", "RW": false}])")
                            .value();
  return container;
}
constexpr auto kMounts =
    R"([{"Type":"volume","Source":"shop_state","Target":"/state","VolumeOptions":{"Subpath":"windlass","NoCopy":true}},)"
    R"({"Type":"bind","Source":"/srv","Target":"/srv","ReadOnly":true,)"
    R"("BindOptions":{"Propagation":"rslave","ReadOnlyForceRecursive":true,"CreateMountpoint":true}},)"
    R"({"Type":"tmpfs","Target":"/tmp","TmpfsOptions":{"SizeBytes":1048576}}])";

TEST(SameContainer, KeepsTheOptionsOfMountsAndVolumesWithoutAName) {
  const auto host = same_container(with_mounts())->body.at("HostConfig").as_object();
  EXPECT_EQ(json::serialize(host.at("Mounts")), kMounts);
  EXPECT_EQ(
      json::serialize(host.at("Binds")),
      R"(["/srv/data:/data:rslave,Z","cfg:/etc/w/:ro,nocopy","certs:/certs:Z","abc:/cache","other:/of-another:ro"])");
}

TEST(HelperOf, MountsTheSameInTheSameWay) {
  const auto host = helper_of(with_mounts(), {.command = {"/windlass"}})->at("HostConfig").as_object();
  EXPECT_EQ(json::serialize(host.at("Mounts")), kMounts);
  EXPECT_EQ(json::serialize(host.at("Binds")),
            R"(["/srv/data:/data:rslave","cfg:/etc/w/:ro,nocopy","certs:/certs","abc:/cache","other:/of-another:ro"])")
      << "what runs keeps its files";
}

TEST(ContainerSpec, NeedsADescription) {
  EXPECT_FALSE(same_container({}));
  EXPECT_FALSE(helper_of({{"Id", "x"}}, {.command = {"x"}}));
}

}  // namespace
}  // namespace windlass
