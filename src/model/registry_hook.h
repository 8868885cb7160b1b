// A registry that may announce pushes in its own words: one entry of REGISTRY_WEBHOOKS (registry-events 3.11).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace windlass {

enum class RegistryFormat {
  doco_oci,  // the native payload, with a fixed token instead of an HMAC
  distribution,
  harbor_default,
  harbor_cloudevents,
  dockerhub,
  github_package,
  quay,
  gitea_package,
  acr,
  acr_eventgrid,
  ecr_eventbridge,
  gar_pubsub,
  gar_unwrapped,
  jfrog,
  nexus,
  zot,
};
std::string_view to_string(RegistryFormat format);  // "harbor-default"
std::optional<RegistryFormat> parse_registry_format(std::string_view text);
std::vector<std::string_view> registry_format_names();

// How a sender proves who it is.
enum class RegistryProof {
  hmac,       // of the raw body, with the secret as key
  header,     // a header whose whole value is the secret
  url_token,  // ?token= is the secret
};
RegistryProof proof_of(RegistryFormat format);

// How Docker clients reach the repositories of a JFrog server.
enum class DockerAccess { path, subdomain };

struct RegistryHook {
  RegistryFormat format = RegistryFormat::distribution;
  Secret secret;
  std::string header = "Authorization";             // of RegistryProof::header
  std::vector<std::string> allow;                   // globs over "host/repository" or "host/repository:tag"
  std::string registry_host;                        // in place of the host of the payload; "" keeps that
  std::map<std::string, std::string> repositories;  // Nexus, JFrog: repository key -> "host[:port][/path]"
  DockerAccess docker_access = DockerAccess::path;
  // Google's signed token instead of a secret: whom it is for, who sends it, and where Google's keys are.
  std::string audience, service_account, jwks_file, jwks_url;

  bool wants_signed_token() const { return !audience.empty(); }
};

}  // namespace windlass
