// How the artifacts below a name are reached: one entry of OCI_REGISTRIES_FILE (oci 6).
#pragma once

#include <string>
#include <vector>

namespace windlass {

// About all artifacts whose "registry/repository" is `prefix` or lies below it. Names are in lower case, docker.io is
// index.docker.io.
struct RegistryRule {
  std::string prefix;                // "r.example:5000" or "r.example/team"
  std::string location;              // stands in the prefix's place when the artifact is fetched
  std::vector<std::string> mirrors;  // the same, asked before the location, in this order, for what is named by digest
  bool mirror_tags = false;          // mirrors may say what a tag points to
  // Of the location; a mirror that needs such has a rule with its own name as prefix.
  bool insecure = false;                                   // no certificate check, plain HTTP too
  std::string ca_file, client_cert_file, client_key_file;  // PEM

  bool operator==(const RegistryRule&) const = default;
};

}  // namespace windlass
