// Registry credentials from the Docker config file, its helpers and DOCKER_AUTH_CONFIG (oci 5).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/deadline.h"
#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"
#include "oci/reference.h"
#include "sys/process.h"

namespace windlass {

struct BasicCredential {
  std::string user;
  Secret password;
};
struct IdentityToken {
  Secret token;
};
struct RegistryToken {
  Secret token;
};
using Credential = std::variant<std::monostate, BasicCredential, IdentityToken, RegistryToken>;  // monostate: anonymous

class CredentialSource {
 public:
  struct Options {
    std::filesystem::path config_file;                      // "<DOCKER_CONFIG>/config.json"; read again when it changes
    std::vector<std::filesystem::path> fallback_files;      // REGISTRY_AUTH_FILE, podman's auth.json: the first that
                                                            // exists, only where config_file does not
    Secret auth_config;                                     // DOCKER_AUTH_CONFIG, looked at first
    std::map<std::string, std::string> helper_environment;  // all that docker-credential-<name> sees, PATH included
  };
  static std::unique_ptr<CredentialSource> make(Options options, ProcessRunner& processes, Log log);
  virtual ~CredentialSource() = default;
  // Start check: the config file, if there is one, can be read and is valid.
  virtual Status check() = 0;
  virtual Result<Credential> find(const Reference& reference, const Deadline& deadline) = 0;
};

}  // namespace windlass
