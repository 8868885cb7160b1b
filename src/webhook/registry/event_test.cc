#include "webhook/registry/event.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace windlass {
namespace {

// The reason, or the artifact.
std::string outcome(Push push, std::string_view other_host = "") {
  const auto event = event_of(std::move(push), other_host);
  return event.ignored ? std::string(to_string(*event.ignored)) : event.artifact;
}

// registry-events 3.4
TEST(RegistryEvent, TakesTheHostOutOfAUrl) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"https://Registry.Example/v2/a/manifests/x", "registry.example"},
      {"http://registry.example:5000/v2/", "registry.example:5000"},
      {"https://registry.example:443/v2/", "registry.example"},
      {"http://registry.example:80", "registry.example"},
      {"http://registry.example:443/", "registry.example:443"},
      {"https://registry.example:80/", "registry.example:80"},
      {"https://me:secret@registry.example:8443/x", "registry.example:8443"},
      {"registry.example:5000/team/app", "registry.example:5000"},
      {"registry.example:443/team/app", "registry.example:443"},
      {"https://registry.example?x=/y", "registry.example"},
      {"https://[2001:DB8::1]:5000/x", "[2001:db8::1]:5000"},
      {"", ""},
  };
  for (const auto& [url, host] : rows) EXPECT_EQ(host_of(url), host) << url;
}

// registry-events 3.4: host, repository, tag, the host that is set -> artifact
TEST(RegistryEvent, BuildsTheReference) {
  const std::tuple<Push, std::string_view, std::string_view> rows[] = {
      {{.host = "R.Example:5000", .repository = "Acme/Shop", .tag = "V1.0-RC"}, "", "r.example:5000/acme/shop:V1.0-RC"},
      {{.host = "r.example", .repository = "/a/b/c/d/", .tag = "x"}, "", "r.example/a/b/c/d:x"},
      {{.host = "index.docker.io", .repository = "nginx", .tag = "x"}, "", "docker.io/library/nginx:x"},
      {{.host = "registry-1.docker.io", .repository = "me/app", .tag = "x"}, "", "docker.io/me/app:x"},
      {{.host = "registry.hub.docker.com", .repository = "me/app", .tag = "x"}, "", "docker.io/me/app:x"},
      {{.host = "r.example", .repository = "app", .tag = "x"}, "", "r.example/app:x"},
      {{.host = "inside:5000", .repository = "app", .tag = "x"}, "outside.example", "outside.example/app:x"},
      {{.host = "", .repository = "app", .tag = "x"}, "outside.example", "outside.example/app:x"},
      {{.host = "", .repository = "app", .tag = "x"}, "", "no_registry_host"},
      {{.host = "registry", .repository = "app", .tag = "x"}, "", "invalid_reference"},  // would be Docker Hub's
      {{.host = "localhost", .repository = "app", .tag = "x"}, "", "localhost/app:x"},
      {{.host = "registry:80", .repository = "app", .tag = "x"}, "", "registry:80/app:x"},
      {{.host = "r.example", .repository = "", .tag = "x"}, "", "invalid_reference"},
      {{.host = "r.example", .repository = "a//b", .tag = "x"}, "", "invalid_reference"},
      {{.host = "r.example", .repository = "a b", .tag = "x"}, "", "invalid_reference"},
      {{.host = "r.example", .repository = "app", .tag = "a b"}, "", "invalid_reference"},
      {{.host = "r.example", .repository = "app", .tag = std::string(129, 'x')}, "", "invalid_reference"},
      {{.host = "r.example", .repository = "app", .tag = "main@sha256:" + std::string(64, 'a')},
       "",
       "invalid_reference"},
      {{.host = "r.example/path", .repository = "app", .tag = "-x"}, "", "invalid_reference"},
  };
  for (const auto& [push, other_host, expected] : rows)
    EXPECT_EQ(outcome(push, other_host), expected) << push.host << " " << push.repository;
}

// registry-events 3.6
TEST(RegistryEvent, PassesOverTagsThatAreNone) {
  const std::string hex(64, 'a'), long_hex(128, 'b');
  const std::pair<std::string, std::string> rows[] = {
      {"", "no_tag"},
      {"sha256:" + hex, "no_tag"},
      {"sha512:" + long_hex, "no_tag"},
      {"sha256__" + hex, "no_tag"},
      {"sha256-" + hex, "accessory_tag"},
      {"sha256-" + hex + ".sig", "accessory_tag"},
      {"sha256-" + hex + ".att", "accessory_tag"},
      {"sha256-" + hex + ".sbom", "accessory_tag"},
      {"sha384-" + hex, "accessory_tag"},
      {"sha512-" + long_hex + ".x_Y-1", "accessory_tag"},
      {"sha256-" + std::string(32, 'a'), "accessory_tag"},
      {"sha256-" + std::string(31, 'a'), "r.io/app:sha256-" + std::string(31, 'a')},
      {"sha1-" + hex, "r.io/app:sha1-" + hex},
      {"latest.sig", "r.io/app:latest.sig"},
      {"sha256-" + hex + "sig", "r.io/app:sha256-" + hex + "sig"},
  };
  for (const auto& [tag, expected] : rows)
    EXPECT_EQ(outcome({.host = "r.io", .repository = "app", .tag = tag}), expected) << tag;
}

// registry-events 3.5
TEST(RegistryEvent, TakesOnlyWhatIsADigest) {
  const std::pair<std::string, bool> rows[] = {
      {"sha256:" + std::string(64, 'a'), true},
      {"sha512:" + std::string(128, '0'), true},
      {"", false},
      {"sha256:" + std::string(63, 'a'), false},
      {"sha256:" + std::string(65, 'a'), false},
      {"sha512:" + std::string(64, 'a'), false},
      {"sha256:" + std::string(64, 'A'), false},
      {"sha256:" + std::string(64, 'g'), false},
      {"sha1:" + std::string(40, 'a'), false},
      {std::string(64, 'a'), false},
  };
  for (const auto& [digest, counts] : rows) {
    const auto event = event_of({.host = "r.io", .repository = "app", .tag = "x", .digest = digest}, "");
    EXPECT_EQ(event.digest, counts ? digest : "") << digest;
    EXPECT_FALSE(event.ignored) << "the tag is looked up instead";
  }
}

TEST(RegistryEvent, KnowsManifestsByTheirMediaType) {  // registry-events 4.1
  for (const auto* type : {"", "application/vnd.docker.distribution.manifest.v1+json",
                           "application/vnd.docker.distribution.manifest.v1+prettyjws",
                           "application/vnd.docker.distribution.manifest.v2+json",
                           "application/vnd.docker.distribution.manifest.list.v2+json",
                           "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"})
    EXPECT_TRUE(is_manifest_type(type)) << type;
  for (const auto* type : {"application/octet-stream", "application/vnd.docker.image.rootfs.diff.tar.gzip",
                           "application/vnd.oci.image.config.v1+json"})
    EXPECT_FALSE(is_manifest_type(type)) << type;
}

}  // namespace
}  // namespace windlass
