// Docker contexts, read from the files that `docker context create` writes (deploy/Y2).
//
// Under <config>/contexts, the SHA-256 of the name in hexadecimal digits is the folder: meta/<hash>/meta.json says
// where the engine listens, tls/<hash>/docker/{ca,cert,key}.pem with what it is spoken to.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace windlass {

struct DockerContext {
  std::string name;
  std::string host;                          // "unix:///run/docker.sock", "tcp://10.0.0.5:2376", "ssh://deploy@edge"
  bool skip_tls_verify = false;              // as the metadata say
  std::string ca_file, cert_file, key_file;  // "" for each that is not there

  bool operator==(const DockerContext&) const = default;
};

// `config_dir`: DOCKER_CONFIG, else $HOME/.docker. Kind::not_found when there is no such context, Kind::invalid when
// its metadata cannot be understood; both name the context.
Result<DockerContext> read_context(const std::filesystem::path& config_dir, const std::string& name);

// The names of all of them, in order; those that cannot be read are left out.
std::vector<std::string> context_names(const std::filesystem::path& config_dir);

// Whether an engine at that host does not see the files of this machine: one that is reached by ssh, or by TCP at
// another address than loopback.
bool is_remote(const DockerContext& context);

}  // namespace windlass
